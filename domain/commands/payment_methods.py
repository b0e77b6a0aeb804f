"""Start saving a method, and update one."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from domain.audit import audit_record
from domain.commands.command import Command, Conclusion, Step
from domain.errors import InvalidInput, NotFound, StateConflict
from domain.identity import new_id
from domain.method_settlement import (
    hold_methods,
    make_default,
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

LATEST_YEAR = 2100
LONGEST_NAME = 200
"""Characters."""


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
class Saved:
    """A method, and the customer whose it is."""

    method: PaymentMethod
    customer_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdatePaymentMethod(Command[Saved, MethodFacts | None]):
    """
    Correct the expiry or the billing name, or make the method the default one, here and at the processor: then it
    also pays for the renewals of subscriptions that name none.
    """

    mutation: ClassVar = "updatePaymentMethod"
    object_kind: ClassVar = ObjectKind.PAYMENT_METHOD
    is_repeatable: ClassVar = True

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
            checked_text(self.billing_name, path=("billing_name",), maximum=LONGEST_NAME)
        if self.makes_default is False:
            raise InvalidInput(
                "A method stops being the default one when another becomes it.", path=("make_default",)
            )

    async def intend(self, step: Step) -> tuple[UUID, Saved]:
        if self.exp_year is not None and not step.at.year <= self.exp_year <= LATEST_YEAR:
            raise InvalidInput("This year is over, or too far away.", path=("exp_year",))
        method = await owned_method(step, self.method_id)
        return method.id, await saved(step.work, method)

    async def recall(self, reads: Reads, operation: Operation) -> Saved:
        method = await reads.payment_methods.get(operation.subject)
        if method is None:
            raise NotFound("There is no such payment method.")
        return await saved(reads, method)

    async def call(self, processor: PaymentProcessor, intent: Saved, *, key: str) -> MethodFacts | None:
        """None where the method itself stays as it is."""
        if self.makes_default:
            await processor.make_default_method(intent.customer_id, intent.method.processor_method_id)
        if self.exp_month is None and self.billing_name is None:
            return None
        return await processor.update_method(
            intent.method,
            exp_month=self.exp_month,
            exp_year=self.exp_year,
            billing_name=self.billing_name,
            key=key,
        )

    async def was_begun(self, processor: PaymentProcessor, intent: Saved) -> bool:
        """The default comes first."""
        method_id = intent.method.processor_method_id
        if self.makes_default:
            return await processor.default_method(intent.customer_id) == method_id
        facts = await processor.attached_method(method_id, intent.customer_id)
        return facts is not None and self._is_seen_in(facts)

    def _is_seen_in(self, facts: MethodFacts) -> bool:
        """What was left out stays as it was."""
        has_expiry = self.exp_month is None or (self.exp_month, self.exp_year) == (
            facts.exp_month,
            facts.exp_year,
        )
        return has_expiry and self.billing_name in {None, facts.billing_name}

    async def conclude(self, step: Step, intent: Saved, answer: MethodFacts | None) -> Conclusion:
        await hold_methods(step.work, intent.method.user_id)
        method = await locked_method(step, intent.method.id)
        if answer is not None:
            method = await update_method(step.work, method, answer, at=step.at, by=step.by)
        if self.makes_default and method.is_attached:
            await make_default(step.work, method, at=step.at, by=step.by)
        return Conclusion(object_id=method.id)


async def saved(reads: Reads, method: PaymentMethod) -> Saved:
    return Saved(method=method, customer_id=await customer_of(reads, method.user_id))


async def customer_of(reads: Reads, user_id: UUID) -> str:
    """The customer of a user who has saved a method."""
    account = await reads.accounts.get(user_id)
    if account is None:
        raise NotFound("There is no such billing account.")
    return account.customer_id


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
