"""What a subscription gives to its subscriber: why, and until when as the facts go."""

from dataclasses import dataclass
from datetime import datetime

from domain.access import AccessReason
from domain.subscription import Subscription
from domain.subscription_status import SubscriptionStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """`ends_at` and `renews` as an entitlement has them; `lost` is why it gives nothing after all."""

    reason: AccessReason
    ends_at: datetime
    renews: bool = False
    lost: AccessReason | None = None


def term_of(subscription: Subscription) -> Term | None:
    """None where it gives nothing and never gave anything."""
    paid = _paid_for(subscription)
    match subscription.status:
        case SubscriptionStatus.INCOMPLETE:
            return None
        case SubscriptionStatus.TRIALING | SubscriptionStatus.ACTIVE:
            return _running(subscription, paid)
        case SubscriptionStatus.PAST_DUE:
            return Term(reason=AccessReason.GRACE_PERIOD, ends_at=subscription.past_due_since or paid.ends_at)
        case SubscriptionStatus.UNPAID:
            return Term(reason=paid.reason, ends_at=paid.ends_at, lost=AccessReason.PAYMENT_OVERDUE)
        case SubscriptionStatus.PAUSED:
            return paid
        case SubscriptionStatus.CANCELLED | SubscriptionStatus.EXPIRED:
            return _ended(subscription, paid)


def _paid_for(subscription: Subscription) -> Term:
    """A trial's time is free, and an active period whose invoice we have not seen yet is only just beginning."""
    paid_through = subscription.paid_through or subscription.current_period_start
    trial_end = subscription.trial_ends_at
    if subscription.status is SubscriptionStatus.TRIALING:
        return Term(reason=AccessReason.TRIAL, ends_at=trial_end or subscription.current_period_end)
    if trial_end is not None and trial_end > paid_through:
        return Term(reason=AccessReason.TRIAL, ends_at=trial_end)
    return Term(reason=AccessReason.SUBSCRIBED, ends_at=paid_through)


def _running(subscription: Subscription, paid: Term) -> Term:
    """Until what was paid for is over, to be renewed then; where the end is settled, until that and not longer."""
    end = subscription.ends_at
    if end is not None and end <= paid.ends_at:
        return Term(reason=paid.reason, ends_at=end)
    return Term(reason=paid.reason, ends_at=paid.ends_at, renews=True)


def _ended(subscription: Subscription, paid: Term) -> Term | None:
    """One that never began gave nothing: its first payment never came."""
    if subscription.paid_through is None and subscription.trial_ends_at is None:
        return None
    return Term(reason=paid.reason, ends_at=subscription.ended_at or subscription.updated_at)
