"""
Access: who may use what, why, and until when.

An entitlement is one reason for access: a purchase, a subscription to a plan with that feature, or an admin's grant.
Rows follow the facts in the transaction that changes them, so that a question is one query.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class EntitlementSource(StrEnum):
    PURCHASE = "PURCHASE"
    SUBSCRIPTION = "SUBSCRIPTION"
    GRANT = "GRANT"


class AccessReason(StrEnum):
    """Why somebody may, down to GRANTED, or may not."""

    OWNED = "OWNED"
    SUBSCRIBED = "SUBSCRIBED"
    TRIAL = "TRIAL"
    GRACE_PERIOD = "GRACE_PERIOD"
    GRANTED = "GRANTED"
    NOT_PURCHASED = "NOT_PURCHASED"
    SUBSCRIPTION_ENDED = "SUBSCRIPTION_ENDED"
    PAYMENT_OVERDUE = "PAYMENT_OVERDUE"
    REFUNDED = "REFUNDED"
    DISPUTED = "DISPUTED"


class AccessRemedy(StrEnum):
    """What the customer can do to get access."""

    BUY = "BUY"
    SUBSCRIBE = "SUBSCRIBE"
    UPDATE_CARD = "UPDATE_CARD"
    AUTHENTICATE = "AUTHENTICATE"
    CONTACT_SUPPORT = "CONTACT_SUPPORT"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessTarget:
    """A media item of the Media Service, or a plan's feature: one of both."""

    media_item_id: str | None = None
    feature: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitlement:
    """
    One reason for access to one target, from `starts_at` on and before `ends_at`; without an end, for good.

    `reason` says what it is while it holds, `revoked_reason` why it was taken away before its time.
    """

    id: UUID
    user_id: UUID
    source: EntitlementSource
    reason: AccessReason
    payment_id: UUID | None = None
    subscription_id: UUID | None = None
    media_item_id: str | None = None
    feature: str | None = None
    starts_at: datetime
    ends_at: datetime | None = None
    revoked_reason: AccessReason | None = None
    revoked_at: datetime | None = None
    granter_id: UUID | None = None
    note: str | None = None
    version: int = 1
    created_at: datetime
    updated_at: datetime

    @property
    def target(self) -> AccessTarget:
        return AccessTarget(media_item_id=self.media_item_id, feature=self.feature)

    def holds_at(self, moment: datetime) -> bool:
        has_begun = self.starts_at <= moment
        has_ended = self.ends_at is not None and self.ends_at <= moment
        return has_begun and not has_ended and self.revoked_reason is None
