"""Delete a method, and see to it that what it paid for goes on being paid."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from domain.commands.command import Command, Conclusion, Step
from domain.commands.payment_methods import customer_of, locked_method, owned_method
from domain.commands.subscriptions.subscription_command import take_answer
from domain.commands.usable_methods import DELETION, usable_method
from domain.errors import InvalidInput, MethodInUse, NotFound
from domain.method_settlement import detach, fill_default, hold_methods
from domain.operation import ObjectKind, Operation
from domain.payment_method import PaymentMethod
from domain.ports import PaymentProcessor, Reads
from domain.subscription import Subscription, SubscriptionFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """`handed_over` are the subscriptions that name the method, and are to name its successor instead."""

    method: PaymentMethod
    customer_id: str
    successor: PaymentMethod | None = None
    handed_over: Sequence[Subscription] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletePaymentMethod(Command[Removal, Sequence[SubscriptionFacts]]):
    """
    Forget a method for good. Its successor, if one is named, pays from then on for the subscriptions that named the
    removed one, and becomes the default where that was. A method that is needed has to have a successor.
    """

    mutation: ClassVar = DELETION
    object_kind: ClassVar = ObjectKind.PAYMENT_METHOD
    is_repeatable: ClassVar = True

    method_id: UUID
    successor_id: UUID | None = None

    async def intend(self, step: Step) -> tuple[UUID, Removal]:
        await self._hold_methods(step)
        method = await owned_method(step, self.method_id)
        if self.successor_id is not None:
            await self._check_successor(step, method, self.successor_id)
        elif needing := await subscriptions_needing(step.work, method):
            raise MethodInUse([subscription.id for subscription in needing], path=("id",))
        return method.id, await self._removal(step.work, method)

    async def recall(self, reads: Reads, operation: Operation) -> Removal:
        method = await reads.payment_methods.get(operation.subject)
        if method is None:
            raise NotFound("There is no such payment method.")
        return await self._removal(reads, method)

    async def call(
        self, processor: PaymentProcessor, intent: Removal, *, key: str
    ) -> Sequence[SubscriptionFacts]:
        """The successor is in its place before the method goes, so that a renewal in between is paid."""
        answers = []
        if intent.successor is not None:
            heir = intent.successor.processor_method_id
            if intent.method.is_default:
                await processor.make_default_method(intent.customer_id, heir)
            answers = [await processor.pay_with(each, heir) for each in intent.handed_over]
        await processor.detach_method(intent.method, key=key)
        return answers

    async def was_begun(self, processor: PaymentProcessor, intent: Removal) -> bool:
        """Also where only the successor has taken the method's place, for whichever comes first."""
        method_id = intent.method.processor_method_id
        if await processor.attached_method(method_id, intent.customer_id) is None:
            return True
        if intent.successor is None:
            return False
        heir = intent.successor.processor_method_id
        if intent.method.is_default:
            return await processor.default_method(intent.customer_id) == heir
        found = [await processor.find_subscription(each) for each in intent.handed_over[:1]]
        return any(facts is not None and facts.processor_method_id == heir for facts in found)

    async def conclude(self, step: Step, intent: Removal, answer: Sequence[SubscriptionFacts]) -> Conclusion:
        """Subscriptions are locked before methods here as everywhere, so that nobody waits in a circle."""
        await hold_methods(step.work, intent.method.user_id)
        for read_as, facts in zip(intent.handed_over, answer, strict=True):
            await take_answer(step, read_as, facts)
        await detach(step.work, await locked_method(step, intent.method.id), at=step.at, by=step.by)
        if self.successor_id is not None:
            await self._hand_over(step, self.successor_id)
        return Conclusion(object_id=intent.method.id)

    async def _hold_methods(self, step: Step) -> None:
        """Two deletions may name each other's method as the successor."""
        method = await step.work.payment_methods.get(self.method_id)
        if method is not None:
            await hold_methods(step.work, method.user_id)

    async def _removal(self, reads: Reads, method: PaymentMethod) -> Removal:
        customer_id, successor_id = await customer_of(reads, method.user_id), self.successor_id
        if successor_id is None:
            return Removal(method=method, customer_id=customer_id)
        named_by = await reads.subscriptions.live_paid_by([method.id], owner=None)
        return Removal(
            method=method,
            customer_id=customer_id,
            successor=await reads.payment_methods.get(successor_id),
            handed_over=named_by.get(method.id, ()),
        )

    async def _hand_over(self, step: Step, successor_id: UUID) -> None:
        """Only where no default is left: the removed one was it, perhaps until a webhook told of its removal."""
        successor = await locked_method(step, successor_id)
        if successor.is_attached:
            await fill_default(step.work, successor, at=step.at, by=step.by)

    async def _check_successor(self, step: Step, method: PaymentMethod, successor_id: UUID) -> None:
        path = ("replace_with_id",)
        if successor_id == method.id:
            raise InvalidInput("A method cannot replace itself.", path=path)
        await usable_method(step, successor_id, method.user_id, path=path)


async def subscriptions_needing(reads: Reads, method: PaymentMethod) -> Sequence[Subscription]:
    """Those that will charge the method again: they name it, or name none while it is the default."""
    live = await reads.subscriptions.live_of_user(method.user_id)
    relying = [
        subscription
        for subscription in live
        if subscription.will_charge_again
        and (
            subscription.payment_method_id == method.id
            or (subscription.payment_method_id is None and method.is_default)
        )
    ]
    plans = await reads.plans.by_ids([plan_id for each in relying for plan_id in each.plan_ids])
    return [each for each in relying if any(plans[plan_id].amount for plan_id in each.plan_ids)]
