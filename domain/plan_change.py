"""Which plan changes are possible. A preview and the change itself ask the same."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from domain.charge_preview import ChangeTiming, PreviewTerms, Proration
from domain.errors import AlreadySubscribed, InvalidInput, NotFound, StateConflict
from domain.plan import Plan
from domain.ports import PaymentProcessor, Reads
from domain.subscription import Subscription
from domain.subscription_status import SubscriptionAction, SubscriptionStatus

PLAN: Sequence[str] = ("plan_id",)


async def offered_plan(reads: Reads, plan_id: UUID, *, is_live: bool) -> Plan:
    """The plan, if it may be subscribed to now. Raises NotFound or StateConflict."""
    plan = await reads.plans.get(plan_id)
    if plan is None or plan.livemode is not is_live:
        raise NotFound("There is no such plan.", path=PLAN)
    if not plan.active:
        raise StateConflict("This plan is not offered any more.", current="INACTIVE", path=PLAN)
    return plan


async def next_plan(reads: Reads, subscription: Subscription, plan_id: UUID, timing: ChangeTiming) -> Plan:
    """The plan, if the subscription may be changed to it then. Raises StateConflict, InvalidInput or NotFound."""
    subscription.must_allow(SubscriptionAction.CHANGE_PLAN, path=("subscription_id",))
    _must_leave_room(subscription, timing)
    plan = await offered_plan(reads, plan_id, is_live=subscription.livemode)
    if plan.id == subscription.plan_id:
        raise StateConflict("The subscription is on this plan already.", current="SAME_PLAN", path=PLAN)
    former = await reads.plans.get(subscription.plan_id)
    if former is not None and former.currency != plan.currency:
        raise InvalidInput(
            f"A subscription stays in its currency, which is {former.currency}.",
            path=PLAN,
            constraint="currency",
        )
    other = await reads.subscriptions.live_of(subscription.user_id, plan.id)
    if other is not None:
        raise AlreadySubscribed(other.id, current=other.status, path=PLAN)
    return plan


def _must_leave_room(subscription: Subscription, timing: ChangeTiming) -> None:
    """One change at a time, and none for after the end."""
    if timing is ChangeTiming.PERIOD_END and subscription.status is SubscriptionStatus.TRIALING:
        raise StateConflict(
            "During a trial a plan is changed NOW, at no cost.", current=subscription.status, path=("timing",)
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


async def previewed_change(
    processor: PaymentProcessor,
    subscription: Subscription,
    plan: Plan,
    *,
    timing: ChangeTiming,
    proration: Proration,
    at: datetime,
) -> PreviewTerms:
    """What the change costs, as if it were made at that instant."""
    if timing is ChangeTiming.PERIOD_END:
        return await processor.preview_next_plan(subscription, plan, at=at)
    return await processor.preview_plan_change(subscription, plan, proration=proration, at=at)
