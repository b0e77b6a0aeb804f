"""How a subscription stands, and what may be done meanwhile."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class SubscriptionStatus(StrEnum):
    """
    INCOMPLETE waits for its first payment; PAST_DUE is being retried, UNPAID no more.

    CANCELLED was ended by somebody, EXPIRED by a first payment that never came or a renewal that was never paid.
    """

    INCOMPLETE = "INCOMPLETE"
    TRIALING = "TRIALING"
    ACTIVE = "ACTIVE"
    PAST_DUE = "PAST_DUE"
    UNPAID = "UNPAID"
    PAUSED = "PAUSED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"


class SubscriptionAction(StrEnum):
    CHANGE_PLAN = "CHANGE_PLAN"
    CANCEL = "CANCEL"
    KEEP = "KEEP"
    PAUSE = "PAUSE"
    RESUME = "RESUME"
    RETRY_RENEWAL = "RETRY_RENEWAL"
    UPDATE = "UPDATE"


S, A = SubscriptionStatus, SubscriptionAction
ENDED: Final = frozenset({S.CANCELLED, S.EXPIRED})
LIVE: Final = frozenset(SubscriptionStatus) - ENDED
"""A user has one of these per plan at most."""

OVERDUE: Final = frozenset({S.PAST_DUE, S.UNPAID})
RENEWING: Final = frozenset({S.TRIALING, S.ACTIVE, S.PAST_DUE})
"""In these the processor charges for the next period by itself."""

UNPAID_FOR: Final = OVERDUE | {S.INCOMPLETE}
"""In these the current period was not paid for."""

ACTIONS: Final[Mapping[SubscriptionStatus, tuple[SubscriptionAction, ...]]] = {
    S.INCOMPLETE: (A.RETRY_RENEWAL, A.CANCEL, A.UPDATE),
    S.TRIALING: (A.CHANGE_PLAN, A.CANCEL, A.UPDATE),
    S.ACTIVE: (A.CHANGE_PLAN, A.CANCEL, A.PAUSE, A.UPDATE),
    S.PAST_DUE: (A.RETRY_RENEWAL, A.CANCEL, A.UPDATE),
    S.UNPAID: (A.RETRY_RENEWAL, A.CANCEL, A.UPDATE),
    S.PAUSED: (A.RESUME, A.CANCEL, A.UPDATE),
    S.CANCELLED: (),
    S.EXPIRED: (),
}
"""KEEP takes a planned end or plan change back, and is there only while there is one."""
