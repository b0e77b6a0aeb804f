"""Invoices: what a subscription's period costs, line by line, and whether it was paid. Mirrors of the processor's."""

from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Self
from uuid import UUID

from domain.json_value import JsonValue
from domain.outcome import Outcome
from domain.payment_status import SyncSource


class InvoiceStatus(StrEnum):
    DRAFT = "DRAFT"
    OPEN = "OPEN"
    PAID = "PAID"
    UNCOLLECTIBLE = "UNCOLLECTIBLE"
    VOID = "VOID"


WRITTEN_OFF: Final = frozenset({InvoiceStatus.UNCOLLECTIBLE, InvoiceStatus.VOID})
"""What is in these is collected no more."""


class BillingReason(StrEnum):
    """What an invoice was made for."""

    SUBSCRIPTION_START = "SUBSCRIPTION_START"
    RENEWAL = "RENEWAL"
    PLAN_CHANGE = "PLAN_CHANGE"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeLine:
    """One line of an invoice or of a preview; the amount is signed, in minor units of the invoice's currency."""

    label: str
    amount: int
    is_proration: bool
    starts_at: datetime | None
    ends_at: datetime | None

    def record(self) -> dict[str, JsonValue]:
        """The form in which a row keeps it; `line_of` is the way back."""
        return {
            "label": self.label,
            "amount": self.amount,
            "is_proration": self.is_proration,
            "starts_at": self.starts_at.isoformat() if self.starts_at else None,
            "ends_at": self.ends_at.isoformat() if self.ends_at else None,
        }


def line_of(record: JsonValue) -> ChargeLine:
    """The line that was recorded."""
    if not isinstance(record, dict):
        raise ValueError("A line is a JSON object")
    return ChargeLine(
        label=str(record["label"]),
        amount=int(str(record["amount"])),
        is_proration=record["is_proration"] is True,
        starts_at=_instant(record["starts_at"]),
        ends_at=_instant(record["ends_at"]),
    )


def _instant(written: JsonValue) -> datetime | None:
    return None if written is None else datetime.fromisoformat(str(written))


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceTerms:
    """
    What the processor says an invoice is. Amounts are minor units of `currency`.

    `lines` are recorded ChargeLines, `paid_through` the end of the latest period that its lines pay for.
    """

    processor_invoice_id: str
    number: str | None = None
    status: InvoiceStatus
    reason: BillingReason
    currency: str
    subtotal: int
    tax: int
    total: int
    amount_due: int
    amount_paid: int
    lines: list[JsonValue] = field(default_factory=list)
    attempt_count: int = 0
    next_attempt_at: datetime | None = None
    period_start: datetime
    period_end: datetime
    paid_through: datetime | None = None
    paid_at: datetime | None = None
    hosted_url: str | None = None
    pdf_url: str | None = None

    def writes_off(self, period_end: datetime) -> bool:
        """Whether it is of the renewal into the period with this end, which will never be paid for."""
        is_for_it = self.paid_through is not None and self.paid_through >= period_end
        return is_for_it and self.reason is BillingReason.RENEWAL and self.status in WRITTEN_OFF


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceFacts:
    """
    The processor's word about an invoice, read anew with its payment.

    `payment` is None while nothing was tried, and for an invoice of nothing; `payment_amount` is what it asks for.
    `finalized_at` is when the invoice was made final, which is when it is tried for the first time;
    `processor_price_id` names the plan that it is for.
    """

    terms: InvoiceTerms
    customer_id: str
    livemode: bool
    created_at: datetime
    finalized_at: datetime | None = None
    processor_subscription_id: str | None = None
    subscription_id: UUID | None = None
    processor_price_id: str | None = None
    payment: Outcome | None = None
    payment_amount: int = 0
    source: SyncSource = SyncSource.API_CALL
    event_id: str | None = None

    def told_by(self, source: SyncSource, event_id: str | None) -> Self:
        """As what this, or an event, made us read."""
        payment = self.payment and replace(self.payment, source=source, event_id=event_id)
        return replace(self, payment=payment, source=source, event_id=event_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice(InvoiceTerms):
    """Ours of one of theirs; `readings` grows whenever the processor's word is taken."""

    id: UUID
    user_id: UUID
    subscription_id: UUID | None = None
    livemode: bool
    readings: int = 0
    version: int = 1
    created_at: datetime
    updated_at: datetime

    @property
    def charge_lines(self) -> list[ChargeLine]:
        return [line_of(record) for record in self.lines]

    def take(self, facts: InvoiceFacts, *, at: datetime) -> Self:
        """The invoice with what the processor says now; the same again changes only the readings, and links."""
        read = replace(self, readings=self.readings + 1)
        fresh = replace(read, **terms_in(facts.terms))
        linked = replace(read, hosted_url=fresh.hosted_url, pdf_url=fresh.pdf_url)
        return linked if fresh == linked else replace(fresh, version=self.version + 1, updated_at=at)


def terms_in(terms: InvoiceTerms) -> dict[str, Any]:
    return {part.name: getattr(terms, part.name) for part in fields(InvoiceTerms)}
