"""Confirm, capture and cancel payments."""

from dataclasses import dataclass, field
from typing import ClassVar, Final
from uuid import UUID

from domain.actor import Role
from domain.arguments import UNKEPT
from domain.audit import audit_record
from domain.commands.command import Step
from domain.commands.payment_command import PaymentCommand, owned_payment, part_of
from domain.commands.usable_methods import usable_method
from domain.errors import Busy
from domain.money import Money
from domain.outcome import Outcome
from domain.payment import Payment
from domain.payment_status import PaymentAction, PaymentStatus
from domain.ports import PaymentProcessor
from domain.rules import Rules
from domain.settlement import record_payment
from domain.text import checked_text, checked_url

CONFIRMED: Final = frozenset(
    {
        PaymentStatus.PROCESSING,
        PaymentStatus.AUTHORIZED,
        PaymentStatus.CANCELLED,
        PaymentStatus.COMPLETED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmPayment(PaymentCommand):
    """Try an unconfirmed, unfinished or failed payment (again), perhaps with another method."""

    mutation: ClassVar = "confirmPayment"

    payment_id: UUID
    payment_method_id: UUID | None = None
    return_url: str | None = None

    def check(self, rules: Rules) -> None:
        if self.return_url is not None:
            checked_url(self.return_url, path=("return_url",))

    async def intend(self, step: Step) -> tuple[UUID, Payment]:
        before = await owned_payment(step, self.payment_id)
        before.must_allow(PaymentAction.CONFIRM, PaymentAction.RETRY)
        must_have_reached_the_bank(before)
        method = None
        if self.payment_method_id is not None:
            method = await usable_method(step, self.payment_method_id, before.user_id)
        after = before.reopened(
            method_id=method.id if method else None,
            processor_method_id=method.processor_method_id if method else None,
            at=step.at,
        )
        await record_payment(step.work, before, after, action="payment.confirming", at=step.at, by=step.by)
        return after.id, after

    async def call(self, processor: PaymentProcessor, intent: Payment, *, key: str) -> Outcome:
        return await processor.confirm(intent, return_url=self.return_url, key=key)

    def is_seen_in(self, payment: Payment) -> bool:
        """
        Only progress, or the failure of another charge, proves that the confirmation got through.

        Otherwise it is safe to send it again.
        """
        has_failed = payment.status is PaymentStatus.FAILED and payment.processor_charge_id is not None
        return has_failed or payment.status in CONFIRMED

    def unchanged(self, intent: Payment) -> Outcome:
        """Open again as it was: the reason of the last decline, if there was one, stands."""
        if intent.decline is None:
            return Outcome(status=PaymentStatus.PENDING)
        return Outcome(status=PaymentStatus.FAILED, decline=intent.decline)


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturePayment(PaymentCommand):
    """Collect what was authorised, or part of it; what is left over is released."""

    mutation: ClassVar = "capturePayment"

    payment_id: UUID
    amount: Money | None = None

    async def intend(self, step: Step) -> tuple[UUID, Payment]:
        step.by.must_be({Role.ADMIN})
        payment = await owned_payment(step, self.payment_id)
        payment.must_allow(PaymentAction.CAPTURE)
        if self.amount is not None:
            most = payment.authorized_amount
            message = f"At most {most} minor units were authorised."
            part_of(payment, self.amount, most=most, message=message)
        return payment.id, payment

    async def call(self, processor: PaymentProcessor, intent: Payment, *, key: str) -> Outcome:
        amount = self.amount.minor if self.amount else None
        return await processor.capture(intent, amount=amount, key=key)

    def is_seen_in(self, payment: Payment) -> bool:
        return payment.status is PaymentStatus.COMPLETED


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelPayment(PaymentCommand):
    """Give up a payment that has not been collected; an authorisation is released."""

    mutation: ClassVar = "cancelPayment"

    payment_id: UUID
    reason: str | None = field(default=None, metadata=UNKEPT)

    def check(self, rules: Rules) -> None:
        if self.reason is not None:
            checked_text(self.reason, path=("reason",))

    async def intend(self, step: Step) -> tuple[UUID, Payment]:
        payment = await owned_payment(step, self.payment_id)
        payment.must_allow(PaymentAction.CANCEL)
        asked = audit_record("payment.cancelling", payment, payment, at=step.at, by=step.by, note=self.reason)
        await step.work.audit.add(asked)
        return payment.id, payment

    async def call(self, processor: PaymentProcessor, intent: Payment, *, key: str) -> Outcome:
        if intent.processor_payment_id is None:
            return Outcome(status=PaymentStatus.CANCELLED)
        return await processor.cancel(intent, key=key)

    def is_seen_in(self, payment: Payment) -> bool:
        return payment.status is PaymentStatus.CANCELLED


def must_have_reached_the_bank(payment: Payment) -> None:
    """Raises Busy while nobody knows whether it did."""
    if payment.processor_payment_id is None:
        raise Busy("It is not known yet what became of this payment.", current="BUSY", path=("payment_id",))
