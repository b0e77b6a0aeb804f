"""Pause a subscription, and resume it."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from domain.commands.command import Step
from domain.commands.subscriptions.charge import charged_for_change
from domain.commands.subscriptions.subscription_command import ChangeCommand, Intended, StateCommand
from domain.errors import InvalidInput
from domain.ports import PaymentProcessor, Reads
from domain.subscription import Subscription, SubscriptionFacts
from domain.subscription_outcome import SubscriptionOutcome
from domain.subscription_status import SubscriptionAction, SubscriptionStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseSubscription(StateCommand):
    """Collect nothing until it is resumed, by the customer or at that time; renewals meanwhile are free of charge."""

    mutation: ClassVar = "pauseSubscription"
    action: ClassVar = SubscriptionAction.PAUSE

    resumes_at: datetime | None = None

    async def examine(self, step: Step, subscription: Subscription) -> None:
        if self.resumes_at is not None and self.resumes_at <= step.at:
            raise InvalidInput("A pause ends in the future.", path=("resumes_at",), constraint="future")

    async def bring_about(self, processor: PaymentProcessor, subscription: Subscription) -> SubscriptionFacts:
        return await processor.pause_subscription(subscription, until=self.resumes_at)

    def is_seen_in(self, facts: SubscriptionFacts, before: Subscription) -> bool:
        return facts.status is SubscriptionStatus.PAUSED


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeSubscription(ChangeCommand[Intended]):
    """
    Collect again, from the next renewal on where the current period is paid for.

    Where it is not, since a renewal was written off meanwhile or a trial ended without a method, a new period
    begins, which is charged at once: nobody waits for what they want to pay for.
    """

    mutation: ClassVar = "resumeSubscription"
    action: ClassVar = SubscriptionAction.RESUME

    async def intended(self, reads: Reads, subscription: Subscription) -> Intended:
        return Intended(subscription=subscription)

    async def call(self, processor: PaymentProcessor, intent: Intended, *, key: str) -> SubscriptionOutcome:
        return SubscriptionOutcome.told_by(await processor.resume_subscription(intent.subscription, key=key))

    async def ask(self, processor: PaymentProcessor, intent: Intended) -> SubscriptionOutcome | None:
        facts = await processor.find_subscription(intent.subscription)
        if facts is None or facts.status is SubscriptionStatus.PAUSED or facts.is_lapsed:
            return None
        return SubscriptionOutcome.told_by(facts)

    async def charge(self, step: Step, intent: Intended, facts: SubscriptionFacts) -> str | None:
        return await charged_for_change(step, intent, facts)
