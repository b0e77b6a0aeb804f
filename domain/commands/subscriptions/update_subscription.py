"""Change what a subscription is paid with, or the app's own data about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from domain.commands.command import Conclusion, Step
from domain.commands.subscriptions.subscription_command import ChangeCommand, Intended
from domain.commands.usable_methods import usable_method
from domain.errors import InvalidInput, NotFound
from domain.json_value import JsonValue
from domain.payment_method import PaymentMethod
from domain.ports import PaymentProcessor, Reads
from domain.rules import Rules
from domain.subscription import Subscription
from domain.subscription_outcome import SubscriptionOutcome
from domain.subscription_settlement import record_subscription
from domain.subscription_status import SubscriptionAction
from domain.text import checked_metadata


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaying(Intended):
    method: PaymentMethod | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateSubscription(ChangeCommand[Repaying]):
    """
    All of it or nothing: the app's data is written down once the processor has taken the method.

    So it is kept for a resumption, since until then nothing else has it.
    """

    mutation: ClassVar = "updateSubscription"
    action: ClassVar = SubscriptionAction.UPDATE
    is_repeatable: ClassVar = True

    payment_method_id: UUID | None = None
    details: Mapping[str, JsonValue] | None = None

    def check(self, rules: Rules) -> None:
        if self.details is not None:
            checked_metadata(self.details, path=("metadata",))
        elif self.payment_method_id is None:
            raise InvalidInput("Say what to change.", path=("payment_method_id",), constraint="required")

    async def examine(self, step: Step, subscription: Subscription) -> None:
        if self.payment_method_id is not None:
            await usable_method(step, self.payment_method_id, subscription.user_id)

    async def intended(self, reads: Reads, subscription: Subscription) -> Repaying:
        method_id = self.payment_method_id
        method = await reads.payment_methods.get(method_id) if method_id else None
        return Repaying(subscription=subscription, method=method)

    async def call(
        self, processor: PaymentProcessor, intent: Repaying, *, key: str
    ) -> SubscriptionOutcome | None:
        if intent.method is None:
            return None
        facts = await processor.pay_with(intent.subscription, intent.method.processor_method_id)
        return SubscriptionOutcome(facts=facts)

    async def was_begun(self, processor: PaymentProcessor, intent: Repaying) -> bool:
        if intent.method is None:
            return False
        facts = await processor.find_subscription(intent.subscription)
        return facts is not None and facts.processor_method_id == intent.method.processor_method_id

    async def conclude(self, step: Step, intent: Repaying, answer: SubscriptionOutcome | None) -> Conclusion:
        conclusion = await super(UpdateSubscription, self).conclude(step, intent, answer)
        if self.details is not None:
            await self._describe(step, intent.subscription.id, self.details)
        return conclusion

    async def _describe(self, step: Step, subscription_id: UUID, details: Mapping[str, JsonValue]) -> None:
        before = await step.work.subscriptions.lock(subscription_id)
        if before is None:
            raise NotFound("There is no such subscription.")
        after = before.changed(at=step.at, details=details)
        await record_subscription(step.work, before, after, at=step.at, by=step.by)
