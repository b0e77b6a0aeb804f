"""Stripe failing in every way it can while a subscription is made, changed or paid: one subscription, one charge."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from domain.charge_preview import ChangeTiming, Proration
from domain.commands.subscriptions.change_plan import ChangePlan
from domain.commands.subscriptions.create_subscription import CreateSubscription
from domain.commands.subscriptions.ending import CancelSubscription
from domain.commands.subscriptions.pausing import PauseSubscription, ResumeSubscription
from domain.commands.subscriptions.retry_renewal import RetryRenewal
from domain.commands.subscriptions.update_subscription import UpdateSubscription
from domain.decline import DeclineCategory
from domain.errors import Busy, Declined, ProcessorUnavailable
from domain.json_value import JsonObject
from domain.operation import Operation, OperationState
from domain.subscription import CancelTiming, Subscription, SubscriptionFacts
from domain.subscription_status import SubscriptionStatus
from gateway.wiring import Gateway
from sandbox import Sandbox
from sandbox.control.faults import Kind
from tests.dashboard import Dashboard
from tests.domain.faults import EXECUTED, KINDS, resumed_later, spoil
from tests.domain.shopping import Post, captures
from tests.domain.subscriptions.subscribing import Subscriber, at_stripe, live_at_stripe
from tests.watched_processor import WatchedProcessor

KEY = "subscribe-17"
CREATION = "/v1/subscriptions$"
UPDATE = "/v1/subscriptions/sub_"
PAYMENT = "/v1/invoices/.*/pay$"

pytestmark = pytest.mark.usefixtures("impatient")

Settles = Callable[[Subscriber, Any], Awaitable[Operation]]


async def by_asking_again(subscriber: Subscriber, command: Any) -> Operation:
    """The caller's, after the pause that was asked for."""
    commands = subscriber.gateway.services.commands
    moment = commands.clock() + timedelta(minutes=1)
    later = replace(commands, clock=lambda: moment)
    return (await later.execute(subscriber.actor, command, key=KEY)).operation


async def by_the_worker(subscriber: Subscriber, command: Any) -> Operation:
    await resumed_later(subscriber.gateway)
    return await subscriber.operation(command.mutation, KEY)


SETTLED = pytest.mark.parametrize("settles", [by_asking_again, by_the_worker])


async def failed(subscriber: Subscriber, command: Any) -> None:
    """Asked for in vain: nobody knows what became of it."""
    operation = (await subscriber.does(command, key=KEY)).operation
    assert operation.state is OperationState.OUTCOME_UNKNOWN
    assert isinstance(operation.verdict, ProcessorUnavailable)


