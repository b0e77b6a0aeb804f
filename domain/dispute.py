"""
Disputes: a payer's bank takes the money back, until it is decided whose it is.

A dispute really goes back and forth (won may become lost, and won again), so its news have no rank. They are taken
as hints: the dispute is read anew at the processor, and `readings` tells whether somebody else did so meanwhile.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, Self
from uuid import UUID

from domain.json_value import JsonObject, JsonValue
from domain.outcome import FoundPayment
from domain.payment_status import SyncSource


class DisputeStatus(StrEnum):
    """INQUIRY asks before money is taken; PREVENTED never became a dispute; CLOSED is an inquiry that ended."""

    INQUIRY = "INQUIRY"
    NEEDS_RESPONSE = "NEEDS_RESPONSE"
    UNDER_REVIEW = "UNDER_REVIEW"
    WON = "WON"
    LOST = "LOST"
    PREVENTED = "PREVENTED"
    CLOSED = "CLOSED"


HOLDS_MONEY: Final = frozenset({DisputeStatus.NEEDS_RESPONSE, DisputeStatus.UNDER_REVIEW, DisputeStatus.LOST})
"""While it is in one of these, the amount is with the payer's bank, and what was bought is not accessible."""
AWAITS_EVIDENCE: Final = frozenset({DisputeStatus.INQUIRY, DisputeStatus.NEEDS_RESPONSE})


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeFacts:
    """
    The processor's word about a dispute, read anew. The amount is in minor units of its currency.

    `evidence` holds the texts that the processor has by now; `is_answered` says that they went to the bank.
    """

    processor_dispute_id: str
    status: DisputeStatus
    amount: int
    currency: str
    reason: str
    evidence_due_by: datetime | None = None
    evidence: Mapping[str, str] = field(default_factory=dict)
    is_answered: bool = False
    source: SyncSource = SyncSource.API_CALL
    event_id: str | None = None
    occurred_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundDispute:
    """A dispute and its payment, as the processor has them."""

    payment: FoundPayment
    facts: DisputeFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """
    A disputed payment, or part of one. The amount is in minor units of `currency`.

    `history` holds a status and a time (ISO 8601) for each change, `evidence_draft` what was written here and not
    necessarily submitted; `readings` grows whenever the processor's word is taken.
    """

    id: UUID
    user_id: UUID
    payment_id: UUID
    status: DisputeStatus
    amount: int
    currency: str
    reason: str
    evidence_due_by: datetime | None = None
    evidence_draft: JsonObject = field(default_factory=dict)
    evidence_submitted_at: datetime | None = None
    history: list[JsonValue] = field(default_factory=list)
    processor_dispute_id: str
    last_event_id: str | None = None
    synced_by: SyncSource = SyncSource.API_CALL
    readings: int = 0
    version: int = 1
    created_at: datetime
    updated_at: datetime

    @property
    def holds_money(self) -> bool:
        return self.status in HOLDS_MONEY

    @property
    def suspends_access(self) -> bool:
        return self.holds_money

    @property
    def awaits_evidence(self) -> bool:
        """Whether it is for us to answer or to accept; late or not."""
        return self.status in AWAITS_EVIDENCE and self.evidence_submitted_at is None

    def is_overdue_at(self, moment: datetime) -> bool:
        return self.evidence_due_by is not None and self.evidence_due_by <= moment

    def settle(self, facts: DisputeFacts, *, at: datetime) -> Self:
        """Take the processor's word as the newest; the same again changes nothing but the number of readings."""
        read = replace(self, readings=self.readings + 1)
        told = replace(
            read,
            status=facts.status,
            amount=facts.amount,
            reason=facts.reason,
            evidence_due_by=facts.evidence_due_by,
            evidence_submitted_at=(self.evidence_submitted_at or at) if facts.is_answered else None,
        )
        if told == read:
            return read
        moved = [] if told.status is self.status else [change(told.status, at)]
        return replace(
            told,
            history=[*self.history, *moved],
            version=self.version + 1,
            updated_at=at,
            synced_by=facts.source,
            last_event_id=facts.event_id or self.last_event_id,
        )

    def drafted(self, evidence: JsonObject, *, at: datetime) -> Self:
        """With these texts in its draft; None takes one away."""
        draft = {**self.evidence_draft, **evidence}
        if draft == self.evidence_draft:
            return self
        return replace(self, evidence_draft=draft, version=self.version + 1, updated_at=at)


def change(status: DisputeStatus, at: datetime) -> JsonValue:
    """One entry of a dispute's history."""
    return {"status": status.value, "at": at.isoformat()}
