"""The whole life of a subscription of which no webhook ever tells, brought home by two intervals at each step."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from domain.access import AccessReason
from domain.commands.subscriptions.change_plan import ChangePlan
from domain.commands.subscriptions.ending import CancelSubscription
from domain.invoice import InvoiceStatus
from domain.payment_status import PaymentStatus
from domain.subscription import Subscription
from domain.subscription_status import SubscriptionStatus
from processor.stripe_invoice_shapes import INVOICE_STATUS, instant, moment
from processor.stripe_shapes import outcome_of_intent
from sandbox import Sandbox
from tests.dashboard import Dashboard
from tests.domain.reconciliation.intervals import Intervals
from tests.domain.subscriptions.subscribing import Subscriber, at_stripe

BROKE = "pm_card_chargeCustomerFail"
WATCHED = "films"


@dataclass(kw_only=True)
class Life:
    subscriber: Subscriber
    dashboard: Dashboard
    intervals: Intervals
    sandbox: Sandbox
    subscription_id: UUID

    async def two_intervals_pass(self) -> Subscription:
        await self.intervals.passes()
        await self.intervals.passes()
        return await self.subscriber.subscription(self.subscription_id)

    async def stands(self, status: SubscriptionStatus, access: AccessReason) -> Subscription:
        """As Stripe has it: the subscription, every invoice of it, and every payment of these."""
        subscription = await self.two_intervals_pass()
        there = at_stripe(self.sandbox, subscription)
        [item] = there["items"]["data"]
        plan = next(each for each in await self.dashboard.plans() if each.id == subscription.plan_id)
        assert subscription.status is status
        assert (await self.subscriber.access(WATCHED)).reason is access
        assert plan.processor_price_id == item["price"]["id"]
        assert subscription.current_period_start == instant(item["current_period_start"])
        assert subscription.current_period_end == instant(item["current_period_end"])
        assert subscription.cancel_at_period_end is there["cancel_at_period_end"]
        assert subscription.cancelled_at == moment(there["canceled_at"])
        assert await self.invoices() == self.invoices_at_stripe()
        assert await self.payments() == self.payments_at_stripe()
        return subscription

    async def invoices(self) -> dict[str, Any]:
        subscription = await self.subscriber.subscription(self.subscription_id)
        return {
            each.processor_invoice_id: (each.status, each.amount_paid, each.attempt_count)
            for each in await self.dashboard.invoices(subscription)
        }

    def invoices_at_stripe(self) -> dict[str, Any]:
        return {
            each["id"]: (INVOICE_STATUS[each["status"]], each["amount_paid"], each["attempt_count"])
            for each in self.sandbox.objects.all("invoice")
        }

    async def payments(self) -> dict[str, Any]:
        subscription = await self.subscriber.subscription(self.subscription_id)
        return {
            each.processor_payment_id or "": (each.status, each.captured_amount)
            for each in await self.dashboard.payments(subscription)
        }

    def payments_at_stripe(self) -> dict[str, Any]:
        outcomes = [outcome_of_intent(each) for each in self.sandbox.objects.all("payment_intent")]
        return {each.processor_payment_id or "": (each.status, each.captured_amount) for each in outcomes}


@pytest.fixture
async def life(subscriber: Subscriber, dashboard: Dashboard, intervals: Intervals, sandbox: Sandbox) -> Life:
    """Subscribed past the gateway, so that nothing but reconciliation can have told it."""
    price = await dashboard.sells()
    customer = await dashboard.customer_of(subscriber.actor)
    made = await dashboard.subscribes(customer, price)
    await intervals.passes()
    return Life(
        subscriber=subscriber,
        dashboard=dashboard,
        intervals=intervals,
        sandbox=sandbox,
        subscription_id=(await dashboard.subscription(made.id)).id,
    )


class TestLifeWithoutWebhooks:
    async def test_is_followed_from_the_start_to_the_end(self, life: Life) -> None:
        await self.it_begins(life)
        await self.it_is_renewed(life)
        await self.a_renewal_fails(life)
        await self.it_is_recovered(life)
        await self.the_plan_changes(life)
        await self.it_is_cancelled_and_ends(life)

    async def test_is_followed_until_it_expires(self, life: Life) -> None:
        await self.it_begins(life)
        await self.a_renewal_fails(life)

        life.dashboard.passes(40)

        expired = await life.stands(SubscriptionStatus.EXPIRED, AccessReason.SUBSCRIPTION_ENDED)
        assert expired.ended_at is not None

    async def it_begins(self, life: Life) -> None:
        await life.stands(SubscriptionStatus.ACTIVE, AccessReason.SUBSCRIBED)

    async def it_is_renewed(self, life: Life) -> None:
        life.dashboard.passes(32)

        await life.stands(SubscriptionStatus.ACTIVE, AccessReason.SUBSCRIBED)
        assert [each[0] for each in (await life.invoices()).values()] == [InvoiceStatus.PAID] * 2

    async def a_renewal_fails(self, life: Life) -> None:
        subscription = await life.subscriber.subscription(life.subscription_id)
        await life.dashboard.gives_card(subscription.processor_customer_id, BROKE)
        left = subscription.current_period_end - life.dashboard.now()
        life.dashboard.passes(left.total_seconds() / 86_400 + 0.1)

        await life.stands(SubscriptionStatus.PAST_DUE, AccessReason.GRACE_PERIOD)
        assert next(iter((await life.payments()).values()))[0] is PaymentStatus.COMPLETED
        assert list((await life.payments()).values())[-1][0] is PaymentStatus.FAILED

    async def it_is_recovered(self, life: Life) -> None:
        subscription = await life.subscriber.subscription(life.subscription_id)
        await life.dashboard.gives_card(subscription.processor_customer_id, "pm_card_mastercard")
        life.dashboard.passes(5)

        await life.stands(SubscriptionStatus.ACTIVE, AccessReason.SUBSCRIBED)

    async def the_plan_changes(self, life: Life) -> None:
        dearer = await life.subscriber.plan(3000)

        await life.subscriber.does(ChangePlan(subscription_id=life.subscription_id, plan_id=dearer))

        changed = await life.stands(SubscriptionStatus.ACTIVE, AccessReason.SUBSCRIBED)
        assert changed.plan_id == dearer

    async def it_is_cancelled_and_ends(self, life: Life) -> None:
        await life.subscriber.does(CancelSubscription(subscription_id=life.subscription_id))
        await life.stands(SubscriptionStatus.ACTIVE, AccessReason.SUBSCRIBED)
        life.dashboard.passes(33)

        await life.stands(SubscriptionStatus.CANCELLED, AccessReason.SUBSCRIPTION_ENDED)