class TestUnknownCreation:
    @SETTLED
    @pytest.mark.parametrize("kind", KINDS)
    async def test_ends_in_one_subscription_and_one_charge(
        self, subscriber: Subscriber, sandbox: Sandbox, kind: Kind, settles: Settles
    ) -> None:
        await subscriber.saves()
        command = CreateSubscription(plan_id=await subscriber.plan())
        spoil(sandbox, CREATION, kind)
        await failed(subscriber, command)
        sandbox.faults.clear()

        operation = await settles(subscriber, command)

        if kind is Kind.ERROR_BEFORE and operation.state is OperationState.OUTCOME_UNKNOWN:
            assert live_at_stripe(sandbox) == []  # Stripe repeats an error that it has stored under a key.
            return
        assert operation.state is OperationState.SUCCEEDED
        assert (await subscriber.subscription(operation.subject)).status is SubscriptionStatus.ACTIVE
        assert len(live_at_stripe(sandbox)) == 1
        assert captures(sandbox) == 1

    async def test_that_never_happened_gives_the_plan_and_the_trial_free_after_a_day(
        self, subscriber: Subscriber, sandbox: Sandbox
    ) -> None:
        await subscriber.saves()
        plan = await subscriber.plan(recurring={"interval": "month", "trial_period_days": 7})
        spoil(sandbox, CREATION, Kind.ERROR_BEFORE)
        await failed(subscriber, CreateSubscription(plan_id=plan))
        sandbox.faults.clear()

        commands = subscriber.gateway.services.commands
        tomorrow = commands.clock() + timedelta(hours=25)
        await replace(commands, clock=lambda: tomorrow).resume_abandoned()

        operation = await subscriber.operation("createSubscription", KEY)
        assert operation.state is OperationState.FAILED
        assert (await subscriber.subscription(operation.subject)).status is SubscriptionStatus.EXPIRED
        assert (await subscriber.subscribes(plan)).status is SubscriptionStatus.TRIALING

    async def test_that_news_tells_of_first_is_settled_once(
        self, subscriber: Subscriber, sandbox: Sandbox, post: Post, gateway: Gateway
    ) -> None:
        await subscriber.saves()
        spoil(sandbox, CREATION, Kind.RESET_AFTER)
        await failed(subscriber, CreateSubscription(plan_id=await subscriber.plan()))
        sandbox.faults.clear()

        await post.deliver_all()
        known = await subscriber.operation("createSubscription", KEY)
        assert (await subscriber.subscription(known.subject)).status is SubscriptionStatus.ACTIVE
        await resumed_later(gateway)

        assert (await subscriber.operation("createSubscription", KEY)).state is OperationState.SUCCEEDED
        assert captures(sandbox) == 1

    async def test_keeps_other_commands_off_the_subscription(
        self, subscriber: Subscriber, sandbox: Sandbox, post: Post
    ) -> None:
        await subscriber.saves()
        spoil(sandbox, CREATION, Kind.RESET_AFTER)
        await failed(subscriber, CreateSubscription(plan_id=await subscriber.plan()))
        sandbox.faults.clear()
        await post.deliver_all()
        subscription = (await subscriber.operation("createSubscription", KEY)).subject

        with pytest.raises(Busy):
            await subscriber.does(CancelSubscription(subscription_id=subscription))


