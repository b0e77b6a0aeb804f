from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.access import AccessRemedy
from domain.actor import Actor
from domain.charge_preview import ChangeTiming, ChargePreview, OnFailure, Proration
from domain.commands.payment_methods import UpdatePaymentMethod
from domain.commands.subscriptions.change_plan import ChangePlan
from domain.commands.subscriptions.ending import CancelSubscription, KeepSubscription
from domain.commands.subscriptions.update_subscription import UpdateSubscription
from domain.errors import (
    AlreadySubscribed,
    Declined,
    InvalidInput,
    NotFound,
    PreviewStale,
    StateConflict,
)
from domain.operation import OperationState
from domain.payment_status import PaymentStatus, PaymentTrigger
from domain.subscription import CancelTiming, Subscription
from domain.subscription_status import SubscriptionAction, SubscriptionStatus
from sandbox import Sandbox
from tests.dashboard import Dashboard
from tests.domain.shopping import Cardholder, Post, captures
from tests.domain.subscriptions.subscribing import Subscriber, at_stripe

YEARLY: dict[str, Any] = {"recurring": {"interval": "year"}}
MONTHS = [
    datetime(2027, 1, 31, 9, tzinfo=UTC),
    datetime(2027, 2, 14, 12, tzinfo=UTC),
    datetime(2027, 4, 30, 23, 59, tzinfo=UTC),
    datetime(2028, 2, 29, 1, tzinfo=UTC),
]
"""Periods of 28 to 31 days begin here."""


@pytest.fixture
async def subscribed(subscriber: Subscriber) -> Subscription:
    await subscriber.saves()
    return await subscriber.subscribes(await subscriber.plan(1500))


async def previewed(subscriber: Subscriber, subscription: Subscription, **choices: Any) -> ChargePreview:
    usual: Mapping[str, Any] = {"timing": ChangeTiming.NOW, "proration": Proration.INVOICE_NOW}
    given = {**usual, **choices}
    return await subscriber.gateway.services.previews.plan_change(
        subscriber.actor, subscription.id, given["plan_id"], given["timing"], given["proration"]
    )


def change(subscription: Subscription, plan_id: Any, **choices: Any) -> ChangePlan:
    return ChangePlan(subscription_id=subscription.id, plan_id=plan_id, **choices)


