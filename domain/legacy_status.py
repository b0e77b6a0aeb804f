"""The five payment and four subscription states that the REST API has; each of ours is one of them."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from domain.payment_status import PaymentStatus
from domain.subscription_status import SubscriptionStatus


class LegacyPaymentStatus(StrEnum):
    PENDING = "pending"
    COMPLETED = "completed"
    FAILED = "failed"
    REFUNDED = "refunded"
    CANCELLED = "cancelled"


class LegacySubscriptionStatus(StrEnum):
    ACTIVE = "active"
    PAST_DUE = "past_due"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


LEGACY_PAYMENT: Final[Mapping[PaymentStatus, LegacyPaymentStatus]] = {
    PaymentStatus.PENDING: LegacyPaymentStatus.PENDING,
    PaymentStatus.REQUIRES_ACTION: LegacyPaymentStatus.PENDING,
    PaymentStatus.PROCESSING: LegacyPaymentStatus.PENDING,
    PaymentStatus.AUTHORIZED: LegacyPaymentStatus.PENDING,
    PaymentStatus.COMPLETED: LegacyPaymentStatus.COMPLETED,
    PaymentStatus.PARTIALLY_REFUNDED: LegacyPaymentStatus.COMPLETED,
    PaymentStatus.REFUNDED: LegacyPaymentStatus.REFUNDED,
    PaymentStatus.FAILED: LegacyPaymentStatus.FAILED,
    PaymentStatus.CANCELLED: LegacyPaymentStatus.CANCELLED,
}
LEGACY_SUBSCRIPTION: Final[Mapping[SubscriptionStatus, LegacySubscriptionStatus]] = {
    SubscriptionStatus.TRIALING: LegacySubscriptionStatus.ACTIVE,
    SubscriptionStatus.ACTIVE: LegacySubscriptionStatus.ACTIVE,
    SubscriptionStatus.INCOMPLETE: LegacySubscriptionStatus.PAST_DUE,
    SubscriptionStatus.PAST_DUE: LegacySubscriptionStatus.PAST_DUE,
    SubscriptionStatus.UNPAID: LegacySubscriptionStatus.PAST_DUE,
    SubscriptionStatus.PAUSED: LegacySubscriptionStatus.PAST_DUE,
    SubscriptionStatus.CANCELLED: LegacySubscriptionStatus.CANCELLED,
    SubscriptionStatus.EXPIRED: LegacySubscriptionStatus.EXPIRED,
}
"""Old callers open access where they read active, so it is said only of what gives access."""


def payment_statuses(legacy: LegacyPaymentStatus) -> list[PaymentStatus]:
    """Ours that a filter by the old name means."""
    return [status for status in PaymentStatus if LEGACY_PAYMENT[status] is legacy]


def subscription_statuses(legacy: LegacySubscriptionStatus) -> list[SubscriptionStatus]:
    """Ours that a filter by the old name means."""
    return [status for status in SubscriptionStatus if LEGACY_SUBSCRIPTION[status] is legacy]