class TestUnknownChange:
    @SETTLED
    @pytest.mark.parametrize("kind", EXECUTED)
    async def test_is_charged_once_and_at_what_was_shown(
        self,
        subscriber: Subscriber,
        subscribed: Subscription,
        dashboard: Dashboard,
        sandbox: Sandbox,
        kind: Kind,
        settles: Settles,
    ) -> None:
        dashboard.passes(10)
        dearer = await subscriber.plan(3000)
        preview = await subscriber.gateway.services.previews.plan_change(
            subscriber.actor, subscribed.id, dearer, ChangeTiming.NOW, Proration.INVOICE_NOW
        )
        command = ChangePlan(
            subscription_id=subscribed.id,
            plan_id=dearer,
            proration=Proration.INVOICE_NOW,
            preview_id=preview.id,
        )
        spoil(sandbox, UPDATE, kind)
        await failed(subscriber, command)
        sandbox.faults.clear()

        operation = await settles(subscriber, command)

        assert operation.state is OperationState.SUCCEEDED
        assert (await subscriber.subscription(subscribed.id)).plan_id == dearer
        assert captures(sandbox) == 2
        assert sandbox.ledger()["totals"]["amount_captured"] == {"usd": 1500 + preview.due_now}

    @SETTLED
    @pytest.mark.parametrize("is_told_of_first", [False, True])
    async def test_keeps_which_payment_was_its_own(
        self,
        subscriber: Subscriber,
        subscribed: Subscription,
        post: Post,
        sandbox: Sandbox,
        settles: Settles,
        is_told_of_first: bool,
    ) -> None:
        command = ChangePlan(subscription_id=subscribed.id, plan_id=await subscriber.plan(3000))
        spoil(sandbox, UPDATE, Kind.RESET_AFTER)
        await failed(subscriber, command)
        sandbox.faults.clear()
        if is_told_of_first:
            await post.deliver_all()

        operation = await settles(subscriber, command)

        charge = at_stripe(sandbox, subscribed)["latest_invoice"]
        [paid_by] = [each for each in sandbox.objects.all("invoice_payment") if each["invoice"] == charge]
        assert operation.processor_payment_id == paid_by["payment"]["payment_intent"]

    @SETTLED
    async def test_that_charged_nothing_claims_no_earlier_payment(
        self, subscriber: Subscriber, subscribed: Subscription, sandbox: Sandbox, settles: Settles
    ) -> None:
        await subscriber.does(ChangePlan(subscription_id=subscribed.id, plan_id=await subscriber.plan(3000)))
        cheaper = ChangePlan(subscription_id=subscribed.id, plan_id=await subscriber.plan(900))
        spoil(sandbox, UPDATE, Kind.RESET_AFTER)
        await failed(subscriber, cheaper)
        sandbox.faults.clear()

        operation = await settles(subscriber, cheaper)

        assert operation.state is OperationState.SUCCEEDED
        assert operation.processor_payment_id is None

    @SETTLED
    async def test_of_a_trial_costs_nothing_although_it_is_made_after_the_trial(
        self,
        subscriber: Subscriber,
        dashboard: Dashboard,
        post: Post,
        sandbox: Sandbox,
        settles: Settles,
    ) -> None:
        await subscriber.saves()
        monthly = {"interval": "month", "trial_period_days": 14}
        trying = await subscriber.subscribes(await subscriber.plan(recurring=monthly))
        dearer = await subscriber.plan(3000)
        dashboard.passes(13.9)
        command = ChangePlan(subscription_id=trying.id, plan_id=dearer)
        spoil(sandbox, UPDATE, Kind.RESET_BEFORE)
        await failed(subscriber, command)
        sandbox.faults.clear()
        dashboard.passes(0.3)
        await post.deliver(*post.events())

        operation = await settles(subscriber, command)

        assert operation.state is OperationState.SUCCEEDED
        changed = await subscriber.subscription(trying.id)
        assert (changed.plan_id, changed.status) == (dearer, SubscriptionStatus.ACTIVE)
        assert sandbox.ledger()["totals"]["amount_captured"] == {"usd": 1500}

    @SETTLED
    @pytest.mark.parametrize("kind", EXECUTED)
    async def test_that_was_declined_is_reverted_after_all(
        self,
        subscriber: Subscriber,
        subscribed: Subscription,
        sandbox: Sandbox,
        kind: Kind,
        settles: Settles,
    ) -> None:
        command = await self.declined_change(subscriber, subscribed)
        spoil(sandbox, UPDATE, kind)
        await failed(subscriber, command)
        sandbox.faults.clear()

        operation = await settles(subscriber, command)

        assert isinstance(operation.verdict, Declined)
        assert (await subscriber.subscription(subscribed.id)).plan_id == subscribed.plan_id
        assert at_stripe(sandbox, subscribed)["pending_update"] is None

    @SETTLED
    @pytest.mark.parametrize("kind", [Kind.RESET_BEFORE, *EXECUTED])
    async def test_is_reverted_although_nobody_knows_whether_the_invoice_became_void(
        self,
        subscriber: Subscriber,
        subscribed: Subscription,
        sandbox: Sandbox,
        kind: Kind,
        settles: Settles,
    ) -> None:
        """Where it did, a further attempt may see that at once."""
        command = await self.declined_change(subscriber, subscribed)
        spoil(sandbox, "/v1/invoices/.*/void$", kind)
        await subscriber.does(command, key=KEY)
        sandbox.faults.clear()

        operation = await settles(subscriber, command)

        assert isinstance(operation.verdict, Declined)
        after = await subscriber.subscription(subscribed.id)
        assert (after.plan_id, after.pending_plan_id) == (subscribed.plan_id, None)
        assert captures(sandbox) == 1

    async def test_that_nobody_authenticated_in_time_was_not_made(
        self, subscriber: Subscriber, subscribed: Subscription, dashboard: Dashboard, sandbox: Sandbox
    ) -> None:
        command = await self.declined_change(subscriber, subscribed, "pm_card_authenticationRequired")
        spoil(sandbox, UPDATE, Kind.RESET_AFTER)
        await failed(subscriber, command)
        sandbox.faults.clear()
        dashboard.passes(23.5 / 24)

        operation = await by_asking_again(subscriber, command)

        assert isinstance(operation.verdict, Declined)
        assert operation.verdict.decline.category is DeclineCategory.AUTHENTICATION_REQUIRED
        after = await subscriber.subscription(subscribed.id)
        assert (after.plan_id, after.pending_plan_id) == (subscribed.plan_id, None)

    @pytest.mark.parametrize("kind", EXECUTED)
    async def test_with_the_next_period_is_planned_although_an_answer_got_lost(
        self, subscriber: Subscriber, subscribed: Subscription, sandbox: Sandbox, kind: Kind
    ) -> None:
        plan = await subscriber.plan(3000)
        spoil(sandbox, "/v1/subscription_schedules$", kind, times=1)

        executed = await subscriber.does(
            ChangePlan(subscription_id=subscribed.id, plan_id=plan, timing=ChangeTiming.PERIOD_END)
        )

        assert executed.operation.state is OperationState.SUCCEEDED
        assert (await subscriber.of(executed)).pending_plan_id == plan

    @SETTLED
    async def test_with_the_next_period_is_planned_in_the_end(
        self, subscriber: Subscriber, subscribed: Subscription, sandbox: Sandbox, settles: Settles
    ) -> None:
        plan = await subscriber.plan(3000)
        command = ChangePlan(subscription_id=subscribed.id, plan_id=plan, timing=ChangeTiming.PERIOD_END)
        spoil(sandbox, "/v1/subscription_schedules", Kind.RESET_AFTER)
        await failed(subscriber, command)
        sandbox.faults.clear()

        operation = await settles(subscriber, command)

        assert operation.state is OperationState.SUCCEEDED
        assert (await subscriber.subscription(subscribed.id)).pending_plan_id == plan

    async def declined_change(
        self, subscriber: Subscriber, subscribed: Subscription, card: str = "pm_card_chargeCustomerFail"
    ) -> ChangePlan:
        """One to a dearer plan, which the card does not pay for at once."""
        await subscriber.saves(card, makes_default=True)
        return ChangePlan(subscription_id=subscribed.id, plan_id=await subscriber.plan(3000))


