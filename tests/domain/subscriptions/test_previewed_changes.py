from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.actor import Actor
from domain.charge_preview import ChangeTiming, ChargePreview, Proration
from domain.commands.subscriptions.update_subscription import UpdateSubscription
from domain.errors import (
    InvalidInput,
    NotFound,
    PreviewStale,
)
from domain.subscription import Subscription
from sandbox import Sandbox
from tests.dashboard import Dashboard
from tests.domain.shopping import captures
from tests.domain.subscriptions.subscribing import YEARLY, Subscriber, at_stripe, change

MONTHS = [
    datetime(2027, 1, 31, 9, tzinfo=UTC),
    datetime(2027, 2, 14, 12, tzinfo=UTC),
    datetime(2027, 4, 30, 23, 59, tzinfo=UTC),
    datetime(2028, 2, 29, 1, tzinfo=UTC),
]
"""Periods of 28 to 31 days begin here."""


async def previewed(subscriber: Subscriber, subscription: Subscription, **choices: Any) -> ChargePreview:
    usual: Mapping[str, Any] = {"timing": ChangeTiming.NOW, "proration": Proration.INVOICE_NOW}
    given = {**usual, **choices}
    return await subscriber.gateway.services.previews.plan_change(
        subscriber.actor, subscription.id, given["plan_id"], given["timing"], given["proration"]
    )


