"""The processor's part in refunds."""

from typing import Protocol

from domain.payment import Payment
from domain.refund import FoundRefunds, Refund, RefundFacts


class RefundProcessor(Protocol):
    async def refund(self, refund: Refund, payment: Payment, *, key: str) -> RefundFacts: ...
    async def find_refund(self, refund: Refund, payment: Payment) -> RefundFacts | None:
        """What the processor knows of our refund, found by its id or by ours; None where it never heard of it."""
        ...

    async def find_refunds(self, processor_payment_id: str) -> FoundRefunds | None:
        """All that was given back of a payment; None where the processor has no such payment."""
        ...
