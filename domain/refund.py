"""
Refunds: money given back, whoever asked for it.

Their progress has a rank, as a payment's has: PENDING, then SUCCEEDED, then FAILED or CANCELLED, since a bank may
return a refund that had succeeded already (https://docs.stripe.com/refunds#failed-refunds). Only refunds that
have neither failed nor been cancelled count against their payment.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, Self
from uuid import UUID

from domain.outcome import FoundPayment, Outcome
from domain.payment_status import PaymentStatus, SyncSource


class RefundStatus(StrEnum):
    PENDING = "PENDING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class RefundReason(StrEnum):
    DUPLICATE = "DUPLICATE"
    FRAUDULENT = "FRAUDULENT"
    CUSTOMER_REQUEST = "CUSTOMER_REQUEST"
    SERVICE_DISRUPTION = "SERVICE_DISRUPTION"
    GOODWILL = "GOODWILL"
    DISPUTE_PREVENTION = "DISPUTE_PREVENTION"
    OTHER = "OTHER"


class RefundOrigin(StrEnum):
    """Who asked the processor for it."""

    API = "API"
    STRIPE_DASHBOARD = "STRIPE_DASHBOARD"
    DISPUTE_PREVENTION = "DISPUTE_PREVENTION"


R = RefundStatus
SUCCESSORS: Final[Mapping[RefundStatus, frozenset[RefundStatus]]] = {
    R.PENDING: frozenset({R.SUCCEEDED, R.FAILED, R.CANCELLED}),
    R.SUCCEEDED: frozenset({R.FAILED, R.CANCELLED}),
    R.FAILED: frozenset(),
    R.CANCELLED: frozenset(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundFacts:
    """
    The processor's word about a refund. The amount is in minor units of its currency.

    `refund_id` is what we wrote into its metadata; None where somebody else asked for it.
    """

    refund_id: UUID | None = None
    processor_refund_id: str
    processor_payment_id: str
    charge_id: str | None = None
    status: RefundStatus
    amount: int
    currency: str
    reason: RefundReason
    failure_reason: str | None = None
    source: SyncSource = SyncSource.API_CALL
    event_id: str | None = None
    occurred_at: datetime | None = None

    @property
    def proof(self) -> Outcome:
        """What it proves of its payment: only what was collected can be refunded."""
        return Outcome(
            status=PaymentStatus.COMPLETED,
            processor_payment_id=self.processor_payment_id,
            charge_id=self.charge_id,
            authorized_amount=self.amount,
            captured_amount=self.amount,
            source=self.source,
            event_id=self.event_id,
            occurred_at=self.occurred_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRefunds:
    """All that was given back of one payment, as the processor has it."""

    payment: FoundPayment
    refunds: Sequence[RefundFacts]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Money on its way back to the payer of one payment. The amount is in minor units of `currency`."""

    id: UUID
    user_id: UUID
    payment_id: UUID
    status: RefundStatus
    amount: int
    currency: str
    reason: RefundReason
    note: str | None = None
    failure_reason: str | None = None
    origin: RefundOrigin
    revokes_access: bool
    created_by: UUID | None = None
    processor_refund_id: str | None = None
    last_event_id: str | None = None
    synced_by: SyncSource = SyncSource.API_CALL
    version: int = 1
    created_at: datetime
    updated_at: datetime
    succeeded_at: datetime | None = None

    @property
    def counts(self) -> bool:
        """Whether it takes its amount from what is left of the payment."""
        return self.status in {RefundStatus.PENDING, RefundStatus.SUCCEEDED}

    def is_likely_duplicate_of(self, earlier: Self, *, since: datetime) -> bool:
        """Whether the earlier one gives as much back, and is on its way, or was asked for since then."""
        is_recent = earlier.status is RefundStatus.PENDING or earlier.created_at > since
        return earlier.counts and is_recent and earlier.amount == self.amount

    def is_meant_by(self, facts: RefundFacts) -> bool:
        """Metadata can be copied by hand, so our id in it names this refund only while no other has claimed it."""
        return self.processor_refund_id in {None, facts.processor_refund_id}

    def settle(self, facts: RefundFacts, *, at: datetime) -> Self:
        """
        Take the processor's word; a late or repeated one changes nothing.

        What the processor was not known to have is still open, even where it was given up here.
        """
        known = replace(self, processor_refund_id=facts.processor_refund_id, amount=facts.amount)
        if facts.status in SUCCESSORS[self.status] or self.processor_refund_id is None:
            known = known._in_status(facts)
        if facts.status is RefundStatus.SUCCEEDED:
            known = replace(known, succeeded_at=self.succeeded_at or at)
        if known == self:
            return self
        return replace(
            known,
            version=self.version + 1,
            updated_at=at,
            synced_by=facts.source,
            last_event_id=facts.event_id or self.last_event_id,
        )

    def given_up(self, reason: str, *, at: datetime) -> Self:
        """The processor definitely did not do it."""
        if self.processor_refund_id is not None:
            return self
        return replace(
            self,
            status=RefundStatus.FAILED,
            failure_reason=reason,
            version=self.version + 1,
            updated_at=at,
        )

    def _in_status(self, facts: RefundFacts) -> Self:
        has_failed = facts.status in {RefundStatus.FAILED, RefundStatus.CANCELLED}
        return replace(self, status=facts.status, failure_reason=facts.failure_reason if has_failed else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundSums:
    """What a payment's refunds come to, in minor units: what was given back, and what is on its way."""

    refunded: int = 0
    pending: int = 0
