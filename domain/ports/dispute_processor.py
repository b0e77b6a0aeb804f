"""The processor's part in disputes."""

from typing import Protocol

from domain.dispute import Dispute, DisputeFacts, FoundDispute


class DisputeProcessor(Protocol):
    async def submit_evidence(self, dispute: Dispute, *, is_final: bool, key: str) -> DisputeFacts:
        """Its draft, to be kept by the processor, or to go to the bank for good."""
        ...

    async def accept_dispute(self, dispute: Dispute, *, key: str) -> DisputeFacts:
        """The payer keeps the money; that cannot be undone."""
        ...

    async def find_dispute(self, processor_dispute_id: str) -> FoundDispute | None:
        """As it is now; None where the processor has no such dispute, or none of a payment that could be ours."""
        ...
