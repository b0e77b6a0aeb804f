"""Cancel a subscription, and take that back."""

from dataclasses import dataclass, field
from typing import ClassVar

from domain.arguments import UNKEPT
from domain.audit import audit_record
from domain.commands.command import Step
from domain.commands.subscriptions.subscription_command import StateCommand
from domain.errors import StateConflict
from domain.ports import PaymentProcessor
from domain.rules import Rules
from domain.subscription import CancelReason, CancelTiming, Subscription, SubscriptionFacts
from domain.subscription_status import SubscriptionAction
from domain.text import checked_text


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelSubscription(StateCommand):
    """
    With the current period, or now: then nothing is collected any more, and an open invoice becomes void.

    A period that was not paid for is not waited for, so such a subscription ends now in any case.
    """

    mutation: ClassVar = "cancelSubscription"
    action: ClassVar = SubscriptionAction.CANCEL

    timing: CancelTiming = CancelTiming.PERIOD_END
    reason: CancelReason | None = None
    comment: str | None = field(default=None, metadata=UNKEPT)

    def check(self, rules: Rules) -> None:
        if self.comment is not None:
            checked_text(self.comment, path=("comment",))

    async def examine(self, step: Step, subscription: Subscription) -> None:
        if not subscription.ends_at_once(self.timing) and subscription.is_last_period:
            raise StateConflict(
                "This subscription ends with its current period already.",
                current="ENDING",
                allowed=subscription.actions,
                path=self.path,
            )
        asked = audit_record(
            "subscription.cancelling", subscription, subscription, at=step.at, by=step.by, note=self.comment
        )
        await step.work.audit.add(asked)

    async def bring_about(self, processor: PaymentProcessor, subscription: Subscription) -> SubscriptionFacts:
        if subscription.ends_at_once(self.timing):
            return await processor.end_subscription(subscription, reason=self.reason)
        return await processor.end_with_period(subscription, reason=self.reason)

    def is_seen_in(self, facts: SubscriptionFacts, before: Subscription) -> bool:
        return facts.has_ended if before.ends_at_once(self.timing) else facts.is_ending


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepSubscription(StateCommand):
    """Take a planned end or a planned plan change back."""

    mutation: ClassVar = "keepSubscription"
    action: ClassVar = SubscriptionAction.KEEP

    async def bring_about(self, processor: PaymentProcessor, subscription: Subscription) -> SubscriptionFacts:
        return await processor.keep_subscription(subscription)

    def is_seen_in(self, facts: SubscriptionFacts, before: Subscription) -> bool:
        return not facts.is_ending and facts.pending_price_id is None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepFromEnding(KeepSubscription):
    """Take a planned end back; a plan change alone, of which the caller says nothing, stays. Resumed as any other."""

    async def examine(self, step: Step, subscription: Subscription) -> None:
        if not subscription.is_last_period:
            raise StateConflict(
                "This subscription does not end with its current period.",
                current=subscription.status,
                allowed=subscription.actions,
                path=self.path,
            )
