"""How subscriptions end, pause and go on at Stripe. Each of these looks first, so it may be sent twice."""

from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from domain.errors import ProcessorRefused
from domain.subscription import CancelReason, Subscription, SubscriptionFacts
from processor.stripe_calls import call, every_one
from processor.stripe_client import shape, under
from processor.stripe_payments import LARGEST_PAGE
from processor.stripe_shapes import Shape, identity
from processor.stripe_subscriptions import WITH_SCHEDULE, StripeSubscriptions

if TYPE_CHECKING:
    from stripe import params as asked

Feedback: TypeAlias = Literal[
    "too_expensive", "unused", "missing_features", "switched_service", "low_quality", "other"
]
FEEDBACK: Final[dict[CancelReason, Feedback]] = {
    CancelReason.TOO_EXPENSIVE: "too_expensive",
    CancelReason.UNUSED: "unused",
    CancelReason.MISSING_CONTENT: "missing_features",
    CancelReason.SWITCHED_SERVICE: "switched_service",
    CancelReason.TECHNICAL_PROBLEMS: "low_quality",
    CancelReason.OTHER: "other",
}
ENDED: Final = frozenset({"canceled", "incomplete_expired"})


class StripeSubscriptionEnds(StripeSubscriptions):
    async def end_subscription(
        self, subscription: Subscription, *, reason: CancelReason | None
    ) -> SubscriptionFacts:
        """https://docs.stripe.com/api/subscriptions/cancel, which knows no ended subscription any more."""
        params: asked.SubscriptionCancelParams = {}
        if reason is not None:
            params["cancellation_details"] = {"feedback": FEEDBACK[reason]}
        subscription_id = known_id(subscription)
        try:
            await call(lambda: self._stripe.subscriptions.cancel_async(subscription_id, params))
        except ProcessorRefused:
            if (await self._subscription(subscription_id))["status"] not in ENDED:
                raise
        await self._void_open_invoices(subscription_id)
        return await self._facts(subscription_id)

    async def end_with_period(
        self, subscription: Subscription, *, reason: CancelReason | None
    ) -> SubscriptionFacts:
        """https://docs.stripe.com/billing/subscriptions/cancel, which a schedule would overrule."""
        await self._release(subscription.processor_schedule_id)
        params: asked.SubscriptionUpdateParams = {"cancel_at_period_end": True}
        if reason is not None:
            params["cancellation_details"] = {"feedback": FEEDBACK[reason]}
        return await self._updated(known_id(subscription), params)

    async def keep_subscription(self, subscription: Subscription) -> SubscriptionFacts:
        """Without a schedule, an end and an update that waits to be paid; each only where there is one."""
        subscription_id = known_id(subscription)
        current = await self._subscription(subscription_id)
        await self._release(identity(current.get("schedule")))
        invoice_id = identity(current.get("latest_invoice"))
        if current.get("pending_update") and invoice_id:
            await self._void(invoice_id)
        if current.get("cancel_at_period_end"):
            return await self._updated(subscription_id, {"cancel_at_period_end": False})
        if current.get("cancel_at"):
            return await self._updated(subscription_id, {"cancel_at": ""})
        return await self._facts(subscription_id)

    async def pause_subscription(
        self, subscription: Subscription, *, until: datetime | None
    ) -> SubscriptionFacts:
        """https://docs.stripe.com/billing/subscriptions/pause-payment"""
        params: asked.SubscriptionUpdateParams = {"pause_collection": {"behavior": "void"}}
        if until is not None:
            params["pause_collection"] = {"behavior": "void", "resumes_at": int(until.timestamp())}
        return await self._updated(known_id(subscription), params)

    async def resume_subscription(self, subscription: Subscription, *, key: str) -> SubscriptionFacts:
        """One whose trial ended without a method is resumed in a way of its own, which bills a new period."""
        subscription_id = known_id(subscription)
        current = await self._subscription(subscription_id)
        facts = await self._with_invoice(current)
        if current["status"] == "paused":
            begins: asked.SubscriptionResumeParams = {"billing_cycle_anchor": {"type": "now"}}
            await call(lambda: self._stripe.subscriptions.resume_async(subscription_id, begins, under(key)))
        elif facts.is_lapsed:
            await self._replace_period(facts, key=key)
        else:
            goes_on: asked.SubscriptionUpdateParams = {"pause_collection": ""}
            await call(lambda: self._stripe.subscriptions.update_async(subscription_id, goes_on, under(key)))
        return await self._facts(subscription_id)

    async def begin_period(self, subscription: Subscription) -> None:
        facts = await self._facts(known_id(subscription))
        if facts.awaits_a_period:
            await self._replace_period(facts)

    async def _replace_period(self, lapsed: SubscriptionFacts, *, key: str | None = None) -> None:
        """
        https://docs.stripe.com/billing/subscriptions/billing-cycle

        Under a key of the renewal that was written off, so that its period is replaced once, whoever asks. A refusal
        is stored under that key, too: whoever comes with a key of their own asks once more, if it is still lapsed.
        """
        if lapsed.pending_price_id is None:
            await self._release(lapsed.processor_schedule_id)
        subscription_id = lapsed.processor_subscription_id
        renewal = lapsed.latest_invoice.terms.processor_invoice_id if lapsed.latest_invoice else ""
        params: asked.SubscriptionUpdateParams = {
            "pause_collection": "",
            "billing_cycle_anchor": {"type": "now"},
            "proration_behavior": "none",
            "payment_behavior": "allow_incomplete",
        }
        update = self._stripe.subscriptions.update_async
        try:
            await call(lambda: update(subscription_id, params, under(f"period_after_{renewal}")))
        except ProcessorRefused:
            if key is None or not (await self._facts(subscription_id)).is_lapsed:
                raise
            await call(lambda: update(subscription_id, params, under(key)))

    async def _updated(
        self, subscription_id: str, params: "asked.SubscriptionUpdateParams"
    ) -> SubscriptionFacts:
        """https://docs.stripe.com/api/subscriptions/update"""
        wanted: asked.SubscriptionUpdateParams = {**params, "expand": WITH_SCHEDULE}
        updated = await call(lambda: self._stripe.subscriptions.update_async(subscription_id, wanted))
        return await self._with_invoice(shape(updated))

    async def _subscription(self, subscription_id: str) -> Shape:
        params: asked.SubscriptionRetrieveParams = {"expand": WITH_SCHEDULE}
        return shape(await call(lambda: self._stripe.subscriptions.retrieve_async(subscription_id, params)))

    async def _facts(self, subscription_id: str) -> SubscriptionFacts:
        return await self._with_invoice(await self._subscription(subscription_id))

    async def _release(self, schedule_id: str | None) -> None:
        """https://docs.stripe.com/api/subscription_schedules/release, which is refused where it was done."""
        if schedule_id is None:
            return
        schedules = self._stripe.subscription_schedules
        try:
            await call(lambda: schedules.release_async(schedule_id))
        except ProcessorRefused:
            if (await call(lambda: schedules.retrieve_async(schedule_id))).status in {
                "active",
                "not_started",
            }:
                raise

    async def _void_open_invoices(self, subscription_id: str) -> None:
        params: asked.InvoiceListParams = {
            "subscription": subscription_id,
            "status": "open",
            "limit": LARGEST_PAGE,
        }
        owed = [invoice.id async for invoice in every_one(lambda: self._stripe.invoices.list_async(params))]
        for invoice_id in owed:
            await self._void(invoice_id)

    async def _void(self, invoice_id: str) -> None:
        """https://docs.stripe.com/api/invoices/void, which is refused where it was done."""
        try:
            await call(lambda: self._stripe.invoices.void_invoice_async(invoice_id))
        except ProcessorRefused:
            if (await call(lambda: self._stripe.invoices.retrieve_async(invoice_id))).status == "open":
                raise


def known_id(subscription: Subscription) -> str:
    if subscription.processor_subscription_id is None:
        raise ValueError(f"Subscription {subscription.id} has not reached Stripe")
    return subscription.processor_subscription_id
