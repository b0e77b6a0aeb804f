from datetime import timedelta
from typing import Any, cast

import pytest
from sqlalchemy import text

from domain.access import AccessQuestion, AccessReason, AccessTarget
from domain.access_decision import AccessDecision
from domain.charge_preview import ChangeTiming
from domain.commands.subscriptions.change_plan import ChangePlan
from domain.commands.subscriptions.ending import CancelSubscription
from domain.commands.subscriptions.pausing import PauseSubscription, ResumeSubscription
from domain.commands.subscriptions.retry_renewal import RetryRenewal
from domain.errors import Declined, InvalidInput, StateConflict
from domain.operation import OperationState
from domain.payment_status import PaymentStatus
from domain.subscription import CancelTiming, Subscription
from domain.subscription_status import SubscriptionAction, SubscriptionStatus
from sandbox import Sandbox
from tests.dashboard import Dashboard
from tests.domain.shopping import Post, captures
from tests.domain.subscriptions.subscribing import Subscriber, at_stripe


class TestPauseSubscription:
    async def test_collects_nothing_until_it_is_resumed(
        self, subscriber: Subscriber, subscribed: Subscription, dashboard: Dashboard, sandbox: Sandbox
    ) -> None:
        paused = await subscriber.made(PauseSubscription(subscription_id=subscribed.id))

        assert (paused.status, paused.paused_until) == (SubscriptionStatus.PAUSED, None)
        assert not paused.will_renew
        assert SubscriptionAction.RESUME in paused.actions
        dashboard.passes(65)
        assert captures(sandbox) == 1

    async def test_ends_by_itself_at_that_time(
        self,
        subscriber: Subscriber,
        subscribed: Subscription,
        dashboard: Dashboard,
        sandbox: Sandbox,
        post: Post,
    ) -> None:
        until = subscribed.created_at + timedelta(days=40)

        paused = await subscriber.made(PauseSubscription(subscription_id=subscribed.id, resumes_at=until))

        assert paused.paused_until == until
        dashboard.passes(65)
        await post.deliver_all()
        assert (await subscriber.subscription(subscribed.id)).status is SubscriptionStatus.ACTIVE
        assert captures(sandbox) == 2

    async def test_that_ends_by_itself_in_an_unpaid_period_begins_one_that_is_paid_once(
        self,
        subscriber: Subscriber,
        subscribed: Subscription,
        dashboard: Dashboard,
        sandbox: Sandbox,
        post: Post,
    ) -> None:
        until = subscribed.created_at + timedelta(days=40)
        await subscriber.made(PauseSubscription(subscription_id=subscribed.id, resumes_at=until))
        dashboard.passes(41)
        await post.deliver_all()
        assert await jobs(subscriber, "begin_period") == 1

        for _ in range(2):
            await subscriber.gateway.subscriptions.begin_period(subscribed.id)

        resumed = await subscriber.subscription(subscribed.id)
        assert resumed.status is SubscriptionStatus.ACTIVE
        assert dashboard.now() - resumed.current_period_start < timedelta(minutes=1)
        assert (await decision(subscriber)).reason is AccessReason.SUBSCRIBED
        assert captures(sandbox) == 2

    @pytest.mark.parametrize(("ends_after", "timing"), [(10, None), (40, CancelTiming.PERIOD_END)])
    async def test_that_ends_by_itself_charges_nothing_where_nothing_is_to_be_paid(
        self,
        subscriber: Subscriber,
        subscribed: Subscription,
        dashboard: Dashboard,
        post: Post,
        ends_after: int,
        timing: CancelTiming | None,
    ) -> None:
        until = subscribed.created_at + timedelta(days=ends_after)
        await subscriber.made(PauseSubscription(subscription_id=subscribed.id, resumes_at=until))
        dashboard.passes(ends_after - 5)
        await post.deliver_all()
        if timing is not None:
            await subscriber.made(CancelSubscription(subscription_id=subscribed.id, timing=timing))
        dashboard.passes(6)

        await post.deliver_all()

        assert (await subscriber.subscription(subscribed.id)).status is SubscriptionStatus.ACTIVE
        assert await jobs(subscriber, "begin_period") == 0

    async def test_that_ends_by_itself_charges_nothing_where_it_is_cancelled_before_the_job_runs(
        self,
        subscriber: Subscriber,
        subscribed: Subscription,
        dashboard: Dashboard,
        post: Post,
        sandbox: Sandbox,
    ) -> None:
        until = subscribed.created_at + timedelta(days=40)
        await subscriber.made(PauseSubscription(subscription_id=subscribed.id, resumes_at=until))
        dashboard.passes(41)
        await post.deliver_all()
        await subscriber.made(CancelSubscription(subscription_id=subscribed.id))

        await subscriber.gateway.subscriptions.begin_period(subscribed.id)

        assert (await subscriber.subscription(subscribed.id)).cancel_at_period_end
        assert captures(sandbox) == 1

    async def test_cannot_end_in_the_past(self, subscriber: Subscriber, subscribed: Subscription) -> None:
        with pytest.raises(InvalidInput) as refusal:
            await subscriber.made(
                PauseSubscription(subscription_id=subscribed.id, resumes_at=subscribed.created_at)
            )

        assert refusal.value.path == ("resumes_at",)

    async def test_twice_is_a_conflict(self, subscriber: Subscriber, subscribed: Subscription) -> None:
        await subscriber.made(PauseSubscription(subscription_id=subscribed.id))

        with pytest.raises(StateConflict) as refusal:
            await subscriber.made(PauseSubscription(subscription_id=subscribed.id))

        assert refusal.value.current == SubscriptionStatus.PAUSED
        assert SubscriptionAction.RESUME in refusal.value.allowed

    @pytest.mark.parametrize("days", [150, 285])
    async def test_has_no_access_by_a_longer_period_that_was_credited(
        self, subscriber: Subscriber, dashboard: Dashboard, post: Post, days: int
    ) -> None:
        """The last of these days lies in the month in which the year would have ended."""
        await subscriber.saves()
        yearly = await subscriber.plan(12000, recurring={"interval": "year"})
        subscribed = await subscriber.subscribes(yearly)
        dashboard.passes(5)
        await subscriber.made(ChangePlan(subscription_id=subscribed.id, plan_id=await subscriber.plan(6000)))
        dashboard.passes(65)
        await post.deliver_all()

        paused = await subscriber.made(PauseSubscription(subscription_id=subscribed.id))
        dashboard.passes(days)
        await post.deliver_all()

        later = await subscriber.subscription(subscribed.id)
        assert later.status is SubscriptionStatus.PAUSED
        assert later.paid_through == paused.paid_through == paused.current_period_end
        assert not (await subscriber.access("films")).allowed

    async def test_after_the_merchant_has_moved_it_to_a_plan_unheard_of_learns_the_plan(
        self, subscriber: Subscriber, subscribed: Subscription, dashboard: Dashboard, sandbox: Sandbox
    ) -> None:
        [item] = at_stripe(sandbox, subscribed)["items"]["data"]
        price = await dashboard.sells(7700)
        there = subscribed.processor_subscription_id or ""
        moved = {"items": [{"id": item["id"], "price": price.id}]}
        await dashboard.client.v1.subscriptions.update_async(there, cast("Any", moved))

        executed = await subscriber.does(PauseSubscription(subscription_id=subscribed.id))
        await subscriber.gateway.subscriptions.reread(subscribed.id)

        assert executed.operation.state is OperationState.SUCCEEDED
        paused = await subscriber.of(executed)
        assert paused.status is SubscriptionStatus.PAUSED
        assert [plan.amount for plan in await dashboard.plans() if plan.id == paused.plan_id] == [7700]


