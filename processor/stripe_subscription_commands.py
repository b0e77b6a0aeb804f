"""How subscriptions begin, change and are paid at Stripe: https://docs.stripe.com/api/subscriptions"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal

import stripe

from domain.charge_preview import Proration
from domain.decline import Decline
from domain.errors import Declined, ProcessorRefused
from domain.invoice import BillingReason, InvoiceStatus
from domain.plan import BillingInterval, Plan
from domain.portal_link import PortalLink
from domain.subscription import Subscription, SubscriptionFacts
from domain.subscription_outcome import SubscriptionOutcome
from processor.stripe_calls import call, error_body
from processor.stripe_client import shape, under
from processor.stripe_shapes import Shape, decline_of, expanded, identity
from processor.stripe_subscription_ends import ENDED, StripeSubscriptionEnds, known_id
from processor.stripe_subscriptions import WITH_SCHEDULE

if TYPE_CHECKING:
    from stripe import params as asked
    from stripe.params import SubscriptionScheduleUpdateParamsPhase as SchedulePhase
    from stripe.params.billing_portal import SessionCreateParams

PRORATION: Final[dict[Proration, Literal["create_prorations", "always_invoice", "none"]]] = {
    Proration.PRORATE: "create_prorations",
    Proration.INVOICE_NOW: "always_invoice",
    Proration.FULL_PRICE_NOW: "none",
    Proration.NONE: "none",
}
DATED: Final = frozenset({Proration.PRORATE, Proration.INVOICE_NOW})
"""Those that depend on the instant of the change."""
INTERVAL: Final[dict[BillingInterval, Literal["day", "week", "month", "year"]]] = {
    BillingInterval.DAY: "day",
    BillingInterval.WEEK: "week",
    BillingInterval.MONTH: "month",
    BillingInterval.YEAR: "year",
}
AWAITS_ACTION: Final = frozenset(
    {"invoice_payment_intent_requires_action", "subscription_payment_intent_requires_action"}
)
NOBODY_CAME: Final = "authentication_required"
IS_PAID: Final = "invoice_already_paid"
PORTAL_LINK_LASTS: Final = timedelta(minutes=5)
"""Unless it is opened: https://docs.stripe.com/api/customer_portal/sessions"""


class StripeSubscriptionCommands(StripeSubscriptionEnds):
    async def start_subscription(
        self,
        subscription: Subscription,
        plan: Plan,
        *,
        processor_method_id: str | None,
        trial_days: int,
        key: str,
    ) -> SubscriptionFacts:
        """https://docs.stripe.com/api/subscriptions/create"""
        params: asked.SubscriptionCreateParams = {
            "customer": subscription.processor_customer_id,
            "items": [{"price": plan.processor_price_id}],
            "payment_behavior": "allow_incomplete",
            "metadata": {"subscription_id": str(subscription.id), "user_id": str(subscription.user_id)},
            "expand": WITH_SCHEDULE,
        }
        if processor_method_id is not None:
            params["default_payment_method"] = processor_method_id
        if trial_days:
            params["trial_period_days"] = trial_days
        try:
            made = await call(lambda: self._stripe.subscriptions.create_async(params, under(key)))
        except stripe.CardError as declined:
            raise Declined(decline_of(error_body(declined))) from declined
        return await self._with_invoice(shape(made))

    async def change_plan(
        self,
        subscription: Subscription,
        plan: Plan,
        *,
        proration: Proration,
        reverts: bool,
        prorated_at: datetime | None,
        key: str,
    ) -> SubscriptionOutcome:
        """
        https://docs.stripe.com/billing/subscriptions/pending-updates

        The answer may be one that Stripe has stored under the key, so what counts is read after it.
        """
        await self._release(subscription.processor_schedule_id)
        params: asked.SubscriptionUpdateParams = {
            "items": [{"id": subscription.processor_item_id or "", "price": plan.processor_price_id}],
            "proration_behavior": PRORATION[proration],
            "payment_behavior": "pending_if_incomplete" if reverts else "allow_incomplete",
        }
        if proration is Proration.FULL_PRICE_NOW:
            params["billing_cycle_anchor"] = {"type": "now"}
        if prorated_at is not None and proration in DATED:
            params["proration_date"] = int(prorated_at.timestamp())
        subscription_id = known_id(subscription)
        try:
            await call(lambda: self._stripe.subscriptions.update_async(subscription_id, params, under(key)))
        except stripe.CardError as declined:
            raise Declined(decline_of(error_body(declined))) from declined
        return await self._after_change(await self._subscription(subscription_id), plan, reverts=reverts)

    async def find_plan_change(
        self, subscription: Subscription, plan: Plan, *, reverts: bool
    ) -> SubscriptionOutcome | None:
        current = await self._subscription(known_id(subscription))
        facts = await self._with_invoice(current)
        awaited = facts.pending_price_id if current.get("pending_update") else None
        if plan.processor_price_id not in {facts.processor_price_id, awaited}:
            return None
        return await self._after_change(current, plan, reverts=reverts)

    async def schedule_plan(self, subscription: Subscription, plan: Plan) -> SubscriptionFacts:
        """https://docs.stripe.com/billing/subscriptions/subscription-schedules"""
        subscription_id = known_id(subscription)
        running = await self._subscription(subscription_id)
        schedule = await self._schedule(running)
        params: asked.SubscriptionScheduleUpdateParams = {
            "end_behavior": "release",
            "proration_behavior": "none",
            "phases": [
                _as_before(_running_phase(schedule, subscription.current_period_end), running),
                _as_before(_coming_phase(plan), running),
            ],
        }
        schedule_id = schedule["id"]
        await call(lambda: self._stripe.subscription_schedules.update_async(schedule_id, params))
        return await self._facts(subscription_id)

    async def pay_with(self, subscription: Subscription, processor_method_id: str) -> SubscriptionFacts:
        subscription_id = known_id(subscription)
        try:
            return await self._updated(subscription_id, {"default_payment_method": processor_method_id})
        except ProcessorRefused:
            current = await self._subscription(subscription_id)
            if current["status"] not in ENDED:
                raise
            return await self._with_invoice(current)

    async def pay_invoice(
        self, subscription: Subscription, processor_invoice_id: str, *, key: str
    ) -> SubscriptionOutcome:
        """https://docs.stripe.com/api/invoices/pay, with the customer there to authenticate."""
        params: asked.InvoicePayParams = {"off_session": False}
        decline = None
        try:
            await call(lambda: self._stripe.invoices.pay_async(processor_invoice_id, params, under(key)))
        except stripe.CardError as error:
            decline = None if error.code in AWAITS_ACTION else decline_of(error_body(error))
        except ProcessorRefused as refused:
            if refused.reason != IS_PAID:
                raise
        return SubscriptionOutcome(facts=await self._facts(known_id(subscription)), decline=decline)

    async def make_default_method(self, customer_id: str, processor_method_id: str) -> None:
        """https://docs.stripe.com/api/customers/update"""
        params: asked.CustomerUpdateParams = {
            "invoice_settings": {"default_payment_method": processor_method_id}
        }
        await call(lambda: self._stripe.customers.update_async(customer_id, params))

    async def open_portal(self, customer_id: str, *, return_url: str) -> PortalLink:
        """https://docs.stripe.com/api/customer_portal/sessions/create"""
        params: SessionCreateParams = {"customer": customer_id, "return_url": return_url}
        session = await call(lambda: self._stripe.billing_portal.sessions.create_async(params))
        made_at = datetime.fromtimestamp(session.created, UTC)
        return PortalLink(url=session.url, expires_at=made_at + PORTAL_LINK_LASTS)

    async def _after_change(self, subscription: Shape, plan: Plan, *, reverts: bool) -> SubscriptionOutcome:
        """A declined charge of an update that waits for it is given up, and the update with it."""
        outcome = SubscriptionOutcome.told_by(await self._with_invoice(subscription))
        if reverts and _was_dropped(outcome.facts, plan):
            return replace(outcome, decline=_why_dropped(outcome.facts))
        invoice_id = identity(subscription.get("latest_invoice"))
        if not (reverts and outcome.decline and subscription.get("pending_update") and invoice_id):
            return outcome
        await self._void(invoice_id)
        return SubscriptionOutcome(facts=await self._facts(subscription["id"]), decline=outcome.decline)

    async def _schedule(self, subscription: Shape) -> Shape:
        """The schedule that runs the subscription, made where there is none; Stripe allows one, and refuses another."""
        if schedule := expanded(subscription.get("schedule")):
            return schedule
        subscription_id = subscription["id"]
        params: asked.SubscriptionScheduleCreateParams = {"from_subscription": subscription_id}
        try:
            return shape(await call(lambda: self._stripe.subscription_schedules.create_async(params)))
        except ProcessorRefused:
            if made := expanded((await self._subscription(subscription_id)).get("schedule")):
                return made
            raise


