"""What all commands about payments share."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Final
from uuid import UUID

from domain.commands.command import Command, Conclusion, Step
from domain.errors import (
    AmountOutOfRange,
    CurrencyRuleBroken,
    Declined,
    NotFound,
    ProcessorRefused,
    Verdict,
)
from domain.money import Money
from domain.operation import ObjectKind, Operation
from domain.outcome import Outcome
from domain.payment import Payment
from domain.payment_status import PaymentStatus
from domain.ports import PaymentProcessor, Reads
from domain.settlement import settle

NOT_BEGUN: Final = frozenset({PaymentStatus.PENDING, PaymentStatus.FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentCommand(Command[Payment, Outcome]):
    """A command whose object is a payment, and whose answer is the processor's word about it."""

    object_kind: ClassVar = ObjectKind.PAYMENT

    async def recall(self, reads: Reads, operation: Operation) -> Payment:
        payment = await reads.payments.get(operation.subject)
        if payment is None:
            raise NotFound("There is no such payment.")
        return payment

    async def ask(self, processor: PaymentProcessor, intent: Payment) -> Outcome | None:
        """The processor's word, where it shows that the last call was carried out, whoever told us since."""
        outcome = await processor.find_payment(intent)
        if outcome is None or not self.is_seen_in(intent.settle(outcome, at=intent.updated_at)):
            return None
        return outcome

    @abstractmethod
    def is_seen_in(self, payment: Payment) -> bool:
        """Whether a payment that the processor knows is in a state to which this command leads."""

    async def conclude(self, step: Step, intent: Payment, answer: Outcome) -> Conclusion:
        payment = await settle(step.work, intent.id, answer, at=step.at, by=step.by)
        declined = payment.decline if payment.status is PaymentStatus.FAILED else None
        if answer.status is PaymentStatus.FAILED and payment.status is PaymentStatus.AUTHORIZED:
            declined = answer.decline
        return Conclusion(object_id=payment.id, verdict=Declined(declined) if declined else None)

    async def give_up(self, step: Step, intent: Payment, verdict: Verdict) -> UUID:
        """The processor did nothing, and may have said why: the payment had moved on."""
        told = verdict.outcome if isinstance(verdict, ProcessorRefused) else None
        outcome = told if told and told.status not in NOT_BEGUN else self.unchanged(intent)
        await settle(step.work, intent.id, outcome, at=step.at, by=step.by)
        return intent.id

    def unchanged(self, intent: Payment) -> Outcome:
        """What a refused attempt leaves behind."""
        return Outcome(status=intent.status)


def part_of(payment: Payment, amount: Money, *, most: int, message: str) -> int:
    """
    The amount in the payment's minor units, of which there are `most`; `message` says so.

    Raises CurrencyRuleBroken or AmountOutOfRange.
    """
    currency, path = payment.currency_rule, ("amount", "minor")
    if amount.currency != payment.currency:
        raise CurrencyRuleBroken(
            f"This payment is in {payment.currency}.", path=("amount", "currency"), currency=currency
        )
    if not 0 < amount.minor <= most:
        raise AmountOutOfRange(message, path=path, currency=currency, left=most)
    if amount.minor % currency.step_minor:
        raise CurrencyRuleBroken.by_step(currency, path=path)
    return amount.minor


async def owned_payment(step: Step, payment_id: UUID) -> Payment:
    """The caller's payment, locked; another's looks like none."""
    payment = await step.work.payments.lock(payment_id)
    if payment is None:
        raise NotFound("There is no such payment.", path=("payment_id",))
    step.by.must_act_for(payment.user_id, "payment", path=("payment_id",))
    return payment
