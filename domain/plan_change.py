"""Which plan changes are possible, and how they are paid for. A preview and the change itself ask the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from domain.actor import Actor, Role
from domain.charge_preview import ChangeTiming, OnFailure, PreviewTerms, Proration
from domain.errors import AlreadySubscribed, InvalidInput, NotFound, StateConflict
from domain.plan import Plan
from domain.ports import PaymentProcessor, Reads
from domain.subscription import Subscription
from domain.subscription_status import SubscriptionAction, SubscriptionStatus

PLAN: Sequence[str] = ("plan_id",)
WAITING: Final = frozenset({Proration.PRORATE, Proration.NONE})
"""What is not paid for at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChange:
    """`former` is None where the plan so far is not known any more."""

    subscription: Subscription
    former: Plan | None
    plan: Plan
    timing: ChangeTiming

    @property
    def is_upgrade(self) -> bool:
        """Whether it is a dearer plan from now on. None of a trial is, since nothing is paid for that yet."""
        if self.timing is ChangeTiming.PERIOD_END or self.subscription.status is SubscriptionStatus.TRIALING:
            return False
        return self.former is not None and self.plan.is_dearer_than(self.former)

    @property
    def usual_proration(self) -> Proration:
        return Proration.INVOICE_NOW if self.is_upgrade else Proration.PRORATE

    def must_be_possible(self) -> None:
        """Raises StateConflict or InvalidInput."""
        self._must_leave_room()
        must_be_offered(self.plan)
        if self.plan.id == self.subscription.plan_id:
            raise StateConflict("The subscription is on this plan already.", current="SAME_PLAN", path=PLAN)
        if self.former is not None and self.former.currency != self.plan.currency:
            raise InvalidInput(
                f"A subscription stays in its currency, which is {self.former.currency}.",
                path=PLAN,
                constraint="currency",
            )

    def must_be_paid_for(
        self, proration: Proration | None, on_failure: OnFailure = OnFailure.REVERT, *, by: Actor
    ) -> None:
        """
        An upgrade is kept once it is paid for; only admins may give one. Raises InvalidInput.

        What waits for the next invoice is not paid for either: a subscription that is cancelled before it never
        owes it (https://docs.stripe.com/billing/subscriptions/cancel).
        """
        if by.role is Role.ADMIN or not self.is_upgrade:
            return
        if proration in WAITING:
            raise _not_for_upgrades("A dearer plan is paid for at once.", "proration")
        if on_failure is not OnFailure.REVERT:
            raise _not_for_upgrades("A dearer plan is kept only once it is paid for.", "if_payment_fails")

    def _must_leave_room(self) -> None:
        """One change at a time, and none for after the end."""
        subscription, timing = self.subscription, self.timing
        if timing is ChangeTiming.PERIOD_END and subscription.status is SubscriptionStatus.TRIALING:
            raise StateConflict(
                "During a trial a plan is changed NOW, at no cost.",
                current=subscription.status,
                path=("timing",),
            )
        is_too_late = timing is ChangeTiming.PERIOD_END and subscription.ends_at is not None
        is_second = timing is ChangeTiming.NOW and subscription.pending_plan_id is not None
        if is_too_late or is_second:
            what = "ends with this period" if is_too_late else "has a change of its plan planned"
            raise StateConflict(
                f"This subscription {what}: keep it as it is first.",
                current="ENDING" if is_too_late else "CHANGING",
                allowed=(SubscriptionAction.KEEP,),
                path=("subscription_id",),
            )


async def plan_change(
    reads: Reads, subscription: Subscription, plan_id: UUID, timing: ChangeTiming
) -> PlanChange:
    """Raises NotFound."""
    plans = await reads.plans.by_ids([subscription.plan_id, plan_id])
    plan = plans.get(plan_id)
    if plan is None or plan.livemode is not subscription.livemode:
        raise NotFound("There is no such plan.", path=PLAN)
    former = plans.get(subscription.plan_id)
    return PlanChange(subscription=subscription, former=former, plan=plan, timing=timing)


async def possible_change(
    reads: Reads, subscription: Subscription, plan_id: UUID, timing: ChangeTiming
) -> PlanChange:
    """The change, if it may be made. Raises StateConflict, InvalidInput or NotFound."""
    subscription.must_allow(SubscriptionAction.CHANGE_PLAN, path=("subscription_id",))
    change = await plan_change(reads, subscription, plan_id, timing)
    change.must_be_possible()
    if timing is ChangeTiming.NOW:
        await _must_have_paid(reads, subscription)
    await must_not_be_subscribed(reads, subscription.user_id, plan_id, besides=subscription.id)
    return change


async def _must_have_paid(reads: Reads, subscription: Subscription) -> None:
    """What is left of a period is credited, so it must not have been written off. Raises StateConflict."""
    invoice_id = subscription.latest_invoice_id
    invoice = await reads.invoices.get(invoice_id) if invoice_id else None
    if invoice is not None and invoice.writes_off(subscription.current_period_end):
        raise StateConflict(
            "The current period is not paid for: change the plan with the next one.",
            current="UNPAID_PERIOD",
            path=("subscription_id",),
        )


async def must_not_be_subscribed(
    reads: Reads, user_id: UUID, plan_id: UUID, *, besides: UUID | None = None
) -> None:
    """
    Raises AlreadySubscribed where the user has another subscription to the plan, or one that will be to it.

    That stays so only while the user's account is held.
    """
    other = await reads.subscriptions.live_or_coming(user_id, plan_id, besides=besides)
    if other is not None:
        raise AlreadySubscribed(other.id, current=other.status, path=PLAN)


async def offered_plan(reads: Reads, plan_id: UUID, *, is_live: bool) -> Plan:
    """The plan, if it may be subscribed to now. Raises NotFound or StateConflict."""
    plan = await reads.plans.get(plan_id)
    if plan is None or plan.livemode is not is_live:
        raise NotFound("There is no such plan.", path=PLAN)
    must_be_offered(plan)
    return plan


def must_be_offered(plan: Plan) -> None:
    """Raises StateConflict."""
    if not plan.active:
        raise StateConflict("This plan is not offered any more.", current="INACTIVE", path=PLAN)


async def previewed_change(
    processor: PaymentProcessor, change: PlanChange, proration: Proration, *, at: datetime
) -> PreviewTerms:
    """What the change costs, as if it were made at that instant."""
    if change.timing is ChangeTiming.PERIOD_END:
        return await processor.preview_next_plan(change.subscription, change.plan, at=at)
    return await processor.preview_plan_change(change.subscription, change.plan, proration=proration, at=at)


def _not_for_upgrades(message: str, name: str) -> InvalidInput:
    return InvalidInput(message, path=(name,), constraint="notForDearerPlans")
