"""What Stripe would charge: https://docs.stripe.com/api/invoices/create_preview"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from domain.charge_preview import KEPT_FOR, PreviewTerms, Proration
from domain.errors import ProcessorRefused
from domain.invoice import ChargeLine, InvoiceTerms, line_of
from domain.plan import Plan
from domain.subscription import Subscription
from processor.stripe_calls import call
from processor.stripe_client import UNKNOWN, StripeConnection, shape
from processor.stripe_invoice_shapes import invoice_facts
from processor.stripe_subscription_commands import DATED, PRORATION
from processor.stripe_subscription_ends import known_id

if TYPE_CHECKING:
    from stripe import params as asked
    from stripe.params import InvoiceCreatePreviewParamsSubscriptionDetails as Details

NOTHING_TO_COME: Final = frozenset({"invoice_upcoming_none", UNKNOWN})


class StripePreviews(StripeConnection):
    async def preview_start(
        self, customer_id: str, plan: Plan, *, trial_days: int, at: datetime
    ) -> PreviewTerms:
        """The first full period, which after a trial is charged at its end."""
        details: Details = {"items": [{"price": plan.processor_price_id}]}
        period = await self._recurring({"customer": customer_id, "subscription_details": details})
        if trial_days:
            return _terms(period, due_now=0, charged_at=at + timedelta(days=trial_days))
        first = await self._preview({"customer": customer_id, "subscription_details": details})
        return _terms(first, due_now=first.amount_due, next_renewal=period.total, charged_at=at)

    async def preview_plan_change(
        self, subscription: Subscription, plan: Plan, *, proration: Proration, at: datetime
    ) -> PreviewTerms:
        params = _changing(subscription, plan, proration, at=at)
        invoice = await self._preview(params)
        if renewal := _renewal_in(invoice, after=at + KEPT_FOR):
            return _terms(invoice, due_now=0, charged_at=renewal)
        period = await self._recurring(params)
        return _terms(invoice, due_now=invoice.amount_due, next_renewal=period.total, charged_at=at)

    async def preview_next_plan(
        self, subscription: Subscription, plan: Plan, *, at: datetime
    ) -> PreviewTerms:
        """As if it followed now, without prorations; what waits for the next invoice is in it."""
        invoice = await self._preview(_changing(subscription, plan, Proration.NONE, at=at))
        end = subscription.current_period_end
        lines = [_put_off(line_of(record), end) for record in invoice.lines]
        put_off = replace(invoice, lines=[line.record() for line in lines])
        return _terms(put_off, due_now=0, charged_at=end)

    async def preview_renewal(self, subscription: Subscription) -> PreviewTerms | None:
        try:
            invoice = await self._preview({"subscription": known_id(subscription)})
        except ProcessorRefused as refused:
            if refused.reason not in NOTHING_TO_COME:
                raise
            return None
        return _terms(invoice, due_now=0, charged_at=subscription.current_period_end)

    async def _recurring(self, params: "asked.InvoiceCreatePreviewParams") -> InvoiceTerms:
        """A full period and nothing else."""
        return await self._preview({**params, "preview_mode": "recurring"})

    async def _preview(self, params: "asked.InvoiceCreatePreviewParams") -> InvoiceTerms:
        preview = await call(lambda: self._stripe.invoices.create_preview_async(params))
        return invoice_facts(shape(preview)).terms


def _changing(
    subscription: Subscription, plan: Plan, proration: Proration, *, at: datetime
) -> "asked.InvoiceCreatePreviewParams":
    """The same as the change itself will ask for. Without prorations Stripe takes no date of theirs."""
    details: Details = {
        "items": [{"id": subscription.processor_item_id or "", "price": plan.processor_price_id}],
        "proration_behavior": PRORATION[proration],
    }
    if proration in DATED:
        details["proration_date"] = int(at.timestamp())
    if proration is Proration.FULL_PRICE_NOW:
        details["billing_cycle_anchor"] = {"type": "now"}
    return {"subscription": known_id(subscription), "subscription_details": details}


def _renewal_in(invoice: InvoiceTerms, *, after: datetime) -> datetime | None:
    """The start of the period that it charges for in advance; None where it would be made at once."""
    lines = [line_of(record) for record in invoice.lines]
    starts = [line.starts_at for line in lines if line.starts_at and not line.is_proration]
    return max((start for start in starts if start > after), default=None)


def _put_off(line: ChargeLine, start: datetime) -> ChargeLine:
    if line.is_proration or line.starts_at is None or line.starts_at >= start:
        return line
    return replace(line, starts_at=start, ends_at=None)


def _terms(
    invoice: InvoiceTerms, *, due_now: int, charged_at: datetime, next_renewal: int | None = None
) -> PreviewTerms:
    return PreviewTerms(
        currency=invoice.currency,
        lines=invoice.lines,
        subtotal=invoice.subtotal,
        tax=invoice.tax,
        credit_applied=max(0, invoice.total - invoice.amount_due) if invoice.total > 0 else 0,
        due_now=due_now,
        next_renewal=invoice.amount_due if next_renewal is None else next_renewal,
        charged_at=charged_at,
    )
