"""Dunning: what becomes of a subscription whose renewal could not be collected."""

from dataclasses import dataclass
from datetime import datetime

from domain.decline import Decline
from domain.invoice import Invoice
from domain.payment import Payment
from domain.rules import Rules
from domain.subscription import Subscription


@dataclass(frozen=True, slots=True, kw_only=True)
class Dunning:
    """`attempt` counts those that were made; without `next_attempt_at` none will follow by itself."""

    started_at: datetime
    attempt: int
    max_attempts: int
    next_attempt_at: datetime | None
    access_until: datetime
    last_decline: Decline | None


def dunning_of(
    subscription: Subscription, invoice: Invoice | None, payment: Payment | None, rules: Rules
) -> Dunning | None:
    """How the collection of its latest invoice stands; None for a subscription that owes nothing."""
    since, access_until = subscription.past_due_since, subscription.access_until(rules.grace)
    if since is None or access_until is None:
        return None
    attempts = 0 if invoice is None else invoice.attempt_count
    return Dunning(
        started_at=since,
        attempt=attempts,
        max_attempts=max(rules.dunning_attempts, attempts),
        next_attempt_at=None if invoice is None else invoice.next_attempt_at,
        access_until=access_until,
        last_decline=None if payment is None else payment.decline,
    )
