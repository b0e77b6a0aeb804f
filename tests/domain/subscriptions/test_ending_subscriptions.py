from datetime import timedelta

import pytest

from domain.commands.subscriptions.ending import CancelSubscription, KeepSubscription
from domain.errors import NotFound, StateConflict
from domain.invoice import InvoiceStatus
from domain.operation import ObjectKind
from domain.subscription import CancelReason, CancelTiming, Subscription
from domain.subscription_status import SubscriptionAction, SubscriptionStatus
from sandbox import Sandbox
from tests.dashboard import Dashboard
from tests.domain.shopping import Post, captures
from tests.domain.subscriptions.subscribing import Subscriber, at_stripe, live_at_stripe


class TestCancelSubscription:
    async def test_ends_it_with_the_period_that_is_paid(
        self, subscriber: Subscriber, subscribed: Subscription, dashboard: Dashboard, post: Post
    ) -> None:
        ending = await subscriber.made(CancelSubscription(subscription_id=subscribed.id))

        assert (ending.status, ending.cancel_at_period_end) == (SubscriptionStatus.ACTIVE, True)
        assert ending.ends_at == subscribed.current_period_end
        assert not ending.will_charge_again
        assert SubscriptionAction.KEEP in ending.actions
        dashboard.passes(32)
        await post.deliver_all()
        over = await subscriber.subscription(subscribed.id)
        assert (over.status, over.ended_at) == (SubscriptionStatus.CANCELLED, subscribed.current_period_end)

    async def test_ends_it_now(
        self, subscriber: Subscriber, subscribed: Subscription, sandbox: Sandbox, dashboard: Dashboard
    ) -> None:
        over = await subscriber.made(
            CancelSubscription(subscription_id=subscribed.id, timing=CancelTiming.NOW)
        )

        assert (over.status, over.actions) == (SubscriptionStatus.CANCELLED, ())
        assert over.ended_at is not None
        assert live_at_stripe(sandbox) == []
        dashboard.passes(70)
        assert captures(sandbox) == 1

    async def test_keeps_the_reason_and_what_was_said(
        self, subscriber: Subscriber, subscribed: Subscription, sandbox: Sandbox
    ) -> None:
        command = CancelSubscription(
            subscription_id=subscribed.id, reason=CancelReason.MISSING_CONTENT, comment="No films."
        )

        ending = await subscriber.made(command)

        assert ending.cancel_reason is CancelReason.MISSING_CONTENT
        assert at_stripe(sandbox, ending)["cancellation_details"]["feedback"] == "missing_features"
        async with subscriber.gateway.services.database.reads() as reads:
            trail = await reads.audit.of_object(ObjectKind.SUBSCRIPTION, ending.id)
        assert [record.note for record in trail if "cancelling" in record.action] == ["No films."]

    async def test_ends_retries_and_voids_what_is_owed(
        self, subscriber: Subscriber, overdue: Subscription, sandbox: Sandbox, dashboard: Dashboard
    ) -> None:
        over = await subscriber.made(CancelSubscription(subscription_id=overdue.id))

        assert over.status is SubscriptionStatus.CANCELLED
        assert not over.will_charge_again
        assert (await subscriber.invoice(over)).status is InvoiceStatus.VOID
        await dashboard.gives_card(over.processor_customer_id, "pm_card_visa")
        dashboard.passes(60)
        assert captures(sandbox) == 1

    async def test_during_a_trial_ends_it_with_that(self, subscriber: Subscriber, sandbox: Sandbox) -> None:
        await subscriber.saves()
        plan = await subscriber.plan(recurring={"interval": "month", "trial_period_days": 14})
        trying = await subscriber.subscribes(plan)

        ending = await subscriber.made(CancelSubscription(subscription_id=trying.id))

        assert ending.ends_at == trying.trial_ends_at
        sandbox.advance(timedelta(days=60).total_seconds())
        assert captures(sandbox) == 0

    async def test_that_is_incomplete_expires_it(self, subscriber: Subscriber, sandbox: Sandbox) -> None:
        await subscriber.saves("pm_card_chargeCustomerFail")
        incomplete = await subscriber.subscribes(await subscriber.plan())

        over = await subscriber.made(CancelSubscription(subscription_id=incomplete.id))

        assert over.status is SubscriptionStatus.EXPIRED
        assert live_at_stripe(sandbox) == []

    async def test_twice_is_a_conflict(self, subscriber: Subscriber, subscribed: Subscription) -> None:
        await subscriber.made(CancelSubscription(subscription_id=subscribed.id))

        with pytest.raises(StateConflict, match="already") as refusal:
            await subscriber.made(CancelSubscription(subscription_id=subscribed.id))

        assert SubscriptionAction.KEEP in refusal.value.allowed

    async def test_now_after_all_ends_it_early(
        self, subscriber: Subscriber, subscribed: Subscription
    ) -> None:
        await subscriber.made(CancelSubscription(subscription_id=subscribed.id))

        over = await subscriber.made(
            CancelSubscription(subscription_id=subscribed.id, timing=CancelTiming.NOW)
        )

        assert over.status is SubscriptionStatus.CANCELLED

    async def test_of_what_is_over_is_a_conflict(
        self, subscriber: Subscriber, subscribed: Subscription
    ) -> None:
        command = CancelSubscription(subscription_id=subscribed.id, timing=CancelTiming.NOW)
        await subscriber.made(command)

        with pytest.raises(StateConflict) as refusal:
            await subscriber.made(command)

        assert (refusal.value.current, refusal.value.allowed) == (SubscriptionStatus.CANCELLED, ())

    async def test_that_stripe_has_ended_already_is_no_error(
        self, subscriber: Subscriber, subscribed: Subscription, dashboard: Dashboard
    ) -> None:
        await dashboard.client.v1.subscriptions.cancel_async(subscribed.processor_subscription_id or "")

        over = await subscriber.made(
            CancelSubscription(subscription_id=subscribed.id, timing=CancelTiming.NOW)
        )

        assert over.status is SubscriptionStatus.CANCELLED

    async def test_of_another_users_finds_none(self, other: Subscriber, subscribed: Subscription) -> None:
        with pytest.raises(NotFound):
            await other.made(CancelSubscription(subscription_id=subscribed.id))

    async def test_leaves_room_for_a_new_one(self, subscriber: Subscriber, subscribed: Subscription) -> None:
        await subscriber.made(CancelSubscription(subscription_id=subscribed.id, timing=CancelTiming.NOW))

        again = await subscriber.subscribes(subscribed.plan_id)

        assert (again.status, again.id == subscribed.id) == (SubscriptionStatus.ACTIVE, False)