class TestResumeSubscription:
    async def test_collects_again_from_the_next_renewal_on(
        self, subscriber: Subscriber, subscribed: Subscription, dashboard: Dashboard, sandbox: Sandbox
    ) -> None:
        await subscriber.made(PauseSubscription(subscription_id=subscribed.id))

        resumed = await subscriber.made(ResumeSubscription(subscription_id=subscribed.id))

        assert resumed.status is SubscriptionStatus.ACTIVE
        assert captures(sandbox) == 1
        dashboard.passes(32)
        assert captures(sandbox) == 2

    async def test_after_a_renewal_that_was_not_collected_begins_a_period_that_is_paid_at_once(
        self,
        subscriber: Subscriber,
        subscribed: Subscription,
        dashboard: Dashboard,
        post: Post,
        sandbox: Sandbox,
    ) -> None:
        await subscriber.made(PauseSubscription(subscription_id=subscribed.id))
        dashboard.passes(45)
        await post.deliver_all()
        assert (await decision(subscriber)).reason is AccessReason.SUBSCRIPTION_ENDED

        resumed = await subscriber.made(ResumeSubscription(subscription_id=subscribed.id))

        assert resumed.status is SubscriptionStatus.ACTIVE
        assert dashboard.now() - resumed.current_period_start < timedelta(minutes=1)
        assert (await subscriber.charge(resumed)).amount == 1500
        assert (await decision(subscriber)).reason is AccessReason.SUBSCRIBED
        assert captures(sandbox) == 2
        dashboard.passes(32)
        assert captures(sandbox) == 3

    async def test_while_a_renewal_is_still_to_be_collected_begins_no_other_period(
        self, subscriber: Subscriber, subscribed: Subscription, dashboard: Dashboard, sandbox: Sandbox
    ) -> None:
        await subscriber.made(PauseSubscription(subscription_id=subscribed.id))
        to_the_end = subscribed.current_period_end - dashboard.now()
        dashboard.passes((to_the_end + timedelta(minutes=30)) / timedelta(days=1))

        await subscriber.made(ResumeSubscription(subscription_id=subscribed.id))

        assert captures(sandbox) == 1
        dashboard.passes(1)
        assert captures(sandbox) == 2

    async def test_that_is_declined_owes_the_new_period(
        self, subscriber: Subscriber, subscribed: Subscription, dashboard: Dashboard, sandbox: Sandbox
    ) -> None:
        await subscriber.saves("pm_card_chargeCustomerFail", makes_default=True)
        await subscriber.made(PauseSubscription(subscription_id=subscribed.id))
        dashboard.passes(45)

        executed = await subscriber.does(ResumeSubscription(subscription_id=subscribed.id))

        owed = await subscriber.of(executed)
        assert isinstance(executed.operation.verdict, Declined)
        assert (owed.status, captures(sandbox)) == (SubscriptionStatus.PAST_DUE, 1)
        good = await subscriber.saves("pm_card_mastercard")
        paid = await subscriber.made(RetryRenewal(subscription_id=owed.id, payment_method_id=good))
        assert (paid.status, captures(sandbox)) == (SubscriptionStatus.ACTIVE, 2)

    async def test_pays_for_the_plan_that_was_to_follow(
        self, subscriber: Subscriber, subscribed: Subscription, dashboard: Dashboard, post: Post
    ) -> None:
        plan = await subscriber.plan(3000)
        await subscriber.made(
            ChangePlan(subscription_id=subscribed.id, plan_id=plan, timing=ChangeTiming.PERIOD_END)
        )
        await subscriber.made(PauseSubscription(subscription_id=subscribed.id))
        dashboard.passes(45)
        await post.deliver_all()

        resumed = await subscriber.made(ResumeSubscription(subscription_id=subscribed.id))

        charge = await subscriber.charge(resumed)
        assert (resumed.plan_id, charge.amount, charge.status) == (plan, 3000, PaymentStatus.COMPLETED)

    async def test_begins_a_new_period_after_a_trial_without_a_card(
        self, subscriber: Subscriber, dashboard: Dashboard, post: Post, sandbox: Sandbox
    ) -> None:
        account = await subscriber.gateway.services.customers.with_customer(
            subscriber.actor.known_id, by=subscriber.actor
        )
        made = await dashboard.subscribes(
            account.customer_id,
            await dashboard.sells(),
            trial_period_days=7,
            trial_settings={"end_behavior": {"missing_payment_method": "pause"}},
        )
        dashboard.passes(8)
        await post.deliver_all()
        paused = await dashboard.subscription(made.id)
        await subscriber.saves()

        resumed = await subscriber.made(ResumeSubscription(subscription_id=paused.id))

        assert (paused.status, resumed.status) == (SubscriptionStatus.PAUSED, SubscriptionStatus.ACTIVE)
        assert captures(sandbox) == 1

    async def test_of_what_is_not_paused_is_a_conflict(
        self, subscriber: Subscriber, subscribed: Subscription
    ) -> None:
        with pytest.raises(StateConflict) as refusal:
            await subscriber.made(ResumeSubscription(subscription_id=subscribed.id))

        assert SubscriptionAction.PAUSE in refusal.value.allowed


async def decision(subscriber: Subscriber) -> AccessDecision:
    question = AccessQuestion(user_id=subscriber.actor.known_id, target=AccessTarget(feature="films"))
    [decided] = await subscriber.gateway.services.access.decisions([question])
    return decided


async def jobs(subscriber: Subscriber, name: str) -> int:
    async with subscriber.gateway.engine.connect() as connection:
        waiting = text("SELECT count(*) FROM pgqueuer WHERE entrypoint = :name")
        return await connection.scalar(waiting, {"name": name}) or 0
