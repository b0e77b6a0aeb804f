"""Answer a dispute, or accept it."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar
from uuid import UUID

from domain.actor import Role
from domain.arguments import UNKEPT
from domain.commands.command import Command, Conclusion, Step
from domain.dispute import AWAITS_EVIDENCE, Dispute, DisputeFacts
from domain.dispute_settlement import draft_evidence, held_dispute, settle_answer
from domain.errors import NotFound, StateConflict
from domain.evidence import checked_evidence, checked_size
from domain.json_value import JsonValue
from domain.operation import ObjectKind, Operation
from domain.ports import PaymentProcessor, Reads
from domain.rules import Rules

OVERDUE = "OVERDUE"


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeCommand(Command[Dispute, DisputeFacts]):
    """A command whose object is a dispute, and whose answer is the processor's word about it."""

    object_kind: ClassVar = ObjectKind.DISPUTE

    dispute_id: UUID

    async def recall(self, reads: Reads, operation: Operation) -> Dispute:
        dispute = await reads.disputes.get(operation.subject)
        if dispute is None:
            raise NotFound("There is no such dispute.")
        return dispute

    async def ask(self, processor: PaymentProcessor, intent: Dispute) -> DisputeFacts | None:
        found = await processor.find_dispute(intent.processor_dispute_id)
        return found.facts if found and self.is_seen_in(found.facts, intent) else None

    @abstractmethod
    def is_seen_in(self, facts: DisputeFacts, intent: Dispute) -> bool:
        """Whether the processor has carried this command out."""

    async def conclude(self, step: Step, intent: Dispute, answer: DisputeFacts) -> Conclusion:
        await settle_answer(step.work, intent, answer, at=step.at, by=step.by)
        return Conclusion(object_id=intent.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitDisputeEvidence(DisputeCommand):
    """Add to a dispute's evidence, and, when it is final, hand all of it to the bank, once."""

    mutation: ClassVar = "submitDisputeEvidence"

    evidence: Mapping[str, JsonValue] = field(default_factory=dict, metadata=UNKEPT)
    is_final: bool = False

    def check(self, rules: Rules) -> None:
        checked_evidence(self.evidence)

    async def intend(self, step: Step) -> tuple[UUID, Dispute]:
        before = await answerable_dispute(step, self.dispute_id, path=("dispute_id",))
        if before.is_overdue_at(step.at):
            raise StateConflict(
                "The time to answer this dispute is over.", current=OVERDUE, path=("dispute_id",)
            )
        after = before.drafted(self.evidence, at=step.at)
        checked_size(after.evidence_draft)
        await draft_evidence(step.work, before, after, at=step.at, by=step.by)
        return after.id, after

    async def call(self, processor: PaymentProcessor, intent: Dispute, *, key: str) -> DisputeFacts:
        return await processor.submit_evidence(intent, is_final=self.is_final, key=key)

    def is_seen_in(self, facts: DisputeFacts, intent: Dispute) -> bool:
        if self.is_final:
            return facts.is_answered
        return all(text == facts.evidence.get(name) for name, text in intent.evidence_draft.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptDispute(DisputeCommand):
    """Let the payer keep the money."""

    mutation: ClassVar = "acceptDispute"

    async def intend(self, step: Step) -> tuple[UUID, Dispute]:
        dispute = await answerable_dispute(step, self.dispute_id, path=("id",))
        return dispute.id, dispute

    async def call(self, processor: PaymentProcessor, intent: Dispute, *, key: str) -> DisputeFacts:
        return await processor.accept_dispute(intent, key=key)

    def is_seen_in(self, facts: DisputeFacts, intent: Dispute) -> bool:
        return facts.status not in AWAITS_EVIDENCE


async def answerable_dispute(step: Step, dispute_id: UUID, *, path: Sequence[str]) -> Dispute:
    """The dispute, held, for an admin. Raises StateConflict where it is decided, or the bank has the evidence."""
    step.by.must_be({Role.ADMIN})
    dispute = await held_dispute(step.work, dispute_id, path=path)
    if not dispute.awaits_evidence:
        raise StateConflict(
            f"A dispute that is {dispute.status} takes no answer now.", current=dispute.status, path=path
        )
    return dispute
