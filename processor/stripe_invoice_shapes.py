"""
Stripe's invoices in our words, in today's shape and in the one before 2025.

What pays an invoice stood on the invoice itself; now it stands among its payments. Its subscription has moved too.
https://docs.stripe.com/changelog/basil/2025-03-31/add-support-for-multiple-partial-payments-on-invoices
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from domain.invoice import BillingReason, ChargeLine, InvoiceFacts, InvoiceStatus, InvoiceTerms
from processor.stripe_shapes import Shape, expanded, identity, our_id, outcome_of_intent, text

INVOICE_STATUS: Final[Mapping[str, InvoiceStatus]] = {
    "draft": InvoiceStatus.DRAFT,
    "open": InvoiceStatus.OPEN,
    "paid": InvoiceStatus.PAID,
    "uncollectible": InvoiceStatus.UNCOLLECTIBLE,
    "void": InvoiceStatus.VOID,
}
REASON: Final[Mapping[str, BillingReason]] = {
    "subscription_create": BillingReason.SUBSCRIPTION_START,
    "subscription_cycle": BillingReason.RENEWAL,
    "subscription_threshold": BillingReason.RENEWAL,
    "subscription_update": BillingReason.PLAN_CHANGE,
    "subscription": BillingReason.RENEWAL,
}
PAID_FIRST: Final = ("paid", "open")


def invoice_facts(invoice: Shape) -> InvoiceFacts:
    """https://docs.stripe.com/api/invoices/object"""
    intent = _intent(invoice)
    subscription = subscription_in(invoice)
    return InvoiceFacts(
        terms=_terms(invoice),
        customer_id=identity(invoice.get("customer")) or "",
        livemode=invoice.get("livemode") is True,
        created_at=instant(invoice["created"]),
        finalized_at=moment((invoice.get("status_transitions") or {}).get("finalized_at")),
        processor_subscription_id=subscription.id,
        subscription_id=our_id(subscription.details, "subscription_id"),
        processor_price_id=_price(invoice),
        payment=outcome_of_intent(intent) if intent else None,
        payment_amount=intent.get("amount") or 0,
    )


def _terms(invoice: Shape) -> InvoiceTerms:
    lines = [_line(line) for line in (invoice.get("lines") or {}).get("data", [])]
    service = _service(lines)
    start, end = service or (instant(invoice["period_start"]), instant(invoice["period_end"]))
    return InvoiceTerms(
        processor_invoice_id=invoice["id"],
        number=text(invoice.get("number")),
        status=INVOICE_STATUS.get(invoice.get("status") or "", InvoiceStatus.DRAFT),
        reason=REASON.get(invoice.get("billing_reason") or "", BillingReason.OTHER),
        currency=invoice["currency"].upper(),
        subtotal=invoice.get("subtotal") or 0,
        tax=_tax(invoice),
        total=invoice.get("total") or 0,
        amount_due=invoice.get("amount_due") or 0,
        amount_paid=invoice.get("amount_paid") or 0,
        lines=[line.record() for line in lines],
        attempt_count=invoice.get("attempt_count") or 0,
        next_attempt_at=moment(invoice.get("next_payment_attempt")),
        period_start=start,
        period_end=end,
        paid_through=service[1] if service else None,
        paid_at=moment((invoice.get("status_transitions") or {}).get("paid_at")),
        hosted_url=text(invoice.get("hosted_invoice_url")),
        pdf_url=text(invoice.get("invoice_pdf")),
    )


def _line(line: Shape) -> ChargeLine:
    period = line.get("period") or {}
    parent = line.get("parent") or {}
    details = parent.get(parent.get("type")) or {}
    return ChargeLine(
        label=text(line.get("description")) or "",
        amount=line.get("amount") or 0,
        is_proration=details.get("proration") is True or line.get("proration") is True,
        starts_at=moment(period.get("start")),
        ends_at=moment(period.get("end")),
    )


def _service(lines: Sequence[ChargeLine]) -> tuple[datetime, datetime] | None:
    """The latest period that is charged for, or free; a credit pays for none."""
    periods = [
        (line.starts_at, line.ends_at)
        for line in lines
        if line.amount >= 0 and line.starts_at and line.ends_at and line.starts_at < line.ends_at
    ]
    return max(periods, key=lambda period: period[1], default=None)


def _price(invoice: Shape) -> str | None:
    """Of the line whose period ends last, which is not a credit. It stood on the line itself once."""
    lines: list[Shape] = (invoice.get("lines") or {}).get("data", [])
    charged = [line for line in lines if (line.get("amount") or 0) >= 0]
    last = max(charged, key=lambda line: (line.get("period") or {}).get("end") or 0, default={})
    details = (last.get("pricing") or {}).get("price_details") or {}
    return identity(details.get("price")) or identity(last.get("price")) or identity(last.get("plan"))


def _tax(invoice: Shape) -> int:
    taxes = invoice.get("total_taxes")
    if taxes is None:
        return invoice.get("tax") or 0
    return sum(tax.get("amount") or 0 for tax in taxes)


@dataclass(frozen=True, slots=True)
class SubscriptionInInvoice:
    id: str | None
    details: Shape


def subscription_in(invoice: Shape) -> SubscriptionInInvoice:
    """What the invoice says of its subscription: its id, and a copy of its metadata."""
    details: Shape = (invoice.get("parent") or {}).get("subscription_details") or {}
    details = details or invoice.get("subscription_details") or {}
    return SubscriptionInInvoice(
        identity(details.get("subscription") or invoice.get("subscription")), details
    )


def _intent(invoice: Shape) -> Shape:
    """The payment intent that has paid the invoice, or that is to; empty where it was not expanded."""
    payments: list[Shape] = (invoice.get("payments") or {}).get("data") or []
    best = sorted(payments, key=_rank)
    if not best:
        return expanded(invoice.get("payment_intent"))
    return expanded((best[0].get("payment") or {}).get("payment_intent"))


def _rank(payment: Shape) -> tuple[int, bool, Any]:
    """What has paid comes first, then what may still pay; among those the default one, then the newest."""
    status = payment.get("status")
    standing = PAID_FIRST.index(status) if status in PAID_FIRST else len(PAID_FIRST)
    return standing, not payment.get("is_default"), -(payment.get("created") or 0)


def instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else instant(seconds)
