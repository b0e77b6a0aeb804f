"""Change the plan of a subscription, now or with the next period."""

from dataclasses import dataclass, replace
from typing import ClassVar, Self
from uuid import UUID

from domain.charge_preview import ChangeTiming, ChargePreview, OnFailure, Proration
from domain.commands.command import Step
from domain.commands.subscriptions.charge import charged_for_change
from domain.commands.subscriptions.previewed import binding_preview, must_cost_the_same
from domain.commands.subscriptions.subscription_command import ChangeCommand, Intended
from domain.errors import PreviewStale, ProcessorRefused
from domain.plan_change import PlanChange, plan_change, possible_change, previewed_change
from domain.ports import PaymentProcessor, Reads
from domain.subscription import Subscription, SubscriptionFacts
from domain.subscription_outcome import SubscriptionOutcome
from domain.subscription_status import SubscriptionAction


@dataclass(frozen=True, slots=True, kw_only=True)
class Changing(Intended):
    change: PlanChange
    proration: Proration
    preview: ChargePreview | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePlan(ChangeCommand[Changing]):
    """
    With a preview it costs what that showed, to the minor unit, or nothing happens.

    What is previewed and what is charged are calculated as of the same instant; before the change itself the
    calculation is repeated, since a balance or a tax may have changed meanwhile.
    """

    mutation: ClassVar = "changePlan"
    action: ClassVar = SubscriptionAction.CHANGE_PLAN
    path: ClassVar = ("subscription_id",)

    plan_id: UUID
    timing: ChangeTiming = ChangeTiming.NOW
    proration: Proration | None = None
    preview_id: UUID | None = None
    if_payment_fails: OnFailure = OnFailure.REVERT

    async def intend(self, step: Step) -> tuple[UUID, Changing]:
        """Meanwhile no other subscription of the same user can turn to the plan."""
        await step.work.accounts.lock_subscriber(self.subscription_id)
        return await super(ChangePlan, self).intend(step)

    async def examine(self, step: Step, subscription: Subscription) -> None:
        change = await possible_change(step.work, subscription, self.plan_id, self.timing)
        change.must_be_paid_for(self.proration, self.if_payment_fails, by=step.by)
        if self.preview_id is not None:
            await binding_preview(
                step,
                self.preview_id,
                owner=subscription.user_id,
                plan_id=self.plan_id,
                subscription=subscription,
                timing=self.timing,
                proration=self.proration or change.usual_proration,
            )

    def decided(self, intent: Changing) -> Self:
        return replace(self, proration=intent.proration)

    async def intended(self, reads: Reads, subscription: Subscription) -> Changing:
        change = await plan_change(reads, subscription, self.plan_id, self.timing)
        return Changing(
            subscription=subscription,
            change=change,
            proration=self.proration or change.usual_proration,
            preview=await reads.previews.get(self.preview_id) if self.preview_id else None,
        )

    async def call(self, processor: PaymentProcessor, intent: Changing, *, key: str) -> SubscriptionOutcome:
        if intent.preview is not None:
            try:
                await self._must_still_hold(processor, intent, intent.preview)
            except PreviewStale:
                # An earlier call of ours may have got through since we asked: then the change itself is why.
                if done := await self.ask(processor, intent):
                    return done
                raise
        if self.timing is ChangeTiming.PERIOD_END:
            facts = await processor.schedule_plan(intent.subscription, intent.change.plan)
            return SubscriptionOutcome(facts=facts)
        return await processor.change_plan(
            intent.subscription,
            intent.change.plan,
            proration=intent.proration,
            reverts=self._reverts,
            prorated_at=intent.preview.prorated_at if intent.preview else None,
            key=key,
        )

    async def ask(self, processor: PaymentProcessor, intent: Changing) -> SubscriptionOutcome | None:
        """Planning a change may be repeated without harm, so nobody needs to know."""
        if self.timing is ChangeTiming.PERIOD_END:
            return None
        return await processor.find_plan_change(
            intent.subscription, intent.change.plan, reverts=self._reverts
        )

    async def was_begun(self, processor: PaymentProcessor, intent: Changing) -> bool:
        """A change with the next period is planned, and nothing of it collected by now."""
        if self.timing is not ChangeTiming.PERIOD_END:
            return False
        facts = await processor.find_subscription(intent.subscription)
        return facts is not None and facts.pending_price_id == intent.change.plan.processor_price_id

    async def charge(self, step: Step, intent: Changing, facts: SubscriptionFacts) -> str | None:
        return await charged_for_change(step, intent, facts)

    @property
    def _reverts(self) -> bool:
        return self.if_payment_fails is OnFailure.REVERT

    async def _must_still_hold(
        self, processor: PaymentProcessor, intent: Changing, preview: ChargePreview
    ) -> None:
        """A refusal to calculate, such as after the end of the period, means the same as another amount."""
        try:
            fresh = await previewed_change(processor, intent.change, intent.proration, at=preview.prorated_at)
        except ProcessorRefused as refused:
            raise PreviewStale(preview_id=str(preview.id)) from refused
        must_cost_the_same(preview, fresh)
