"""Create, confirm, capture and cancel payments."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final
from uuid import UUID

from domain.actor import Actor, Role
from domain.arguments import UNKEPT
from domain.audit import audit_record
from domain.commands.command import Command, Conclusion, Step
from domain.decline import Decline
from domain.errors import (
    AmountOutOfRange,
    Busy,
    CurrencyRuleBroken,
    Declined,
    InvalidInput,
    NotFound,
    ProcessorRefused,
    Verdict,
)
from domain.identity import new_id
from domain.json_value import JsonValue
from domain.money import Money
from domain.operation import ObjectKind, Operation
from domain.payment import (
    CaptureMethod,
    Outcome,
    Payment,
    PaymentAction,
    PaymentStatus,
    PaymentTrigger,
)
from domain.payment_method import PaymentMethod
from domain.ports import PaymentProcessor, Reads
from domain.rules import Rules
from domain.settlement import record_payment, settle
from domain.text import checked_metadata, checked_text, checked_url

REFUSED: Final = "processor_refused"
CONFIRMED: Final = frozenset(
    {
        PaymentStatus.PROCESSING,
        PaymentStatus.AUTHORIZED,
        PaymentStatus.CANCELLED,
        PaymentStatus.COMPLETED,
    }
)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatePayment(PaymentCommand):
    """Collect an amount; without a method the default one pays. `owner` is set when an admin acts for a user."""

    mutation: ClassVar = "createPayment"
    needs_customer: ClassVar = True

    amount: Money
    payment_method_id: UUID | None = None
    is_confirmed: bool = True
    capture_method: CaptureMethod = CaptureMethod.AUTOMATIC
    saves_method: bool = False
    is_off_session: bool = False
    return_url: str | None = None
    description: str | None = field(default=None, metadata=UNKEPT)
    details: Mapping[str, JsonValue] = field(default_factory=dict, metadata=UNKEPT)
    owner: UUID | None = None

    def check(self, rules: Rules) -> None:
        rules.must_allow_client_amounts()
        rules.must_accept(self.amount, path=("charge", "amount"))
        if self.description is not None:
            checked_text(self.description, path=("description",))
        if self.return_url is not None:
            checked_url(self.return_url, path=("return_url",))
        checked_metadata(self.details, path=("metadata",))
        if self.is_off_session and not self.is_confirmed:
            raise InvalidInput("An off-session payment must be confirmed at once.", path=("off_session",))

    def payer(self, actor: Actor) -> UUID:
        if self.owner is None:
            return actor.known_id
        actor.must_be({Role.ADMIN})
        return self.owner

    async def intend(self, step: Step) -> tuple[UUID, Payment]:
        payer = self.payer(step.by)
        account = await step.work.accounts.get(payer)
        if account is None:
            raise NotFound("There is no such billing account.")
        method = await self._method(step, payer)
        payment = Payment(
            id=new_id(),
            user_id=payer,
            status=PaymentStatus.PENDING,
            trigger=PaymentTrigger.PURCHASE if self.owner is None else PaymentTrigger.ADMIN,
            livemode=step.is_live,
            amount=self.amount.minor,
            currency=self.amount.currency,
            capture_method=self.capture_method,
            description=self.description,
            details=self.details,
            payment_method_id=method.id if method else None,
            processor_customer_id=account.customer_id,
            processor_method_id=method.processor_method_id if method else None,
            created_at=step.at,
            updated_at=step.at,
        )
        await step.work.payments.add(payment)
        await step.work.audit.add(audit_record("payment.created", None, payment, at=step.at, by=step.by))
        return payment.id, payment

    async def call(self, processor: PaymentProcessor, intent: Payment, *, key: str) -> Outcome:
        return await processor.charge(
            intent,
            is_confirmed=self.is_confirmed,
            is_off_session=self.is_off_session,
            saves_method=self.saves_method,
            return_url=self.return_url,
            key=key,
        )

    def is_seen_in(self, payment: Payment) -> bool:
        return True

    def unchanged(self, intent: Payment) -> Outcome:
        """The processor made nothing, so the payment has failed for a reason of ours."""
        return Outcome(status=PaymentStatus.FAILED, decline=Decline(code=REFUSED))

    async def _method(self, step: Step, payer: UUID) -> PaymentMethod | None:
        if self.payment_method_id is not None:
            return await usable_method(step, self.payment_method_id, payer)
        default = await step.work.payment_methods.default_of(payer) if self.is_confirmed else None
        if default is None and self.is_confirmed:
            raise InvalidInput(
                "There is no default payment method: name one.",
                path=("payment_method_id",),
                constraint="required",
            )
        return default


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
            self._check_amount(self.amount, payment)
        return payment.id, payment

    async def call(self, processor: PaymentProcessor, intent: Payment, *, key: str) -> Outcome:
        amount = self.amount.minor if self.amount else None
        return await processor.capture(intent, amount=amount, key=key)

    def is_seen_in(self, payment: Payment) -> bool:
        return payment.status is PaymentStatus.COMPLETED

    def _check_amount(self, amount: Money, payment: Payment) -> None:
        currency = payment.currency_rule
        if amount.currency != payment.currency:
            raise CurrencyRuleBroken(
                f"This payment is in {payment.currency}.", path=("amount", "currency"), currency=currency
            )
        if not 0 < amount.minor <= payment.authorized_amount:
            raise AmountOutOfRange(
                f"At most {payment.authorized_amount} minor units were authorised.",
                path=("amount", "minor"),
                currency=currency,
            )
        if amount.minor % currency.step_minor:
            raise CurrencyRuleBroken(
                f"Amounts in {currency.code} are multiples of {currency.step_minor} minor units.",
                path=("amount", "minor"),
                currency=currency,
            )


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
        return payment.id, payment

    async def call(self, processor: PaymentProcessor, intent: Payment, *, key: str) -> Outcome:
        if intent.processor_payment_id is None:
            return Outcome(status=PaymentStatus.CANCELLED)
        return await processor.cancel(intent, key=key)

    def is_seen_in(self, payment: Payment) -> bool:
        return payment.status is PaymentStatus.CANCELLED


async def owned_payment(step: Step, payment_id: UUID) -> Payment:
    """The caller's payment, locked; another's looks like none."""
    payment = await step.work.payments.lock(payment_id)
    if payment is None:
        raise NotFound("There is no such payment.", path=("payment_id",))
    step.by.must_act_for(payment.user_id, "payment")
    return payment


def must_have_reached_the_bank(payment: Payment) -> None:
    """Raises Busy while nobody knows whether it did, and InvalidInput where it did not."""
    if payment.processor_payment_id is not None:
        return
    if payment.status is PaymentStatus.PENDING:
        raise Busy("It is not known yet what became of this payment.", current="BUSY", path=("payment_id",))
    raise InvalidInput("This payment never reached the bank: make a new one.", path=("payment_id",))


async def usable_method(step: Step, method_id: UUID, owner: UUID) -> PaymentMethod:
    """The owner's method, if it may still be charged; another's and a removed one look like none."""
    method = await step.work.payment_methods.get(method_id)
    if method is None or method.user_id != owner or not method.is_attached:
        raise NotFound("There is no such payment method.", path=("payment_method_id",))
    return method