class TestChangePlan:
    async def test_to_a_cheaper_one_prorates_with_the_next_invoice(
        self, subscriber: Subscriber, subscribed: Subscription, dashboard: Dashboard, sandbox: Sandbox
    ) -> None:
        dashboard.passes(10)
        cheaper = await subscriber.plan(700)

        changed = await subscriber.made(change(subscribed, cheaper))

        assert (changed.plan_id, changed.status) == (cheaper, SubscriptionStatus.ACTIVE)
        assert changed.current_period_end == subscribed.current_period_end
        assert captures(sandbox) == 1
        dashboard.passes(22)
        assert 1500 < sandbox.ledger()["totals"]["amount_captured"]["usd"] < 1500 + 700

    @pytest.mark.parametrize("terms", [{}, {"proration": Proration.INVOICE_NOW}], ids=str)
    async def test_to_a_dearer_one_invoices_the_difference_now(
        self,
        subscriber: Subscriber,
        subscribed: Subscription,
        dashboard: Dashboard,
        sandbox: Sandbox,
        terms: Any,
    ) -> None:
        dashboard.passes(10)
        dearer = await subscriber.plan(3000)

        changed = await subscriber.made(change(subscribed, dearer, **terms))

        charge = await subscriber.charge(changed)
        assert (charge.status, charge.trigger) == (PaymentStatus.COMPLETED, PaymentTrigger.PLAN_CHANGE)
        assert 0 < charge.amount < 1500
        assert captures(sandbox) == 2

    async def test_begins_a_new_period_at_the_full_price(
        self, subscriber: Subscriber, subscribed: Subscription, dashboard: Dashboard
    ) -> None:
        dashboard.passes(10)
        dearer = await subscriber.plan(3000)

        changed = await subscriber.made(change(subscribed, dearer, proration=Proration.FULL_PRICE_NOW))

        assert (await subscriber.charge(changed)).amount == 3000
        assert changed.current_period_start > subscribed.current_period_start

    @pytest.mark.parametrize(("proration", "by_the_next"), [("NONE", 4500), ("PRORATE", 4500 + 1500)])
    async def test_to_a_dearer_one_costs_nothing_now_where_an_admin_gives_it(
        self,
        subscriber: Subscriber,
        subscribed: Subscription,
        sandbox: Sandbox,
        dashboard: Dashboard,
        admin: Actor,
        proration: str,
        by_the_next: int,
    ) -> None:
        dearer = await subscriber.plan(3000)

        admins = replace(subscriber, actor=admin)
        changed = await admins.made(change(subscribed, dearer, proration=Proration(proration)))

        assert changed.plan_id == dearer
        assert captures(sandbox) == 1
        dashboard.passes(32)
        assert sandbox.ledger()["totals"]["amount_captured"]["usd"] == pytest.approx(by_the_next, abs=1)

    @pytest.mark.parametrize(
        "terms",
        [
            {"proration": Proration.NONE},
            {"proration": Proration.PRORATE},
            {"proration": Proration.INVOICE_NOW, "if_payment_fails": OnFailure.KEEP_AS_PAST_DUE},
        ],
        ids=str,
    )
    async def test_to_a_dearer_one_cannot_be_had_without_paying(
        self, subscriber: Subscriber, subscribed: Subscription, sandbox: Sandbox, terms: Any
    ) -> None:
        dearer = await subscriber.plan(3000)

        with pytest.raises(InvalidInput, match="dearer"):
            await subscriber.does(change(subscribed, dearer, **terms))

        assert captures(sandbox) == 1
        assert (await subscriber.subscription(subscribed.id)).plan_id == subscribed.plan_id

    async def test_to_a_cheaper_one_may_cost_nothing_now(
        self, subscriber: Subscriber, subscribed: Subscription
    ) -> None:
        cheaper = await subscriber.plan(500)

        changed = await subscriber.made(change(subscribed, cheaper, proration=Proration.NONE))

        assert changed.plan_id == cheaper

    async def test_to_another_interval_begins_a_new_period(
        self, subscriber: Subscriber, subscribed: Subscription, dashboard: Dashboard
    ) -> None:
        dashboard.passes(10)
        yearly = await subscriber.plan(12000, **YEARLY)

        changed = await subscriber.made(change(subscribed, yearly))

        assert changed.current_period_end - changed.current_period_start >= timedelta(days=365)
        assert 10500 < (await subscriber.charge(changed)).amount < 12000

    async def test_during_a_trial_costs_nothing(self, subscriber: Subscriber, sandbox: Sandbox) -> None:
        await subscriber.saves()
        trial: dict[str, Any] = {"recurring": {"interval": "month", "trial_period_days": 14}}
        trying = await subscriber.subscribes(await subscriber.plan(**trial))
        dearer = await subscriber.plan(3000)

        changed = await subscriber.made(change(trying, dearer))

        assert (changed.status, changed.plan_id) == (SubscriptionStatus.TRIALING, dearer)
        assert captures(sandbox) == 0


