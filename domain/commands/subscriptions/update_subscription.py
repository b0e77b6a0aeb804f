"""Change what a subscription is paid with, or the app's own data about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar
from uuid import UUID

from domain.arguments import UNKEPT
from domain.commands.command import Step
from domain.commands.subscriptions.subscription_command import ChangeCommand, Intended
from domain.commands.usable_methods import usable_method
from domain.errors import InvalidInput
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
    """The app's data is ours alone and written at once; the method is the processor's business too."""

    mutation: ClassVar = "updateSubscription"
    action: ClassVar = SubscriptionAction.UPDATE
    is_repeatable: ClassVar = True

    payment_method_id: UUID | None = None
    details: Mapping[str, JsonValue] | None = field(default=None, metadata=UNKEPT)

    def check(self, rules: Rules) -> None:
        if self.details is not None:
            checked_metadata(self.details, path=("metadata",))
        elif self.payment_method_id is None:
            raise InvalidInput("Say what to change.", path=("payment_method_id",), constraint="required")

    async def examine(self, step: Step, subscription: Subscription) -> None:
        if self.payment_method_id is not None:
            await usable_method(step, self.payment_method_id, subscription.user_id)
        if self.details is not None:
            after = subscription.changed(at=step.at, details=self.details)
            await record_subscription(step.work, subscription, after, at=step.at, by=step.by)

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
