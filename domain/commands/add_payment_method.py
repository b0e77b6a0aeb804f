"""Save a method, and recognise one that is saved already."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final
from uuid import UUID

from domain.commands.command import Command, Conclusion, Step
from domain.commands.payment_methods import customer_of
from domain.errors import InvalidInput
from domain.method_settlement import settle_method
from domain.operation import ObjectKind, Operation
from domain.payment_method import MethodFacts, PaymentMethod
from domain.ports import PaymentProcessor, Reads
from domain.rules import Rules
from domain.text import checked_text

LONGEST_PROCESSOR_ID: Final = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Adding:
    """`known` are the user's methods so far."""

    user_id: UUID
    customer_id: str
    known: Sequence[PaymentMethod]

    @property
    def is_first(self) -> bool:
        return not any(method.is_default for method in self.known)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddPaymentMethod(Command[Adding, MethodFacts]):
    """
    Save a method that the app made with the processor's own library.

    A card that is saved already, by its fingerprint, is not saved twice: the saved one takes over the new expiry and
    name, and stays what subscriptions and payments know it as. The new method is left to itself, never attached.
    """

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

    async def intend(self, step: Step) -> tuple[None, Adding]:
        return None, await self._adding(step.work, step.account.user_id, step.account.customer_id)

    async def recall(self, reads: Reads, operation: Operation) -> Adding:
        user_id = operation.caller_id
        return await self._adding(reads, user_id, await customer_of(reads, user_id))

    async def call(self, processor: PaymentProcessor, intent: Adding, *, key: str) -> MethodFacts:
        facts = await self._saved(processor, intent, key=key)
        if self.makes_default or intent.is_first:
            await processor.make_default_method(intent.customer_id, facts.processor_method_id)
        return facts

    async def was_begun(self, processor: PaymentProcessor, intent: Adding) -> bool:
        """Also where the method is left to itself, and the saved one of its card has become the default."""
        if await processor.attached_method(self.processor_method_id, intent.customer_id) is not None:
            return True
        default = await processor.default_method(intent.customer_id) if self.makes_default else None
        unheard = [
            each for each in intent.known if each.processor_method_id == default and not each.is_default
        ]
        if not unheard:
            return False
        shown = await processor.find_method(self.processor_method_id)
        return _same_card(shown, unheard) is not None

    async def conclude(self, step: Step, intent: Adding, answer: MethodFacts) -> Conclusion:
        method = await settle_method(
            step.work, intent.user_id, answer, at=step.at, by=step.by, makes_default=self.makes_default
        )
        return Conclusion(object_id=method.id)

    async def _adding(self, reads: Reads, user_id: UUID, customer_id: str) -> Adding:
        of_users = await reads.payment_methods.of_users([user_id], owner=None, with_detached=False)
        return Adding(user_id=user_id, customer_id=customer_id, known=of_users.get(user_id, ()))

    async def _saved(self, processor: PaymentProcessor, intent: Adding, *, key: str) -> MethodFacts:
        shown = await processor.find_method(self.processor_method_id) if intent.known else None
        same = _same_card(shown, intent.known) if shown else None
        if shown is None or same is None:
            return await processor.attach_method(self.processor_method_id, intent.customer_id, key=key)
        return await processor.update_method(
            same,
            exp_month=shown.exp_month,
            exp_year=shown.exp_year,
            billing_name=shown.billing_name,
            key=key,
        )


def _same_card(shown: MethodFacts, known: Sequence[PaymentMethod]) -> PaymentMethod | None:
    """The saved method that is another one of the same card."""
    if shown.fingerprint is None:
        return None
    same = (method for method in known if method.fingerprint == shown.fingerprint)
    return next((each for each in same if each.processor_method_id != shown.processor_method_id), None)