class TestUnknownResumption:
    @SETTLED
    @pytest.mark.parametrize("kind", [Kind.RESET_BEFORE, *EXECUTED])
    async def test_begins_and_charges_one_period(
        self,
        subscriber: Subscriber,
        subscribed: Subscription,
        dashboard: Dashboard,
        sandbox: Sandbox,
        kind: Kind,
        settles: Settles,
    ) -> None:
        await subscriber.made(PauseSubscription(subscription_id=subscribed.id))
        dashboard.passes(45)
        command = ResumeSubscription(subscription_id=subscribed.id)
        spoil(sandbox, UPDATE, kind)
        await failed(subscriber, command)
        sandbox.faults.clear()

        operation = await settles(subscriber, command)

        assert operation.state is OperationState.SUCCEEDED
        assert (await subscriber.subscription(subscribed.id)).status is SubscriptionStatus.ACTIVE
        assert captures(sandbox) == 2


class TestUnknownUpdate:
    @SETTLED
    async def test_keeps_the_apps_own_data_for_when_it_is_settled(
        self, subscriber: Subscriber, subscribed: Subscription, sandbox: Sandbox, settles: Settles
    ) -> None:
        card = await subscriber.saves("pm_card_mastercard")
        details: JsonObject = {"seat": 4, "tags": ["a", None]}
        command = UpdateSubscription(subscription_id=subscribed.id, payment_method_id=card, details=details)
        spoil(sandbox, UPDATE, Kind.RESET_BEFORE)
        await failed(subscriber, command)
        assert (await subscriber.subscription(subscribed.id)).details == {}
        sandbox.faults.clear()

        operation = await settles(subscriber, command)

        assert operation.state is OperationState.SUCCEEDED
        updated = await subscriber.subscription(subscribed.id)
        assert (updated.details, updated.payment_method_id) == (details, card)