class TestKeepSubscription:
    async def test_takes_the_planned_end_back(
        self,
        subscriber: Subscriber,
        subscribed: Subscription,
        dashboard: Dashboard,
        sandbox: Sandbox,
        post: Post,
    ) -> None:
        await subscriber.made(CancelSubscription(subscription_id=subscribed.id))

        kept = await subscriber.made(KeepSubscription(subscription_id=subscribed.id))

        assert (kept.ends_at, kept.cancel_reason) == (None, None)
        assert SubscriptionAction.KEEP not in kept.actions
        dashboard.passes(32)
        await post.deliver_all()
        assert (await subscriber.subscription(kept.id)).status is SubscriptionStatus.ACTIVE
        assert captures(sandbox) == 2

    async def test_of_what_goes_on_anyway_is_a_conflict(
        self, subscriber: Subscriber, subscribed: Subscription
    ) -> None:
        with pytest.raises(StateConflict):
            await subscriber.made(KeepSubscription(subscription_id=subscribed.id))


class TestPreviewedCancellation:
    async def test_tells_when_it_ends(self, subscriber: Subscriber, subscribed: Subscription) -> None:
        previews = subscriber.gateway.services.previews

        preview = await previews.cancellation(subscriber.actor, subscribed.id, CancelTiming.PERIOD_END)

        assert preview.ends_access_at == subscribed.current_period_end
        assert (preview.stops_retries, preview.voids, preview.refund) == (False, None, None)

    async def test_tells_what_is_owed_no_more(self, subscriber: Subscriber, overdue: Subscription) -> None:
        previews, now = subscriber.gateway.services.previews, subscriber.gateway.services.clock()

        preview = await previews.cancellation(subscriber.actor, overdue.id, CancelTiming.PERIOD_END)

        assert preview.ends_access_at - now < timedelta(minutes=1)
        assert preview.stops_retries
        assert preview.voids is not None
        assert (preview.voids.minor, preview.voids.currency) == (1500, "USD")

    async def test_of_another_users_finds_none(self, other: Subscriber, subscribed: Subscription) -> None:
        with pytest.raises(NotFound):
            await other.gateway.services.previews.cancellation(other.actor, subscribed.id, CancelTiming.NOW)
