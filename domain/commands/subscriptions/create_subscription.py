"""Subscribe to a plan."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar
from uuid import UUID

from domain.actor import Actor
from domain.arguments import UNKEPT
from domain.audit import audit_record
from domain.charge_preview import ChargePreview
from domain.commands.command import Step
from domain.commands.subscriptions.charge import charged_for
from domain.commands.subscriptions.previewed import binding_preview, must_cost_the_same
from domain.commands.subscriptions.subscription_command import Intended, SubscriptionCommand
from domain.commands.usable_methods import method_or_default
from domain.errors import (
    Busy,
    NotFound,
    PreviewStale,
    ProcessorRefused,
    TrialUsed,
    Verdict,
)
from domain.identity import new_id
from domain.invoice import BillingReason
from domain.json_value import JsonValue
from domain.payment_method import PaymentMethod
from domain.plan import Plan
from domain.plan_change import must_not_be_subscribed, offered_plan
from domain.ports import PaymentProcessor, Reads
from domain.rules import Rules
from domain.subscription import Subscription, SubscriptionFacts
from domain.subscription_outcome import SubscriptionOutcome
from domain.subscription_settlement import record_subscription
from domain.subscription_status import SubscriptionStatus
from domain.text import checked_metadata
from domain.trial import TrialRedemption


@dataclass(frozen=True, slots=True, kw_only=True)
class Starting(Intended):
    """`default` is the user's default method, where no other was named for the subscription."""

    plan: Plan
    named: PaymentMethod | None
    default: PaymentMethod | None
    preview: ChargePreview | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSubscription(SubscriptionCommand[Starting]):
    """
    Pay for a plan, period after period. `owner` is set when an admin acts for a user.

    A subscription that names no method follows its user's default one, at each renewal.
    """

    mutation: ClassVar = "createSubscription"
    needs_customer: ClassVar = True

    plan_id: UUID
    payment_method_id: UUID | None = None
    uses_trial: bool = True
    details: Mapping[str, JsonValue] = field(default_factory=dict, metadata=UNKEPT)
    preview_id: UUID | None = None
    owner: UUID | None = None

    def check(self, rules: Rules) -> None:
        checked_metadata(self.details, path=("metadata",))

    def payer(self, actor: Actor) -> UUID:
        return actor.payer(self.owner)

    async def intend(self, step: Step) -> tuple[UUID, Starting]:
        """The account is held already, so no other subscription of the user can turn to the plan meanwhile."""
        plan = await offered_plan(step.work, self.plan_id, is_live=step.is_live)
        is_free = plan.amount == 0
        method = await method_or_default(
            step, self.payment_method_id, step.account.user_id, is_needed=not is_free
        )
        await must_not_be_subscribed(step.work, step.account.user_id, plan.id)
        subscription = self._fresh(step, plan)
        await self._add(step, subscription)
        if self._trial_days(plan):
            await self._redeem_trial(step, subscription, method)
        if self.preview_id is not None:
            await binding_preview(step, self.preview_id, owner=subscription.user_id, plan_id=plan.id)
        return subscription.id, await self.intended(step.work, subscription)

    async def intended(self, reads: Reads, subscription: Subscription) -> Starting:
        plan = await reads.plans.get(self.plan_id)
        if plan is None:
            raise NotFound("There is no such plan.", path=("plan_id",))
        named = self.payment_method_id
        user_id = subscription.user_id
        return Starting(
            subscription=subscription,
            plan=plan,
            named=await reads.payment_methods.get(named) if named else None,
            default=None if named else await reads.payment_methods.default_of(user_id),
            preview=await reads.previews.get(self.preview_id) if self.preview_id else None,
        )

    async def call(self, processor: PaymentProcessor, intent: Starting, *, key: str) -> SubscriptionOutcome:
        try:
            await self._prepare(processor, intent)
        except (PreviewStale, ProcessorRefused):
            # An earlier call of ours may have got through since we asked: then there is nothing left to refuse.
            if done := await self.ask(processor, intent):
                return done
            raise
        subscription, plan = intent.subscription, intent.plan
        facts = await processor.start_subscription(
            subscription,
            plan,
            processor_method_id=intent.named.processor_method_id if intent.named else None,
            trial_days=self._trial_days(plan),
            key=key,
        )
        return SubscriptionOutcome.told_by(facts)

    async def _prepare(self, processor: PaymentProcessor, intent: Starting) -> None:
        """What comes before the start, and changes nothing that the customer would see."""
        plan, customer_id = intent.plan, intent.subscription.processor_customer_id
        if intent.preview is not None:
            at = intent.preview.prorated_at
            trial_days = self._trial_days(plan)
            fresh = await processor.preview_start(customer_id, plan, trial_days=trial_days, at=at)
            must_cost_the_same(intent.preview, fresh)
        if intent.default is not None:
            await processor.make_default_method(customer_id, intent.default.processor_method_id)

    async def ask(self, processor: PaymentProcessor, intent: Starting) -> SubscriptionOutcome | None:
        facts = await processor.find_subscription(intent.subscription)
        return SubscriptionOutcome.told_by(facts) if facts else None

    async def charge(self, step: Step, intent: Starting, facts: SubscriptionFacts) -> str | None:
        return charged_for(facts, BillingReason.SUBSCRIPTION_START)

    async def give_up(self, step: Step, intent: Starting, verdict: Verdict) -> UUID:
        """It never began: it has expired, and its trial may be used after all."""
        before = await step.work.subscriptions.lock(intent.subscription.id)
        if before is not None and before.processor_subscription_id is None:
            after = before.changed(at=step.at, status=SubscriptionStatus.EXPIRED, ended_at=step.at)
            await record_subscription(step.work, before, after, at=step.at, by=step.by)
            await step.work.trials.give_back(before.id)
        return intent.subscription.id

    def _trial_days(self, plan: Plan) -> int:
        return plan.trial_days if self.uses_trial else 0

    def _fresh(self, step: Step, plan: Plan) -> Subscription:
        """Its period is the processor's to say."""
        account = step.account
        return Subscription(
            id=new_id(),
            user_id=account.user_id,
            plan_id=plan.id,
            payment_method_id=self.payment_method_id,
            status=SubscriptionStatus.INCOMPLETE,
            livemode=step.is_live,
            current_period_start=step.at,
            current_period_end=step.at,
            details=self.details,
            processor_customer_id=account.customer_id,
            created_at=step.at,
            updated_at=step.at,
        )

    async def _add(self, step: Step, subscription: Subscription) -> None:
        """A constraint decides who is first. Raises Busy where news has just brought another to the plan."""
        if not await step.work.subscriptions.add(subscription):
            raise Busy("A subscription is just changing to this plan.", current="BUSY", path=("plan_id",))
        created = audit_record("subscription.created", None, subscription, at=step.at, by=step.by)
        await step.work.audit.add(created)

    async def _redeem_trial(
        self, step: Step, subscription: Subscription, method: PaymentMethod | None
    ) -> None:
        redemption = TrialRedemption(
            user_id=subscription.user_id,
            fingerprint=method.fingerprint if method else None,
            subscription_id=subscription.id,
            redeemed_at=step.at,
        )
        if not await step.work.trials.redeem(redemption):
            raise TrialUsed(path=("use_trial",))
