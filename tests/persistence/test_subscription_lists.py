from collections.abc import Sequence
from datetime import timedelta
from itertools import product
from typing import Any
from uuid import UUID

import pytest

from domain.paging import Slice
from domain.ports import Database
from domain.subscription import Subscription
from domain.subscription_list import SUBSCRIPTIONS, SubscriptionFilter
from domain.subscription_status import ENDED, SubscriptionStatus
from tests.domain.access_values import MONTH, a_plan, a_subscription
from tests.domain.values import NOON, a_method

PERIOD_END, DAY = NOON + MONTH, timedelta(days=1)
AROUND_THE_END = (PERIOD_END - DAY, PERIOD_END, PERIOD_END + DAY)
PAUSES = (None, *AROUND_THE_END)
ENDINGS: Sequence[Any] = (
    {},
    {"cancel_at_period_end": True},
    *({"cancel_at": moment} for moment in AROUND_THE_END),
)
PLAN = a_plan()
CARD = a_method(exp_year=NOON.year, exp_month=NOON.month)


async def add_all(database: Database, status: SubscriptionStatus) -> Sequence[Subscription]:
    """One for each pause and each planned end, all paid by a card that ends with this month."""
    made = [
        a_subscription(
            PLAN,
            status=status,
            is_surplus=True,
            payment_method_id=CARD.id,
            paused_until=pause,
            ended_at=NOON if status in ENDED else None,
            **ending,
        )
        for pause, ending in product(PAUSES, ENDINGS)
    ]
    async with database.work() as work:
        await work.plans.add(PLAN)
        await work.payment_methods.add(CARD)
        for subscription in made:
            await work.subscriptions.add(subscription)
    return made


async def matching(database: Database, **wanted: Any) -> set[UUID]:
    async with database.reads() as reads:
        found = await reads.subscriptions.listed(SubscriptionFilter(**wanted), SUBSCRIPTIONS, Slice(limit=50))
    return {subscription.id for subscription in found}


@pytest.mark.usefixtures("owner")
class TestRenewal:
    @pytest.mark.parametrize("status", SubscriptionStatus)
    async def test_is_expected_by_lists_where_the_subscription_says_so(
        self, database: Database, status: SubscriptionStatus
    ) -> None:
        made = await add_all(database, status)
        renewing = {subscription.id for subscription in made if subscription.will_renew}

        assert await matching(database, renews_before=PERIOD_END + DAY) == renewing
        assert await matching(database, card_expires_before_renewal=True) == renewing
        others = {subscription.id for subscription in made} - renewing
        assert await matching(database, card_expires_before_renewal=False) == others