class TestPlannedChange:
    @pytest.mark.parametrize("interval", [{}, YEARLY], ids=["month", "year"])
    async def test_takes_effect_with_the_next_period(
        self,
        subscriber: Subscriber,
        subscribed: Subscription,
        dashboard: Dashboard,
        post: Post,
        sandbox: Sandbox,
        interval: Mapping[str, Any],
    ) -> None:
        next_plan = await subscriber.plan(9000, **interval)

        planned = await subscriber.made(change(subscribed, next_plan, timing=ChangeTiming.PERIOD_END))

        assert (planned.plan_id, planned.pending_plan_id) == (subscribed.plan_id, next_plan)
        assert captures(sandbox) == 1
        dashboard.passes(32)
        await post.deliver_all()
        renewed = await subscriber.subscription(subscribed.id)
        assert (renewed.plan_id, renewed.pending_plan_id) == (next_plan, None)
        assert (await subscriber.charge(renewed)).amount == 9000

    async def test_is_paid_with_the_subscriptions_own_card(
        self, subscriber: Subscriber, subscribed: Subscription, dashboard: Dashboard, post: Post
    ) -> None:
        own = await subscriber.saves("pm_card_mastercard")
        await subscriber.made(UpdateSubscription(subscription_id=subscribed.id, payment_method_id=own))

        await subscriber.made(change(subscribed, await subscriber.plan(3000), timing=ChangeTiming.PERIOD_END))
        dashboard.passes(32)
        await post.deliver_all()

        renewed = await subscriber.subscription(subscribed.id)
        assert renewed.payment_method_id == own
        assert (await subscriber.charge(renewed)).method_brand == "mastercard"

    async def test_replaces_the_one_before(self, subscriber: Subscriber, subscribed: Subscription) -> None:
        first, second = await subscriber.plan(3000), await subscriber.plan(4000)

        for plan in (first, second):
            planned = await subscriber.made(change(subscribed, plan, timing=ChangeTiming.PERIOD_END))

        assert planned.pending_plan_id == second

    async def test_is_taken_back(
        self, subscriber: Subscriber, subscribed: Subscription, sandbox: Sandbox
    ) -> None:
        await subscriber.made(change(subscribed, await subscriber.plan(3000), timing=ChangeTiming.PERIOD_END))

        kept = await subscriber.made(KeepSubscription(subscription_id=subscribed.id))

        assert (kept.plan_id, kept.pending_plan_id) == (subscribed.plan_id, None)
        assert SubscriptionAction.KEEP not in kept.actions
        assert at_stripe(sandbox, kept)["schedule"] is None

    async def test_stands_in_the_way_of_one_that_is_made_now(
        self, subscriber: Subscriber, subscribed: Subscription
    ) -> None:
        await subscriber.made(change(subscribed, await subscriber.plan(3000), timing=ChangeTiming.PERIOD_END))

        with pytest.raises(StateConflict) as refusal:
            await subscriber.made(change(subscribed, await subscriber.plan(4000)))

        assert refusal.value.allowed == (SubscriptionAction.KEEP,)

    async def test_of_what_ends_is_refused(self, subscriber: Subscriber, subscribed: Subscription) -> None:
        await subscriber.made(CancelSubscription(subscription_id=subscribed.id))

        with pytest.raises(StateConflict, match="ends with this period"):
            await subscriber.made(
                change(subscribed, await subscriber.plan(3000), timing=ChangeTiming.PERIOD_END)
            )


class TestRefusedChange:
    async def test_to_the_same_plan(self, subscriber: Subscriber, subscribed: Subscription) -> None:
        with pytest.raises(StateConflict) as refusal:
            await subscriber.made(change(subscribed, subscribed.plan_id))

        assert refusal.value.current == "SAME_PLAN"

    async def test_to_another_currency(self, subscriber: Subscriber, subscribed: Subscription) -> None:
        with pytest.raises(InvalidInput, match="currency"):
            await subscriber.made(change(subscribed, await subscriber.plan(currency="eur")))

    async def test_to_a_plan_off_sale(
        self, subscriber: Subscriber, subscribed: Subscription, dashboard: Dashboard, post: Post
    ) -> None:
        price = await dashboard.sells(9900)
        await subscriber.gateway.services.plans.know(price.id)
        await dashboard.client.v1.prices.update_async(price.id, {"active": False})
        await post.deliver_all()
        off_sale = next(plan for plan in await dashboard.plans() if plan.amount == 9900)

        with pytest.raises(StateConflict, match="not offered"):
            await subscriber.made(change(subscribed, off_sale.id))

    async def test_to_a_plan_of_another_subscription(
        self, subscriber: Subscriber, subscribed: Subscription
    ) -> None:
        other = await subscriber.subscribes(await subscriber.plan(2000))

        with pytest.raises(AlreadySubscribed) as refusal:
            await subscriber.made(change(subscribed, other.plan_id))

        assert refusal.value.existing_id == other.id

    async def test_of_what_is_over(self, subscriber: Subscriber, subscribed: Subscription) -> None:
        await subscriber.made(CancelSubscription(subscription_id=subscribed.id, timing=CancelTiming.NOW))

        with pytest.raises(StateConflict) as refusal:
            await subscriber.made(change(subscribed, await subscriber.plan(2000)))

        assert (refusal.value.current, refusal.value.allowed) == (SubscriptionStatus.CANCELLED, ())

    async def test_of_another_users_finds_none(self, other: Subscriber, subscribed: Subscription) -> None:
        with pytest.raises(NotFound):
            await other.made(change(subscribed, await other.plan(2000)))


