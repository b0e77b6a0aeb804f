"""What all commands about subscriptions share."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Generic, TypeVar
from uuid import UUID

from domain.commands.command import Command, Conclusion, Step
from domain.errors import Busy, Declined, NotFound, Verdict
from domain.identity import new_id
from domain.operation import ObjectKind, Operation
from domain.payment_status import PaymentTrigger
from domain.ports import PaymentProcessor, Reads
from domain.subscription import Subscription, SubscriptionFacts
from domain.subscription_outcome import SubscriptionOutcome
from domain.subscription_settlement import PlanUnread, settle_subscription
from domain.subscription_status import SubscriptionAction


@dataclass(frozen=True, slots=True, kw_only=True)
class Intended:
    """
    The subscription as the first stroke left it; subclasses add what else the call needs to know.

    `begun` tells apart by their ids what was known when the command began, and what it may have brought about.
    """

    subscription: Subscription
    begun: UUID = field(default_factory=new_id)


I = TypeVar("I", bound=Intended)  # noqa: E741


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionCommand(Command[I, SubscriptionOutcome | None], Generic[I]):
    """A command whose object is a subscription. The answer is None where the processor was not needed."""

    object_kind: ClassVar = ObjectKind.SUBSCRIPTION
    trigger: ClassVar[PaymentTrigger | None] = None
    """What made us collect, where the invoice's own reason does not say it."""

    async def recall(self, reads: Reads, operation: Operation) -> I:
        subscription = await reads.subscriptions.get(operation.subject)
        if subscription is None:
            raise NotFound("There is no such subscription.")
        return replace(await self.intended(reads, subscription), begun=operation.id)

    @abstractmethod
    async def intended(self, reads: Reads, subscription: Subscription) -> I:
        """The intent, from the subscription and this command's own fields."""

    async def charge(self, step: Step, intent: I, facts: SubscriptionFacts) -> str | None:
        """The processor's id of the payment by which this has collected, or tried to; None where it has not."""
        return None

    async def conclude(self, step: Step, intent: I, answer: SubscriptionOutcome | None) -> Conclusion:
        read_as = intent.subscription
        if answer is None:
            return Conclusion(object_id=read_as.id)
        await take_answer(step, read_as, answer.facts, trigger=self.trigger)
        return Conclusion(
            object_id=read_as.id,
            verdict=Declined(answer.decline) if answer.decline else None,
            processor_payment_id=await self.charge(step, intent, answer.facts),
        )

    async def give_up(self, step: Step, intent: I, verdict: Verdict) -> UUID:
        """What was refused has changed nothing."""
        return intent.subscription.id


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeCommand(SubscriptionCommand[I], Generic[I]):
    """A command about a subscription that is there already."""

    action: ClassVar[SubscriptionAction]
    path: ClassVar[Sequence[str]] = ("id",)

    subscription_id: UUID

    async def intend(self, step: Step) -> tuple[UUID, I]:
        subscription = await owned_subscription(step, self.subscription_id, path=self.path)
        await must_be_at_rest(step, subscription, path=self.path)
        subscription.must_allow(self.action, path=self.path)
        must_have_reached_the_processor(subscription, path=self.path)
        await self.examine(step, subscription)
        return subscription.id, await self.intended(step.work, subscription)

    async def examine(self, step: Step, subscription: Subscription) -> None:
        """Raise for whatever else stands in the way."""
        return


@dataclass(frozen=True, slots=True, kw_only=True)
class StateCommand(ChangeCommand[Intended]):
    """A change that only brings about a state, so that it may be sent twice without harm."""

    is_repeatable: ClassVar = True

    async def intended(self, reads: Reads, subscription: Subscription) -> Intended:
        return Intended(subscription=subscription)

    async def call(self, processor: PaymentProcessor, intent: Intended, *, key: str) -> SubscriptionOutcome:
        return SubscriptionOutcome(facts=await self.bring_about(processor, intent.subscription))

    async def was_begun(self, processor: PaymentProcessor, intent: Intended) -> bool:
        facts = await processor.find_subscription(intent.subscription)
        return facts is not None and self.is_seen_in(facts, intent.subscription)

    @abstractmethod
    async def bring_about(
        self, processor: PaymentProcessor, subscription: Subscription
    ) -> SubscriptionFacts: ...

    @abstractmethod
    def is_seen_in(self, facts: SubscriptionFacts, before: Subscription) -> bool:
        """Whether the subscription, which stood as it did before, is in the state that this brings about."""


async def take_answer(
    step: Step, read_as: Subscription, facts: SubscriptionFacts, *, trigger: PaymentTrigger | None = None
) -> None:
    """
    Write the processor's answer down, unless somebody has read the subscription since the call began.

    Theirs may be the newer word, so it stands, and the subscription is read once more. So it is where the answer
    names a plan that nobody has read: the job reads that, too.
    """
    current = await step.work.subscriptions.lock(read_as.id)
    if current is None:
        raise NotFound("There is no such subscription.")
    if current.readings != read_as.readings:
        await step.work.jobs.reread_subscription(current.id)
        return
    try:
        await settle_subscription(step.work, current.id, facts, at=step.at, by=step.by, trigger=trigger)
    except PlanUnread:
        await step.work.jobs.reread_subscription(current.id)


async def owned_subscription(step: Step, subscription_id: UUID, *, path: Sequence[str]) -> Subscription:
    """The caller's subscription, locked; another's looks like none."""
    subscription = await step.work.subscriptions.lock(subscription_id)
    if subscription is None:
        raise NotFound("There is no such subscription.", path=path)
    step.by.must_act_for(subscription.user_id, "subscription", path=path)
    return subscription


async def must_be_at_rest(step: Step, subscription: Subscription, *, path: Sequence[str]) -> None:
    """
    Raises Busy while another command on it has not ended: what the row says may be undone by that any moment.

    So no other rule is asked before this one, since its answer would be about a state that may not last.
    """
    if await step.work.operations.is_any_open(subscription.id):
        raise Busy("Another operation on this is still running.", current="BUSY", path=path)


def must_have_reached_the_processor(subscription: Subscription, *, path: Sequence[str]) -> None:
    """Raises Busy while nobody knows whether it did."""
    if subscription.processor_subscription_id is None:
        raise Busy("It is not known yet what became of this subscription.", current="BUSY", path=path)
