from datetime import datetime
from uuid import UUID

import pytest

from domain.commands.payment_methods import UpdatePaymentMethod
from domain.commands.subscriptions.ending import CancelSubscription
from domain.paging import Slice
from domain.subscription_list import SubscriptionFilter
from sandbox import Sandbox
from tests.domain.subscriptions.subscribing import Subscriber

NEW_YEARS_EVE = datetime.fromisoformat("2027-12-31T12:00:00+00:00")
"""A monthly subscription that begins then is renewed on 31 January 2028."""


@pytest.fixture
def on_new_years_eve(sandbox: Sandbox) -> None:
    sandbox.advance(NEW_YEARS_EVE.timestamp() - sandbox.clock.now())


async def listed(subscriber: Subscriber, *, expires: bool) -> list[UUID]:
    service = subscriber.gateway.services.subscriptions
    wanted = SubscriptionFilter(card_expires_before_renewal=expires)
    page = await service.page(subscriber.actor, wanted, Slice(limit=10))
    assert await service.count(subscriber.actor, wanted) == len(page.items)
    return [subscription.id for subscription in page.items]


@pytest.mark.usefixtures("on_new_years_eve")
class TestCardExpiresBeforeRenewal:
    @pytest.mark.parametrize(
        ("month", "year", "expires"), [(12, 2027, True), (1, 2028, False), (2, 2028, False)]
    )
    async def test_counts_the_last_month_as_valid(
        self, subscriber: Subscriber, month: int, year: int, expires: bool
    ) -> None:
        card = await subscriber.saves()
        subscription = await subscriber.subscribes(await subscriber.plan())

        await subscriber.does(UpdatePaymentMethod(method_id=card, exp_month=month, exp_year=year))

        assert await listed(subscriber, expires=expires) == [subscription.id]
        assert await listed(subscriber, expires=not expires) == []

    async def test_looks_at_the_card_that_will_pay(self, subscriber: Subscriber) -> None:
        ending, lasting = await subscriber.saves(), await subscriber.saves("pm_card_amex")
        by_default = await subscriber.subscribes(await subscriber.plan())
        by_name = await subscriber.subscribes(await subscriber.plan(), payment_method_id=lasting)

        await subscriber.does(UpdatePaymentMethod(method_id=ending, exp_month=12, exp_year=2027))

        assert await listed(subscriber, expires=True) == [by_default.id]
        assert await listed(subscriber, expires=False) == [by_name.id]

    async def test_leaves_out_what_will_not_be_renewed(self, subscriber: Subscriber) -> None:
        card = await subscriber.saves()
        subscription = await subscriber.subscribes(await subscriber.plan())
        await subscriber.does(UpdatePaymentMethod(method_id=card, exp_month=12, exp_year=2027))

        await subscriber.does(CancelSubscription(subscription_id=subscription.id))

        assert await listed(subscriber, expires=True) == []
