"""
The shape of every command that reaches the processor: three strokes, and never a call while a transaction is open.

1. `intend`    in a transaction: check, and write down what is about to happen
2. `call`      no transaction: ask the processor, under a key that is the same on every attempt where money moves
3. `conclude`  in a transaction: write down what came of it

A crash between two strokes leaves a RUNNING operation, which the caller's retry or the worker resumes.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Generic, Self, TypeVar
from uuid import UUID

from domain.account import BillingAccount
from domain.actor import Actor
from domain.errors import Verdict
from domain.operation import ObjectKind, Operation
from domain.ports import PaymentProcessor, Reads, Work
from domain.rules import Rules

Intent = TypeVar("Intent")
"""What is about to be acted on, as the first stroke wrote it."""
Answer = TypeVar("Answer")
"""What the processor said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """
    One stroke's transaction, its moment, who is behind it, whether the money is real, and what is allowed.

    `is_keyed` is whether the caller sent an idempotency key, by which a repetition is known; the first stroke asks.
    """

    work: Work
    at: datetime
    by: Actor
    is_live: bool
    rules: Rules
    is_keyed: bool = True
    payer: BillingAccount | None = None
    """With its customer, and held until the stroke ends, before the call of a command that needs one."""

    @property
    def account(self) -> BillingAccount:
        """The payer, for a command that needs a customer."""
        if self.payer is None:
            raise LookupError("No account was opened for this step")
        return self.payer


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """
    The object that a command made or changed, and the bad news in it, if any.

    `processor_payment_id` is the processor's id of the payment by which a command about something else collected.
    """

    object_id: UUID | None
    verdict: Verdict | None = None
    processor_payment_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(ABC, Generic[Intent, Answer]):
    """Subclasses are frozen dataclasses whose fields are the caller's input."""

    mutation: ClassVar[str]
    object_kind: ClassVar[ObjectKind]
    needs_customer: ClassVar[bool] = False
    is_local: ClassVar[bool] = False
    """Whether the first stroke does it all, since there is nothing to ask of the processor."""
    is_repeatable: ClassVar[bool] = False
    """
    Whether the processor may carry it out twice without harm. Each attempt then has a key of its own, so that
    an error which the processor stored under one is not its answer for ever.
    """

    def check(self, rules: Rules) -> None:
        """Raise InvalidInput for whatever can be judged without looking anything up."""
        return

    def payer(self, actor: Actor) -> UUID:
        """Whose billing account this is about."""
        return actor.known_id

    @abstractmethod
    async def intend(self, step: Step) -> tuple[UUID | None, Intent]:
        """The object it is about, if it exists by now, and the intent."""

    def decided(self, intent: Intent) -> Self:
        """This command as it is resumed: what the caller left open is as the first stroke has decided it."""
        return self

    @abstractmethod
    async def recall(self, reads: Reads, operation: Operation) -> Intent:
        """The intent again, from what the first stroke left."""

    @abstractmethod
    async def call(self, processor: PaymentProcessor, intent: Intent, *, key: str) -> Answer: ...

    async def ask(self, processor: PaymentProcessor, intent: Intent) -> Answer | None:
        """Before calling again: the processor's answer, where it can tell that the last call was carried out."""
        return None

    async def was_begun(self, processor: PaymentProcessor, intent: Intent) -> bool:
        """
        After a day, where `ask` has no answer: whether any of it was done all the same.

        Then the call is made once more, which must do no harm; otherwise the command is given up.
        """
        return False

    @abstractmethod
    async def conclude(self, step: Step, intent: Intent, answer: Answer) -> Conclusion: ...

    async def give_up(self, step: Step, intent: Intent, verdict: Verdict) -> UUID | None:
        """The processor definitely did not do it: leave the object in a state that says so."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalCommand(Command[None, None]):
    """
    A command that has nothing to ask of the processor: `intend` does it all, in the transaction that keeps its key.

    So there is nothing in between that a crash could interrupt, and nothing to resume.
    """

    is_local: ClassVar = True

    async def recall(self, reads: Reads, operation: Operation) -> None:
        return None

    async def call(self, processor: PaymentProcessor, intent: None, *, key: str) -> None:
        return None

    async def conclude(self, step: Step, intent: None, answer: None) -> Conclusion:
        return Conclusion(object_id=None)