class TestPreviewedChange:
    @pytest.mark.parametrize("proration", Proration)
    @pytest.mark.parametrize("start", MONTHS, ids=str)
    async def test_charges_what_was_shown(
        self,
        subscriber: Subscriber,
        dashboard: Dashboard,
        sandbox: Sandbox,
        admin: Actor,
        start: datetime,
        proration: Any,
    ) -> None:
        sandbox.advance(start.timestamp() - sandbox.clock.now())
        await subscriber.saves()
        subscription = await subscriber.subscribes(await subscriber.plan(1999))
        dashboard.passes(9.37)
        dearer = await subscriber.plan(4949)
        before = captured(sandbox, "usd")
        admins = replace(subscriber, actor=admin)

        preview = await previewed(admins, subscription, plan_id=dearer, proration=proration)
        dashboard.passes(0.009)
        await admins.made(change(subscription, dearer, proration=proration, preview_id=preview.id))

        assert captured(sandbox, "usd") - before == preview.due_now
        if preview.due_now == 0:
            dashboard.passes(31)
            assert captured(sandbox, "usd") - before == preview.next_renewal

    @pytest.mark.parametrize("currency", ["jpy", "eur", "gbp"])
    async def test_charges_what_was_shown_in_every_currency(
        self, subscriber: Subscriber, dashboard: Dashboard, sandbox: Sandbox, currency: str
    ) -> None:
        await subscriber.saves()
        subscription = await subscriber.subscribes(await subscriber.plan(1000, currency=currency))
        dashboard.passes(13.3)
        dearer = await subscriber.plan(3330, currency=currency)

        preview = await previewed(subscriber, subscription, plan_id=dearer)
        await subscriber.made(
            change(subscription, dearer, proration=Proration.INVOICE_NOW, preview_id=preview.id)
        )

        assert preview.due_now > 0
        assert captured(sandbox, currency) - 1000 == preview.due_now

    @pytest.mark.parametrize("interval", [{}, YEARLY], ids=["month", "year"])
    async def test_with_the_next_period_renews_at_what_was_shown(
        self,
        subscriber: Subscriber,
        subscribed: Subscription,
        dashboard: Dashboard,
        sandbox: Sandbox,
        interval: Mapping[str, Any],
    ) -> None:
        next_plan = await subscriber.plan(9000, **interval)

        preview = await previewed(subscriber, subscribed, plan_id=next_plan, timing=ChangeTiming.PERIOD_END)
        await subscriber.made(
            change(
                subscribed,
                next_plan,
                timing=ChangeTiming.PERIOD_END,
                proration=Proration.INVOICE_NOW,
                preview_id=preview.id,
            )
        )
        dashboard.passes(32)

        assert (preview.due_now, preview.next_renewal) == (0, 9000)
        assert preview.charged_at == subscribed.current_period_end
        assert captured(sandbox, "usd") == 1500 + 9000

    async def test_that_went_stale_changes_nothing(
        self, subscriber: Subscriber, subscribed: Subscription, dashboard: Dashboard, sandbox: Sandbox
    ) -> None:
        dearer = await subscriber.plan(3000)
        preview = await previewed(subscriber, subscribed, plan_id=dearer)
        customer = subscribed.processor_customer_id
        await dashboard.client.v1.customers.update_async(customer, {"balance": -100})

        executed = await subscriber.does(
            change(subscribed, dearer, proration=Proration.INVOICE_NOW, preview_id=preview.id)
        )

        verdict = executed.operation.verdict
        assert isinstance(verdict, PreviewStale)
        assert verdict.preview_id == str(preview.id)
        assert await subscriber.of(executed) == subscribed
        assert at_stripe(sandbox, subscribed)["items"]["data"][0]["price"]["unit_amount"] == 1500
        assert captures(sandbox) == 1

    async def test_is_offered_afresh(
        self, subscriber: Subscriber, subscribed: Subscription, dashboard: Dashboard
    ) -> None:
        dearer = await subscriber.plan(3000)
        stale = await previewed(subscriber, subscribed, plan_id=dearer)
        customer = subscribed.processor_customer_id
        await dashboard.client.v1.customers.update_async(customer, {"balance": -100})

        fresh = await subscriber.gateway.services.previews.afresh(subscriber.actor, stale.id)

        assert fresh is not None
        assert (fresh.credit_applied, fresh.due_now) == (100, stale.due_now - 100)
        await subscriber.made(
            change(subscribed, dearer, proration=Proration.INVOICE_NOW, preview_id=fresh.id)
        )

    async def test_that_has_expired_leaves_the_key_free(
        self, subscriber: Subscriber, subscribed: Subscription, dashboard: Dashboard
    ) -> None:
        dearer = await subscriber.plan(3000)
        preview = await previewed(subscriber, subscribed, plan_id=dearer)
        dashboard.passes(1)
        command = change(subscribed, dearer, proration=Proration.INVOICE_NOW)

        with pytest.raises(PreviewStale, match="expired"):
            await subscriber.does(
                change(subscribed, dearer, proration=Proration.INVOICE_NOW, preview_id=preview.id),
                key="change-17",
            )

        assert not (await subscriber.does(command, key="change-17")).is_replayed

    async def test_is_known_for_a_day_after_it_has_expired(
        self, subscriber: Subscriber, subscribed: Subscription, dashboard: Dashboard
    ) -> None:
        preview = await previewed(subscriber, subscribed, plan_id=await subscriber.plan(3000))
        previews = subscriber.gateway.services.previews

        dashboard.passes(1)
        assert await previews.drop_expired() == 0
        assert await previews.afresh(subscriber.actor, preview.id) is not None

        dashboard.passes(0.1)
        assert await previews.drop_expired() == 1
        assert await previews.afresh(subscriber.actor, preview.id) is None

    async def test_of_an_older_version_is_stale(
        self, subscriber: Subscriber, subscribed: Subscription
    ) -> None:
        dearer = await subscriber.plan(3000)
        preview = await previewed(subscriber, subscribed, plan_id=dearer)
        await subscriber.made(UpdateSubscription(subscription_id=subscribed.id, details={"a": 1}))

        with pytest.raises(PreviewStale, match="has changed"):
            await subscriber.does(
                change(subscribed, dearer, proration=Proration.INVOICE_NOW, preview_id=preview.id)
            )

    async def test_of_other_choices_is_refused(
        self, subscriber: Subscriber, subscribed: Subscription
    ) -> None:
        dearer = await subscriber.plan(3000)
        preview = await previewed(subscriber, subscribed, plan_id=dearer)

        with pytest.raises(InvalidInput, match="something else"):
            await subscriber.does(
                change(subscribed, dearer, proration=Proration.FULL_PRICE_NOW, preview_id=preview.id)
            )

    async def test_of_another_user_looks_like_none(
        self, subscriber: Subscriber, other: Subscriber, subscribed: Subscription
    ) -> None:
        dearer = await subscriber.plan(3000)
        await other.saves("pm_card_mastercard")
        theirs = await other.subscribes(subscribed.plan_id)
        preview = await previewed(other, theirs, plan_id=dearer)

        with pytest.raises(NotFound, match="no such preview"):
            await subscriber.does(
                change(subscribed, dearer, proration=Proration.INVOICE_NOW, preview_id=preview.id)
            )


def captured(sandbox: Sandbox, currency: str) -> int:
    """In minor units."""
    return int(sandbox.ledger()["totals"]["amount_captured"].get(currency, 0))
