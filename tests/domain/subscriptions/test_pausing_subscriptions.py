from datetime import timedelta

import pytest

from domain.commands.subscriptions.change_plan import ChangePlan
from domain.commands.subscriptions.pausing import PauseSubscription, ResumeSubscription
from domain.errors import InvalidInput, StateConflict
from domain.subscription import Subscription
from domain.subscription_status import SubscriptionAction, SubscriptionStatus
from sandbox import Sandbox
from tests.dashboard import Dashboard
from tests.domain.shopping import Post, captures
from tests.domain.subscriptions.subscribing import Subscriber


@pytest.fixture
async def subscribed(subscriber: Subscriber) -> Subscription:
    await subscriber.saves()
    return await subscriber.subscribes(await subscriber.plan())


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
