"""Give money back."""

from dataclasses import dataclass, field
from typing import ClassVar, Final
from uuid import UUID

from domain.actor import Role
from domain.arguments import UNKEPT
from domain.commands.command import Command, Conclusion, Step
from domain.commands.payment_command import owned_payment, part_of
from domain.errors import (
    Disputed,
    LikelyDuplicate,
    NotFound,
    ProcessorRefused,
    Verdict,
)
from domain.identity import new_id
from domain.money import Money
from domain.operation import ObjectKind, Operation
from domain.payment import Payment
from domain.payment_status import PaymentAction
from domain.ports import PaymentProcessor, Reads
from domain.refund import Refund, RefundFacts, RefundOrigin, RefundReason, RefundStatus
from domain.refund_settlement import give_up_refund, reserve, settle_refund
from domain.rules import REPEATED_WITHIN, Rules
from domain.text import checked_text

FAILED = "refund_failed"
REFUNDED_WITHOUT_KEY: Final = (
    "As much of this payment was given back a moment ago, or is on its way. Send an Idempotency-Key, by which a "
    "repetition is known, if this is another refund."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """A refund whose amount is spoken for, and the payment that it is taken from."""

    refund: Refund
    payment: Payment


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundPayment(Command[Reserved, RefundFacts]):
    """
    Give back what was collected, or part of it; without an amount, all that is left.

    The amount is reserved before the processor hears of it, so that of many refunds at once none takes what
    another has taken already. The operation is about the refund: a payment may have several under way.
    """

    mutation: ClassVar = "refundPayment"
    object_kind: ClassVar = ObjectKind.REFUND

    payment_id: UUID
    amount: Money | None = None
    reason: RefundReason
    note: str | None = field(default=None, metadata=UNKEPT)
    revokes_access: bool = True

    def check(self, rules: Rules) -> None:
        if self.note is not None:
            checked_text(self.note, path=("note",))

    async def intend(self, step: Step) -> tuple[UUID, Reserved]:
        step.by.must_be({Role.ADMIN})
        payment = await owned_payment(step, self.payment_id)
        must_be_refundable(payment)
        refund = Refund(
            id=new_id(),
            user_id=payment.user_id,
            payment_id=payment.id,
            status=RefundStatus.PENDING,
            amount=self._amount_of(payment),
            currency=payment.currency,
            reason=self.reason,
            note=self.note,
            origin=RefundOrigin.API,
            revokes_access=self.revokes_access,
            created_by=step.by.user_id,
            created_at=step.at,
            updated_at=step.at,
        )
        await must_be_meant(step, refund)
        await reserve(step.work, payment, refund, at=step.at, by=step.by)
        return refund.id, Reserved(refund=refund, payment=payment)

    async def recall(self, reads: Reads, operation: Operation) -> Reserved:
        refund = await reads.refunds.get(operation.subject)
        payment = await reads.payments.get(self.payment_id)
        if refund is None or payment is None:
            raise NotFound("There is no such refund.")
        return Reserved(refund=refund, payment=payment)

    async def call(self, processor: PaymentProcessor, intent: Reserved, *, key: str) -> RefundFacts:
        return await processor.refund(intent.refund, intent.payment, key=key)

    async def ask(self, processor: PaymentProcessor, intent: Reserved) -> RefundFacts | None:
        return await processor.find_refund(intent.refund, intent.payment)

    async def conclude(self, step: Step, intent: Reserved, answer: RefundFacts) -> Conclusion:
        refund = await settle_refund(step.work, intent.payment.id, answer, at=step.at, by=step.by)
        return Conclusion(object_id=refund.id, verdict=None if refund.counts else _failure(refund))

    async def give_up(self, step: Step, intent: Reserved, verdict: Verdict) -> UUID:
        reason = verdict.reason if isinstance(verdict, ProcessorRefused) else FAILED
        await give_up_refund(step.work, intent.refund, reason, at=step.at, by=step.by)
        return intent.refund.id

    def _amount_of(self, payment: Payment) -> int:
        """In minor units; raises CurrencyRuleBroken or AmountOutOfRange."""
        left = payment.refundable_amount
        if self.amount is None:
            return left
        message = f"Of this payment {left} minor units are left to refund."
        return part_of(payment, self.amount, most=left, message=message)


def must_be_refundable(payment: Payment) -> None:
    """Raises Disputed, or StateConflict where nothing was collected or nothing is left."""
    if payment.is_disputed:
        raise Disputed(path=("payment_id",))
    payment.must_allow(PaymentAction.REFUND)


async def must_be_meant(step: Step, refund: Refund) -> None:
    """
    Raises LikelyDuplicate where there is no key, and anybody has just given the same back, or may have.

    Under the payment's lock, so that of two at once the second one sees the first.
    """
    if step.is_keyed:
        return
    found = await step.work.refunds.of_payments([refund.payment_id], owner=None)
    since = step.at - REPEATED_WITHIN
    for earlier in found.get(refund.payment_id, ()):
        if refund.is_likely_duplicate_of(earlier, since=since):
            raise LikelyDuplicate(
                earlier.id, current=earlier.status, path=("payment_id",), message=REFUNDED_WITHOUT_KEY
            )


def _failure(refund: Refund) -> ProcessorRefused:
    return ProcessorRefused("The bank did not take this refund.", reason=refund.failure_reason or FAILED)
