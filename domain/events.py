"""The processor's news, in our words."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, Self, TypeAlias
from uuid import UUID

from domain.actor import SYSTEM, Actor
from domain.outcome import Outcome
from domain.payment_method import MethodFacts, SetupFacts
from domain.payment_status import SyncSource
from domain.refund import RefundFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentReported:
    """`payment_id` is what we wrote into the object's metadata; None where the object has none of ours."""

    payment_id: UUID | None
    processor_payment_id: str
    customer_id: str | None = None
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupReported:
    setup_id: UUID | None
    processor_setup_id: str
    facts: SetupFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodReported:
    """A method as it is now: attached, updated, or replaced by its bank."""

    customer_id: str
    facts: MethodFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodDetached:
    processor_method_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """Something has happened to an object that must be read anew; subclasses name it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundReported:
    """One of the refunds that we asked for; `payment_id` is what we wrote into its metadata."""

    payment_id: UUID
    facts: RefundFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundsChanged(Hint):
    """Something of a payment was given back, by whomever."""

    processor_payment_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeChanged(Hint):
    processor_dispute_id: str
    processor_payment_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionChanged(Hint):
    processor_subscription_id: str
    customer_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceChanged(Hint):
    """News about what has paid an invoice names neither its customer nor its subscription."""

    processor_invoice_id: str
    processor_subscription_id: str | None = None
    customer_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChanged(Hint):
    """Of a product that has changed, every price is meant."""

    processor_product_id: str
    processor_price_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unhandled:
    """News that we keep and do not act on."""


ProcessorEvent: TypeAlias = (
    PaymentReported | RefundReported | SetupReported | MethodReported | MethodDetached | Hint | Unhandled
)


class InboxStatus(StrEnum):
    """RECEIVED waits for the worker; FAILED was tried in vain and will be tried again; HELD, on command only."""

    RECEIVED = "RECEIVED"
    HANDLED = "HANDLED"
    IGNORED = "IGNORED"
    FAILED = "FAILED"
    HELD = "HELD"


EVENT: Final = "evt_"
"""How the processor's ids of events begin."""

TRIES_BEFORE_HELD: Final = 100
"""About a day, as long as the processor itself may be away; then the event is held for an operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxEvent:
    """
    A verified event as it came in. `payload` is its JSON text without client secrets.

    `processor_object_id` is the object whose state the event tells of: of a charge, its payment. `via` is
    RECONCILIATION where the event was missed, and found in the processor's list. `attempts` counts since the event
    was last queued.
    """

    id: UUID
    processor_event_id: str
    type: str
    livemode: bool
    api_version: str
    payload: str
    processor_object_id: str | None = None
    via: SyncSource = SyncSource.WEBHOOK
    status: InboxStatus = InboxStatus.RECEIVED
    attempts: int = 0
    last_error: str | None = None
    occurred_at: datetime
    received_at: datetime
    handled_at: datetime | None = None

    @property
    def actor(self) -> Actor:
        """Who does what the event brings about: ourselves, by its name."""
        return replace(SYSTEM, request_id=self.processor_event_id)

    def queued_again(self) -> Self:
        """On command, whatever became of it before."""
        return replace(self, status=InboxStatus.RECEIVED, attempts=0, last_error=None, handled_at=None)

    def failed(self, why: str) -> Self:
        """After one more try in vain."""
        attempts = self.attempts + 1
        status = InboxStatus.HELD if attempts >= TRIES_BEFORE_HELD else InboxStatus.FAILED
        return replace(self, status=status, attempts=attempts, last_error=why)

    def closed(self, status: InboxStatus, *, at: datetime) -> Self:
        """After it was applied, or found to be none of our business."""
        return replace(self, status=status, attempts=self.attempts + 1, last_error=None, handled_at=at)