def _was_dropped(facts: SubscriptionFacts, plan: Plan) -> bool:
    """Whether the change to the plan is gone, with its invoice, for want of a payment."""
    invoice = facts.latest_invoice
    if plan.processor_price_id in {facts.processor_price_id, facts.pending_price_id} or invoice is None:
        return False
    return (invoice.terms.status, invoice.terms.reason) == (InvoiceStatus.VOID, BillingReason.PLAN_CHANGE)


def _why_dropped(facts: SubscriptionFacts) -> Decline:
    """What the bank said; where it said nothing, it waited for its customer until the change was dropped."""
    payment = facts.latest_invoice.payment if facts.latest_invoice else None
    return (payment.decline if payment else None) or Decline(code=NOBODY_CAME)


def _running_phase(schedule: Shape, end: datetime) -> "SchedulePhase":
    """The schedule's current phase, which must be given again as it is."""
    start = schedule["current_phase"]["start_date"]
    phase = next(phase for phase in schedule["phases"] if phase["start_date"] == start)
    return {
        "items": [{"price": _price(item), "quantity": item.get("quantity") or 1} for item in phase["items"]],
        "start_date": start,
        "end_date": int(end.timestamp()),
    }


def _as_before(phase: "SchedulePhase", subscription: Shape) -> "SchedulePhase":
    """
    With what a phase would otherwise take from the customer: the method, the discounts and the tax rates.

    https://docs.stripe.com/api/subscription_schedules/update
    """
    if method_id := identity(subscription.get("default_payment_method")):
        phase["default_payment_method"] = method_id
    if discounts := [identity(each) or "" for each in subscription.get("discounts") or ()]:
        phase["discounts"] = [{"discount": each} for each in discounts]
    if rates := [identity(each) or "" for each in subscription.get("default_tax_rates") or ()]:
        phase["default_tax_rates"] = rates
    return phase


def _coming_phase(plan: Plan) -> "SchedulePhase":
    """One period; after it the schedule lets the subscription go on by itself."""
    return {
        "items": [{"price": plan.processor_price_id}],
        "duration": {"interval": INTERVAL[plan.interval], "interval_count": plan.interval_count},
        "proration_behavior": "none",
    }


def _price(item: Shape) -> str:
    return identity(item.get("price")) or identity(item.get("plan")) or ""
