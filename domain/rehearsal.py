"""
What something would change, found out by doing it in one transaction that never commits.

No connection may be held while the processor is asked. So a rehearsal hears the processor from memory: at a question
whose answer nobody has heard yet it breaks off, and everything is rolled back; then the processor is asked with
nothing held, and the rehearsal begins anew. The last one runs through without asking anybody.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeAlias, TypeVar, cast

from domain.audit import AuditRecord
from domain.errors import Busy, DomainError
from domain.ports import Database, PaymentProcessor
from domain.ports.rehearsal import Stages

MOST_QUESTIONS: Final = 50
"""Nothing that is rehearsed asks nearly as many."""

QUESTIONS: Final = frozenset(
    {
        "attached_method",
        "find_dispute",
        "find_method",
        "find_payment",
        "find_plan_change",
        "find_refund",
        "find_refunds",
        "find_subscription",
        "invoice_of_payment",
        "list_plans",
        "read_invoice",
        "read_plan",
        "read_subscription",
    }
)
"""What of the processor only tells how things are. All else of it is out of reach in a rehearsal."""

T = TypeVar("T")

Action: TypeAlias = Callable[[Database, PaymentProcessor], Awaitable[T]]
"""Does over this database, and with this processor, what is rehearsed."""


class Interrupted(BaseException):
    """Ends a rehearsal wherever it stands. Nothing that deals with failures takes it for one."""


class Outrun(Interrupted):
    """Somebody else holds what is needed."""


class Commanded(Interrupted):
    """The processor was to do something."""


class Unanswered(Interrupted):
    def __init__(self, question: "Question") -> None:
        super().__init__(question.name)
        self.question = question


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    name: str
    arguments: tuple[Any, ...]
    named: dict[str, Any]

    async def put_to(self, processor: PaymentProcessor) -> "Answer":
        """A refusal to tell is an answer, too."""
        try:
            told = await getattr(processor, self.name)(*self.arguments, **self.named)
        except DomainError as refusal:
            return Answer(question=self, refusal=refusal)
        return Answer(question=self, told=told)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    question: Question
    told: Any = None
    refusal: DomainError | None = None


@dataclass(slots=True, kw_only=True)
class RememberedProcessor:
    """Answers what it has heard the answer of. Each part of the processor's port that is no question is refused."""

    is_live: bool
    answers: list[Answer] = field(default_factory=list)

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        if name not in QUESTIONS:
            raise Commanded(name)

        async def ask(*arguments: Any, **named: Any) -> Any:
            return self._answer_to(Question(name=name, arguments=arguments, named=named))

        return ask

    def _answer_to(self, question: Question) -> Any:
        for answer in self.answers:
            if answer.question == question:
                if answer.refusal is not None:
                    raise answer.refusal
                return answer.told
        raise Unanswered(question)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed(Generic[T]):
    """What came of it, what would be recorded, in order, and the names of the jobs that would follow."""

    result: T
    changes: tuple[AuditRecord, ...]
    jobs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    stages: Stages
    processor: PaymentProcessor

    async def of(self, action: Action[T]) -> Rehearsed[T]:
        """
        What the action would come to now. Nothing of it is kept, but for what the action itself raises.

        New objects have other ids each time. Raises Busy where others are changing the same, RuntimeError where the
        action would have the processor do something.
        """
        memory = RememberedProcessor(is_live=self.processor.is_live)
        for _ in range(MOST_QUESTIONS):
            try:
                return await self._performed(action, memory)
            except Unanswered as open_:
                question = open_.question
            except Outrun as outrun:
                raise Busy("Somebody is changing the same: ask again.", current="BUSY") from outrun
            except Commanded as command:
                raise RuntimeError(f"{command} is no question, and cannot be rehearsed") from command
            memory.answers.append(await question.put_to(self.processor))
        raise Busy("What the processor tells keeps changing: ask again.", current="BUSY")

    async def _performed(self, action: Action[T], memory: RememberedProcessor) -> Rehearsed[T]:
        async with self.stages.opened() as stage:
            result = await action(stage.database, cast("PaymentProcessor", memory))
            return Rehearsed(result=result, changes=tuple(await stage.records()), jobs=tuple(stage.jobs))