class TestUnknownRetry:
    @SETTLED
    @pytest.mark.parametrize("kind", EXECUTED)
    async def test_charges_once(
        self, subscriber: Subscriber, sandbox: Sandbox, kind: Kind, settles: Settles
    ) -> None:
        await subscriber.saves("pm_card_chargeCustomerFail")
        owed = await subscriber.subscribes(await subscriber.plan())
        command = RetryRenewal(subscription_id=owed.id, payment_method_id=await subscriber.saves())
        spoil(sandbox, PAYMENT, kind)
        await failed(subscriber, command)
        sandbox.faults.clear()

        operation = await settles(subscriber, command)

        assert operation.state is OperationState.SUCCEEDED
        assert (await subscriber.subscription(owed.id)).status is SubscriptionStatus.ACTIVE
        assert captures(sandbox) == 1

    @SETTLED
    @pytest.mark.parametrize("kind", EXECUTED)
    async def test_that_was_declined_is_told(
        self, subscriber: Subscriber, sandbox: Sandbox, kind: Kind, settles: Settles
    ) -> None:
        await subscriber.saves("pm_card_chargeCustomerFail")
        owed = await subscriber.subscribes(await subscriber.plan())
        command = RetryRenewal(subscription_id=owed.id)
        spoil(sandbox, PAYMENT, kind)
        await failed(subscriber, command)
        sandbox.faults.clear()

        operation = await settles(subscriber, command)

        assert isinstance(operation.verdict, Declined)
        assert captures(sandbox) == 0


class TestUnknownCancellation:
    @SETTLED
    @pytest.mark.parametrize("kind", KINDS)
    async def test_ends_it(
        self,
        subscriber: Subscriber,
        subscribed: Subscription,
        sandbox: Sandbox,
        kind: Kind,
        settles: Settles,
    ) -> None:
        """Where it was carried out, a further attempt may see that at once."""
        command = CancelSubscription(subscription_id=subscribed.id, timing=CancelTiming.NOW)
        spoil(sandbox, UPDATE, kind, method="DELETE")
        await subscriber.does(command, key=KEY)
        sandbox.faults.clear()

        operation = await settles(subscriber, command)

        assert operation.state is OperationState.SUCCEEDED
        assert (await subscriber.subscription(subscribed.id)).status is SubscriptionStatus.CANCELLED
        assert live_at_stripe(sandbox) == []


class OutrunProcessor(WatchedProcessor):
    """Between Stripe's answer and our writing it down, the subscription changes and news of that is applied."""

    meanwhile: Callable[[], Awaitable[None]]

    async def pause_subscription(
        self, subscription: Subscription, *, until: datetime | None
    ) -> SubscriptionFacts:
        facts = await super().pause_subscription(subscription, until=until)
        await self.meanwhile()
        return facts


class TestOutrunAnswer:
    async def test_leaves_newer_news_alone_and_has_it_read_once_more(
        self,
        subscriber: Subscriber,
        subscribed: Subscription,
        dashboard: Dashboard,
        post: Post,
        gateway: Gateway,
    ) -> None:
        async def is_resumed_elsewhere() -> None:
            there = subscribed.processor_subscription_id or ""
            await dashboard.client.v1.subscriptions.update_async(there, {"pause_collection": ""})
            await post.deliver_all()

        settings = gateway.settings
        processor = OutrunProcessor.connected(
            settings.stripe_secret_key.get_secret_value(), api_base=settings.stripe_api_base
        )
        processor.meanwhile = is_resumed_elsewhere
        outrun = replace(gateway.services.commands, processor=processor)

        await outrun.execute(subscriber.actor, PauseSubscription(subscription_id=subscribed.id))
        await processor.close()

        assert (await subscriber.subscription(subscribed.id)).status is SubscriptionStatus.ACTIVE
        async with gateway.engine.connect() as connection:
            asked = text("SELECT count(*) FROM pgqueuer WHERE entrypoint = 'reread_subscription'")
            assert await connection.scalar(asked) == 1
