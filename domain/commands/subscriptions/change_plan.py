"""Change the plan of a subscription, now or with the next period."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from domain.actor import Role
from domain.charge_preview import ChangeTiming, ChargePreview, OnFailure, Proration
from domain.commands.command import Step
from domain.commands.subscriptions.previewed import binding_preview, must_cost_the_same
from domain.commands.subscriptions.subscription_command import ChangeCommand, Intended
from domain.errors import InvalidInput, NotFound, PreviewStale, ProcessorRefused
from domain.plan import Plan
from domain.plan_change import next_plan, previewed_change
from domain.ports import PaymentProcessor, Reads
from domain.subscription import Subscription
from domain.subscription_outcome import SubscriptionOutcome
from domain.subscription_status import SubscriptionAction


@dataclass(frozen=True, slots=True, kw_only=True)
class Changing(Intended):
    plan: Plan
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
    proration: Proration = Proration.PRORATE
    preview_id: UUID | None = None
    if_payment_fails: OnFailure = OnFailure.REVERT

    async def examine(self, step: Step, subscription: Subscription) -> None:
        plan = await next_plan(step.work, subscription, self.plan_id, self.timing)
        await self._must_be_paid_for(step, subscription, plan)
        if self.preview_id is not None:
            await binding_preview(
                step,
                self.preview_id,
                owner=subscription.user_id,
                plan_id=self.plan_id,
                subscription=subscription,
                timing=self.timing,
                proration=self.proration,
            )

    async def _must_be_paid_for(self, step: Step, subscription: Subscription, plan: Plan) -> None:
        """A dearer plan at once, without paying for it at once, is an admin's to give. Raises InvalidInput."""
        if self.timing is ChangeTiming.PERIOD_END or step.by.role is Role.ADMIN:
            return
        former = await step.work.plans.get(subscription.plan_id)
        if former is None or not plan.is_dearer_than(former):
            return
        if self.proration is Proration.NONE:
            raise InvalidInput(
                "A dearer plan is paid for from now on.", path=("proration",), constraint="notForDearerPlans"
            )
        if self.if_payment_fails is OnFailure.KEEP_AS_PAST_DUE:
            raise InvalidInput(
                "A dearer plan is kept only once it is paid for.",
                path=("if_payment_fails",),
                constraint="notForDearerPlans",
            )

    async def intended(self, reads: Reads, subscription: Subscription) -> Changing:
        plan = await reads.plans.get(self.plan_id)
        if plan is None:
            raise NotFound("There is no such plan.", path=("plan_id",))
        preview = await reads.previews.get(self.preview_id) if self.preview_id else None
        return Changing(subscription=subscription, plan=plan, preview=preview)

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
            facts = await processor.schedule_plan(intent.subscription, intent.plan)
            return SubscriptionOutcome(facts=facts)
        return await processor.change_plan(
            intent.subscription,
            intent.plan,
            proration=self.proration,
            reverts=self._reverts,
            prorated_at=intent.preview.prorated_at if intent.preview else None,
            key=key,
        )

    async def ask(self, processor: PaymentProcessor, intent: Changing) -> SubscriptionOutcome | None:
        """Planning a change may be repeated without harm, so nobody needs to know."""
        if self.timing is ChangeTiming.PERIOD_END:
            return None
        return await processor.find_plan_change(intent.subscription, intent.plan, reverts=self._reverts)

    @property
    def _reverts(self) -> bool:
        return self.if_payment_fails is OnFailure.REVERT

    async def _must_still_hold(
        self, processor: PaymentProcessor, intent: Changing, preview: ChargePreview
    ) -> None:
        """A refusal to calculate, such as after the end of the period, means the same as another amount."""
        try:
            fresh = await previewed_change(
                processor,
                intent.subscription,
                intent.plan,
                timing=self.timing,
                proration=self.proration,
                at=preview.prorated_at,
            )
        except ProcessorRefused as refused:
            raise PreviewStale(preview_id=str(preview.id)) from refused
        must_cost_the_same(preview, fresh)