class TestUnpaidChange:
    async def test_that_is_declined_leaves_the_former_plan(
        self, subscriber: Subscriber, subscribed: Subscription, dashboard: Dashboard, sandbox: Sandbox
    ) -> None:
        await self.pays_with(subscriber, "pm_card_chargeCustomerFail")
        dashboard.passes(10)
        dearer = await subscriber.plan(3000)

        executed = await subscriber.does(change(subscribed, dearer, proration=Proration.INVOICE_NOW))

        after = await subscriber.of(executed)
        assert isinstance(executed.operation.verdict, Declined)
        assert (after.plan_id, after.pending_plan_id) == (subscribed.plan_id, None)
        assert after.status is SubscriptionStatus.ACTIVE
        assert captures(sandbox) == 1
        dashboard.passes(40)
        assert at_stripe(sandbox, after)["items"]["data"][0]["price"]["unit_amount"] == 1500

    async def test_may_be_kept_as_past_due_by_an_admin(
        self, subscriber: Subscriber, subscribed: Subscription, dashboard: Dashboard, admin: Actor
    ) -> None:
        await self.pays_with(subscriber, "pm_card_chargeCustomerFail")
        dashboard.passes(10)
        dearer = await subscriber.plan(3000)

        executed = await replace(subscriber, actor=admin).does(
            change(
                subscribed,
                dearer,
                proration=Proration.INVOICE_NOW,
                if_payment_fails=OnFailure.KEEP_AS_PAST_DUE,
            )
        )

        after = await subscriber.of(executed)
        assert isinstance(executed.operation.verdict, Declined)
        assert (after.plan_id, after.status) == (dearer, SubscriptionStatus.PAST_DUE)

    async def test_takes_effect_once_the_cardholder_agreed(
        self, subscriber: Subscriber, subscribed: Subscription, cardholder: Cardholder, post: Post
    ) -> None:
        await self.pays_with(subscriber, "pm_card_authenticationRequired")
        dearer = await subscriber.plan(3000)

        executed = await subscriber.does(change(subscribed, dearer, proration=Proration.INVOICE_NOW))

        waiting = await subscriber.of(executed)
        charge = await subscriber.charge(waiting)
        assert executed.operation.state is OperationState.SUCCEEDED
        assert (waiting.plan_id, waiting.pending_plan_id) == (subscribed.plan_id, dearer)
        assert charge.status is PaymentStatus.REQUIRES_ACTION
        await cardholder.answers(charge.processor_payment_id or "")
        await post.deliver_all()
        after = await subscriber.subscription(subscribed.id)
        assert (after.plan_id, after.pending_plan_id) == (dearer, None)

    async def test_that_waits_for_the_cardholder_says_so_to_whom_wants_what_it_adds(
        self, subscriber: Subscriber, subscribed: Subscription
    ) -> None:
        await self.pays_with(subscriber, "pm_card_authenticationRequired")
        adding = {"name": "Everything", "metadata": {"features": "films,archive"}}
        dearer = await subscriber.plan(3000, product_data=adding)

        await subscriber.does(change(subscribed, dearer, proration=Proration.INVOICE_NOW))

        archive, films = await subscriber.access("archive"), await subscriber.access("films")
        assert (archive.allowed, archive.remedies) == (False, (AccessRemedy.AUTHENTICATE,))
        assert (films.allowed, films.remedies) == (True, ())

    async def test_that_waits_for_the_cardholder_is_taken_back(
        self, subscriber: Subscriber, subscribed: Subscription, sandbox: Sandbox
    ) -> None:
        await self.pays_with(subscriber, "pm_card_authenticationRequired")
        await subscriber.does(
            change(subscribed, await subscriber.plan(3000), proration=Proration.INVOICE_NOW)
        )

        kept = await subscriber.made(KeepSubscription(subscription_id=subscribed.id))

        assert (kept.plan_id, kept.pending_plan_id) == (subscribed.plan_id, None)
        assert at_stripe(sandbox, kept)["pending_update"] is None

    async def pays_with(self, subscriber: Subscriber, card: str) -> None:
        method = await subscriber.saves(card)
        await subscriber.does(UpdatePaymentMethod(method_id=method, makes_default=True))


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
