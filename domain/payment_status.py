"""How far a payment may come, what may follow what, and what may be done meanwhile."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class PaymentStatus(StrEnum):
    PENDING = "PENDING"
    REQUIRES_ACTION = "REQUIRES_ACTION"
    PROCESSING = "PROCESSING"
    FAILED = "FAILED"
    AUTHORIZED = "AUTHORIZED"
    CANCELLED = "CANCELLED"
    COMPLETED = "COMPLETED"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    REFUNDED = "REFUNDED"


class PaymentAction(StrEnum):
    CONFIRM = "CONFIRM"
    CAPTURE = "CAPTURE"
    CANCEL = "CANCEL"
    REFUND = "REFUND"
    RETRY = "RETRY"


class PaymentTrigger(StrEnum):
    """What made us collect, at the last attempt."""

    PURCHASE = "PURCHASE"
    SUBSCRIPTION_START = "SUBSCRIPTION_START"
    RENEWAL = "RENEWAL"
    DUNNING_RETRY = "DUNNING_RETRY"
    CUSTOMER_RETRY = "CUSTOMER_RETRY"
    PLAN_CHANGE = "PLAN_CHANGE"
    ADMIN = "ADMIN"


class CaptureMethod(StrEnum):
    AUTOMATIC = "AUTOMATIC"
    MANUAL = "MANUAL"


class SyncSource(StrEnum):
    """How we came to know what we know."""

    API_CALL = "API_CALL"
    WEBHOOK = "WEBHOOK"
    RECONCILIATION = "RECONCILIATION"


S = PaymentStatus
SUCCESSORS: Final[Mapping[PaymentStatus, frozenset[PaymentStatus]]] = {
    S.PENDING: frozenset({S.REQUIRES_ACTION, S.PROCESSING, S.FAILED, S.AUTHORIZED, S.CANCELLED, S.COMPLETED}),
    S.REQUIRES_ACTION: frozenset({S.PROCESSING, S.FAILED, S.AUTHORIZED, S.CANCELLED, S.COMPLETED}),
    S.PROCESSING: frozenset({S.FAILED, S.AUTHORIZED, S.CANCELLED, S.COMPLETED}),
    S.FAILED: frozenset({S.AUTHORIZED, S.CANCELLED, S.COMPLETED}),
    S.AUTHORIZED: frozenset({S.CANCELLED, S.COMPLETED}),
    S.CANCELLED: frozenset(),
    S.COMPLETED: frozenset(),
    S.PARTIALLY_REFUNDED: frozenset(),
    S.REFUNDED: frozenset(),
}
"""By the processor's word about the payment; what was refunded follows from its refunds."""

UNDER_WAY: Final = frozenset({S.REQUIRES_ACTION, S.PROCESSING})
TRYING: Final = UNDER_WAY | {S.FAILED}
"""What one attempt among several may have come to."""
COLLECTED: Final = frozenset({S.COMPLETED, S.PARTIALLY_REFUNDED, S.REFUNDED})
PAYS: Final = UNDER_WAY | {S.AUTHORIZED, S.COMPLETED, S.PARTIALLY_REFUNDED}
"""What was collected and kept, or is on its way."""

ACTIONS: Final[Mapping[PaymentStatus, tuple[PaymentAction, ...]]] = {
    S.PENDING: (PaymentAction.CONFIRM, PaymentAction.CANCEL),
    S.REQUIRES_ACTION: (PaymentAction.CONFIRM, PaymentAction.CANCEL),
    S.PROCESSING: (),
    S.FAILED: (PaymentAction.RETRY, PaymentAction.CANCEL),
    S.AUTHORIZED: (PaymentAction.CAPTURE, PaymentAction.CANCEL),
    S.CANCELLED: (),
    S.COMPLETED: (PaymentAction.REFUND,),
    S.PARTIALLY_REFUNDED: (PaymentAction.REFUND,),
    S.REFUNDED: (),
}
