"""Start saving a method, add, update and delete one."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from domain.account import BillingAccount
from domain.audit import audit_record
from domain.commands.command import Command, Conclusion, Step
from domain.errors import InvalidInput, NotFound, StateConflict
from domain.identity import new_id
from domain.method_settlement import (
    detach,
    fill_default,
    hold_methods,
    make_default,
    settle_method,
    settle_setup,
    update_method,
)
from domain.operation import ObjectKind, Operation
from domain.payment_method import (
    MethodFacts,
    PaymentMethod,
    PaymentMethodSetup,
    SetupFacts,
    SetupStatus,
)
from domain.ports import PaymentProcessor, Reads
from domain.rules import Rules
from domain.text import checked_text

LONGEST_PROCESSOR_ID = 255
LATEST_YEAR = 2100


@dataclass(frozen=True, slots=True, kw_only=True)
class StartPaymentMethodSetup(Command[PaymentMethodSetup, SetupFacts]):
    """Let the app collect a card and the bank's consent; the card appears among the methods when that is done."""

    mutation: ClassVar = "startPaymentMethodSetup"
    object_kind: ClassVar = ObjectKind.PAYMENT_METHOD_SETUP
    is_repeatable: ClassVar = True
    needs_customer: ClassVar = True

    makes_default: bool = False

    async def intend(self, step: Step) -> tuple[UUID, PaymentMethodSetup]:
        account = step.account
        setup = PaymentMethodSetup(
            id=new_id(),
            user_id=account.user_id,
            status=SetupStatus.REQUIRES_METHOD,
            makes_default=self.makes_default,
            processor_customer_id=account.customer_id,
            created_at=step.at,
            updated_at=step.at,
        )
        await step.work.setups.add(setup)
        started = audit_record("payment_method_setup.started", None, setup, at=step.at, by=step.by)
        await step.work.audit.add(started)
        return setup.id, setup

    async def recall(self, reads: Reads, operation: Operation) -> PaymentMethodSetup:
        setup = await reads.setups.get(operation.subject)
        if setup is None:
            raise NotFound("There is no such set-up.")
        return setup

    async def call(self, processor: PaymentProcessor, intent: PaymentMethodSetup, *, key: str) -> SetupFacts:
        return await processor.start_setup(intent, key=key)

    async def conclude(self, step: Step, intent: PaymentMethodSetup, answer: SetupFacts) -> Conclusion:
        await settle_setup(step.work, intent.id, answer, None, at=step.at, by=step.by)
        return Conclusion(object_id=intent.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddPaymentMethod(Command[BillingAccount, MethodFacts]):
    """Save a method that the app made with the processor's own library."""

    mutation: ClassVar = "addPaymentMethod"
    object_kind: ClassVar = ObjectKind.PAYMENT_METHOD
    is_repeatable: ClassVar = True
    needs_customer: ClassVar = True

    processor_method_id: str
    makes_default: bool = False

    def check(self, rules: Rules) -> None:
        path = ("stripe_payment_method_id",)
        checked_text(self.processor_method_id, path=path, maximum=LONGEST_PROCESSOR_ID)
        name = self.processor_method_id.replace("_", "")
        if not (self.processor_method_id.startswith("pm_") and name.isascii() and name.isalnum()):
            raise InvalidInput("This is not the id of a Stripe payment method.", path=path, constraint="pm_…")

    async def intend(self, step: Step) -> tuple[None, BillingAccount]:
        return None, step.account

    async def recall(self, reads: Reads, operation: Operation) -> BillingAccount:
        account = await reads.accounts.get(operation.caller_id)
        if account is None:
            raise NotFound("There is no such billing account.")
        return account

    async def call(self, processor: PaymentProcessor, intent: BillingAccount, *, key: str) -> MethodFacts:
        return await processor.attach_method(self.processor_method_id, intent.customer_id, key=key)

    async def conclude(self, step: Step, intent: BillingAccount, answer: MethodFacts) -> Conclusion:
        method = await settle_method(
            step.work, intent.user_id, answer, at=step.at, by=step.by, makes_default=self.makes_default
        )
        return Conclusion(object_id=method.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedMethodCommand(Command[PaymentMethod, MethodFacts | None]):
    """A command about a method that is saved already. The processor's answer is None where it was not needed."""

    object_kind: ClassVar = ObjectKind.PAYMENT_METHOD
    is_repeatable: ClassVar = True

    async def recall(self, reads: Reads, operation: Operation) -> PaymentMethod:
        method = await reads.payment_methods.get(operation.subject)
        if method is None:
            raise NotFound("There is no such payment method.")
        return method


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdatePaymentMethod(SavedMethodCommand):
    """Correct the expiry or the billing name, or make the method the default one."""

    mutation: ClassVar = "updatePaymentMethod"

    method_id: UUID
    exp_month: int | None = None
    exp_year: int | None = None
    billing_name: str | None = None
    makes_default: bool | None = None

    def check(self, rules: Rules) -> None:
        if (self.exp_month is None) != (self.exp_year is None):
            raise InvalidInput("Month and year of expiry go together.", path=("exp_month",))
        if self.exp_month is not None and not 1 <= self.exp_month <= 12:
            raise InvalidInput("A month is 1 to 12.", path=("exp_month",), constraint="1..12")
        if self.billing_name is not None:
            checked_text(self.billing_name, path=("billing_name",), maximum=200)
        if self.makes_default is False:
            raise InvalidInput(
                "A method stops being the default one when another becomes it.", path=("make_default",)
            )

    async def intend(self, step: Step) -> tuple[UUID, PaymentMethod]:
        if self.exp_year is not None and not step.at.year <= self.exp_year <= LATEST_YEAR:
            raise InvalidInput("This year is over, or too far away.", path=("exp_year",))
        method = await owned_method(step, self.method_id)
        return method.id, method

    async def call(
        self, processor: PaymentProcessor, intent: PaymentMethod, *, key: str
    ) -> MethodFacts | None:
        if self.exp_month is None and self.billing_name is None:
            return None
        return await processor.update_method(
            intent, exp_month=self.exp_month, exp_year=self.exp_year, billing_name=self.billing_name, key=key
        )

    async def conclude(self, step: Step, intent: PaymentMethod, answer: MethodFacts | None) -> Conclusion:
        await hold_methods(step.work, intent.user_id)
        method = await locked_method(step, intent.id)
        if answer is not None:
            method = await update_method(step.work, method, answer, at=step.at, by=step.by)
        if self.makes_default and method.is_attached:
            await make_default(step.work, method, at=step.at, by=step.by)
        return Conclusion(object_id=method.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletePaymentMethod(SavedMethodCommand):
    """Forget a method for good; its successor, if one is named, becomes the default where this one was."""

    mutation: ClassVar = "deletePaymentMethod"

    method_id: UUID
    successor_id: UUID | None = None

    async def intend(self, step: Step) -> tuple[UUID, PaymentMethod]:
        method = await owned_method(step, self.method_id)
        if self.successor_id is not None:
            await self._check_successor(step, method, self.successor_id)
        return method.id, method

    async def call(self, processor: PaymentProcessor, intent: PaymentMethod, *, key: str) -> None:
        await processor.detach_method(intent, key=key)

    async def conclude(self, step: Step, intent: PaymentMethod, answer: MethodFacts | None) -> Conclusion:
        await hold_methods(step.work, intent.user_id)
        await detach(step.work, await locked_method(step, intent.id), at=step.at, by=step.by)
        if self.successor_id is not None:
            await self._hand_over(step, self.successor_id)
        return Conclusion(object_id=intent.id)

    async def _hand_over(self, step: Step, successor_id: UUID) -> None:
        """Only where no default is left: the removed one was it, perhaps until a webhook told of its removal."""
        successor = await locked_method(step, successor_id)
        if successor.is_attached:
            await fill_default(step.work, successor, at=step.at, by=step.by)

    async def _check_successor(self, step: Step, method: PaymentMethod, successor_id: UUID) -> None:
        successor = await step.work.payment_methods.get(successor_id)
        if successor is None or successor.user_id != method.user_id or not successor.is_attached:
            raise NotFound("There is no such payment method.", path=("replace_with_id",))
        if successor.id == method.id:
            raise InvalidInput("A method cannot replace itself.", path=("replace_with_id",))


async def owned_method(step: Step, method_id: UUID) -> PaymentMethod:
    """The caller's method, locked and still attached; another's looks like none."""
    method = await step.work.payment_methods.lock(method_id)
    if method is None:
        raise NotFound("There is no such payment method.", path=("id",))
    step.by.must_act_for(method.user_id, "payment method", path=("id",))
    if not method.is_attached:
        raise StateConflict("This payment method was removed.", current="DETACHED", path=("id",))
    return method


async def locked_method(step: Step, method_id: UUID) -> PaymentMethod:
    method = await step.work.payment_methods.lock(method_id)
    if method is None:
        raise NotFound("There is no such payment method.")
    return method
