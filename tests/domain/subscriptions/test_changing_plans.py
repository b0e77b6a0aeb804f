from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.access import AccessRemedy
from domain.actor import Actor
from domain.charge_preview import ChangeTiming, OnFailure, Proration
from domain.commands.subscriptions.ending import CancelSubscription, KeepSubscription
from domain.commands.subscriptions.pausing import PauseSubscription
from domain.commands.subscriptions.update_subscription import UpdateSubscription
from domain.errors import (
    AlreadySubscribed,
    Declined,
    InvalidInput,
    NotFound,
    StateConflict,
)
from domain.operation import OperationState
from domain.payment_status import PaymentStatus, PaymentTrigger
from domain.subscription import CancelTiming, Subscription
from domain.subscription_status import SubscriptionAction, SubscriptionStatus
from sandbox import Sandbox
from tests.dashboard import Dashboard
from tests.domain.shopping import Cardholder, Post, captures
from tests.domain.subscriptions.subscribing import YEARLY, Subscriber, at_stripe, change


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

    async def test_now_in_a_period_that_was_never_paid_for(
        self, subscriber: Subscriber, subscribed: Subscription, dashboard: Dashboard, post: Post
    ) -> None:
        await subscriber.made(PauseSubscription(subscription_id=subscribed.id))
        dashboard.passes(32)
        there = subscribed.processor_subscription_id or ""
        await dashboard.client.v1.subscriptions.update_async(there, {"pause_collection": ""})
        await post.deliver_all()
        plan = await subscriber.plan(3000)

        with pytest.raises(StateConflict, match="not paid for") as refusal:
            await subscriber.made(change(subscribed, plan))

        assert refusal.value.current == "UNPAID_PERIOD"
        planned = await subscriber.made(change(subscribed, plan, timing=ChangeTiming.PERIOD_END))
        assert planned.pending_plan_id == plan


class TestUnpaidChange:
    async def test_that_is_declined_leaves_the_former_plan(
        self, subscriber: Subscriber, subscribed: Subscription, dashboard: Dashboard, sandbox: Sandbox
    ) -> None:
        await subscriber.saves("pm_card_chargeCustomerFail", makes_default=True)
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
        await subscriber.saves("pm_card_chargeCustomerFail", makes_default=True)
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
        await subscriber.saves("pm_card_authenticationRequired", makes_default=True)
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
        await subscriber.saves("pm_card_authenticationRequired", makes_default=True)
        adding = {"name": "Everything", "metadata": {"features": "films,archive"}}
        dearer = await subscriber.plan(3000, product_data=adding)

        await subscriber.does(change(subscribed, dearer, proration=Proration.INVOICE_NOW))

        archive, films = await subscriber.access("archive"), await subscriber.access("films")
        assert (archive.allowed, archive.remedies) == (False, (AccessRemedy.AUTHENTICATE,))
        assert (films.allowed, films.remedies) == (True, ())

    async def test_that_waits_for_the_cardholder_is_taken_back(
        self, subscriber: Subscriber, subscribed: Subscription, sandbox: Sandbox
    ) -> None:
        await subscriber.saves("pm_card_authenticationRequired", makes_default=True)
        await subscriber.does(
            change(subscribed, await subscriber.plan(3000), proration=Proration.INVOICE_NOW)
        )

        kept = await subscriber.made(KeepSubscription(subscription_id=subscribed.id))

        assert (kept.plan_id, kept.pending_plan_id) == (subscribed.plan_id, None)
        assert at_stripe(sandbox, kept)["pending_update"] is None
