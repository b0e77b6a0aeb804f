"""
What follows from payments and subscriptions: their entitlement rows, kept as the facts say.

Each function looks at the facts alone and writes what differs, so it may be called after every change, in every
order and any number of times. The caller holds the lock of the payment or the subscription, which guards its rows.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from domain.access import AccessReason, Entitlement, EntitlementSource
from domain.actor import Actor
from domain.audit import audit_record
from domain.identity import new_id
from domain.payment import Payment
from domain.payment_status import PaymentStatus
from domain.plan import Plan
from domain.ports import Work
from domain.refund import Refund, RefundStatus
from domain.subscription import Subscription
from domain.subscription_term import Term, term_of


async def follow_payment(work: Work, payment: Payment, *, at: datetime, by: Actor) -> None:
    """
    The purchase of a media item grants it for good, once it is collected and as long as the money stays here.

    The payment's refunds are read, so what is news about them is saved before this is called.
    """
    if payment.media_item_id is None or not payment.is_collected:
        return
    known = await work.entitlements.of_payment(payment.id)
    row = known or Entitlement(
        id=new_id(),
        user_id=payment.user_id,
        source=EntitlementSource.PURCHASE,
        reason=AccessReason.OWNED,
        payment_id=payment.id,
        media_item_id=payment.media_item_id,
        starts_at=payment.completed_at or at,
        created_at=at,
        updated_at=at,
    )
    lost = await _lost_with(work, payment)
    await record_entitlement(work, known, row.lost_for(lost, at=at), at=at, by=by)


async def _lost_with(work: Work, payment: Payment) -> AccessReason | None:
    """Why a collected payment gives no access, if it does not."""
    if payment.is_disputed:
        return AccessReason.DISPUTED
    if payment.status is not PaymentStatus.REFUNDED:
        return None
    refunds = await work.refunds.of_payments([payment.id], owner=None)
    return AccessReason.REFUNDED if _revoke_access(refunds.get(payment.id, ())) else None


def _revoke_access(refunds: Sequence[Refund]) -> bool:
    """The refund that made the sum full decides; where it is not known, access goes with the money."""
    succeeded = [refund for refund in refunds if refund.status is RefundStatus.SUCCEEDED]
    last = max(
        succeeded, key=lambda refund: (refund.succeeded_at or refund.updated_at, refund.id), default=None
    )
    return last is None or last.revokes_access


async def follow_subscription(work: Work, subscription: Subscription, *, at: datetime, by: Actor) -> None:
    """One entitlement per feature of its plan; those to features of a former plan are over."""
    known = await work.entitlements.of_subscription(subscription.id)
    plan = await work.plans.get(subscription.plan_id)
    if plan is None:
        raise LookupError(f"Subscription {subscription.id} has no plan")
    for before, after in corrections(subscription, plan, known, at=at):
        await record_entitlement(work, before, after, at=at, by=by)


def corrections(
    subscription: Subscription, plan: Plan, rows: Sequence[Entitlement], *, at: datetime
) -> Sequence[tuple[Entitlement | None, Entitlement]]:
    """Where a subscription's rows are not as the facts say: each as it is, if it is there, and as it should be."""
    known = {row.feature: row for row in rows}
    told = _told_by(subscription, plan, at=at)
    over = (
        (row, row.lost_for(AccessReason.SUBSCRIPTION_ENDED, at=at))
        for feature, row in known.items()
        if feature not in told
    )
    rightful = (
        (known.get(feature), _renewed(known[feature], fresh, at=at) if feature in known else fresh)
        for feature, fresh in told.items()
    )
    return [(before, after) for before, after in (*over, *rightful) if before != after]


def _told_by(subscription: Subscription, plan: Plan, *, at: datetime) -> dict[str, Entitlement]:
    """By their features, the entitlements that it would have if it were heard of only now."""
    term = term_of(subscription)
    if term is None:
        return {}
    return {feature: _fresh(subscription, feature, term, at=at) for feature in plan.features}


def _fresh(subscription: Subscription, feature: str, term: Term, *, at: datetime) -> Entitlement:
    return Entitlement(
        id=new_id(),
        user_id=subscription.user_id,
        source=EntitlementSource.SUBSCRIPTION,
        reason=term.reason,
        subscription_id=subscription.id,
        feature=feature,
        starts_at=min(subscription.current_period_start, at),
        ends_at=term.ends_at,
        renews=term.renews,
        created_at=at,
        updated_at=at,
    ).lost_for(term.lost, at=at)


def _renewed(known: Entitlement, told: Entitlement, *, at: datetime) -> Entitlement:
    term = replace(known, reason=told.reason, ends_at=told.ends_at, renews=told.renews)
    return term.lost_for(told.revoked_reason, at=at)


async def follow_plan(work: Work, before: Plan, after: Plan) -> None:
    """A plan's subscribers may use what it has now; the worker tells them, since they may be many."""
    if set(before.features) != set(after.features):
        await work.jobs.follow_plan(after.id)


async def record_entitlement(
    work: Work,
    before: Entitlement | None,
    after: Entitlement,
    *,
    at: datetime,
    by: Actor,
    note: str | None = None,
) -> None:
    """Save a new or a changed entitlement, and who is behind that."""
    if after == before:
        return
    if before is None:
        await work.entitlements.add(after)
    else:
        await work.entitlements.save(replace(after, version=before.version + 1, updated_at=at))
    action = f"entitlement.{_verb(before, after)}"
    await work.audit.add(audit_record(action, before, after, at=at, by=by, note=note))


def _verb(before: Entitlement | None, after: Entitlement) -> str:
    if before is None:
        return "made"
    if before.revoked_reason is after.revoked_reason:
        return "changed"
    return "restored" if after.revoked_reason is None else "revoked"
