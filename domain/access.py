"""
Access: who may use what, why, and until when.

An entitlement is one reason for access: a purchase, a subscription to a plan with that feature, or an admin's grant.
Rows follow the facts in the transaction that changes them, so that a question is one query.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, Self
from uuid import UUID

from domain.errors import InvalidInput
from domain.rules import Rules
from domain.text import checked_text

LONGEST_MEDIA_ITEM_ID: Final = 64
LONGEST_FEATURE: Final = 100


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


LAPSED: Final[Mapping[AccessReason, AccessReason]] = {
    AccessReason.SUBSCRIBED: AccessReason.SUBSCRIPTION_ENDED,
    AccessReason.TRIAL: AccessReason.SUBSCRIPTION_ENDED,
    AccessReason.GRACE_PERIOD: AccessReason.PAYMENT_OVERDUE,
    AccessReason.GRANTED: AccessReason.NOT_PURCHASED,
}
"""What each reason turns into once its time is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessTarget:
    """A media item of the Media Service, or a plan's feature: one of both."""

    media_item_id: str | None = None
    feature: str | None = None

    def check(self, *, path: Sequence[str] = ()) -> None:
        """Raises InvalidInput unless it names one of both, as they may be named."""
        if (self.media_item_id is None) is (self.feature is None):
            raise InvalidInput("Name a media item or a feature.", path=path, constraint="oneOf")
        if self.media_item_id is not None:
            check_media_item_id(self.media_item_id, path=(*path, "media_item_id"))
        if self.feature is not None:
            _check_name(self.feature, path=(*path, "feature"), maximum=LONGEST_FEATURE)


def check_media_item_id(media_item_id: str, *, path: Sequence[str]) -> None:
    """The Media Service's id of something: raises InvalidInput unless it is 1 to 64 printable characters."""
    _check_name(media_item_id, path=path, maximum=LONGEST_MEDIA_ITEM_ID)


def _check_name(name: str, *, path: Sequence[str], maximum: int) -> None:
    checked_text(name, path=path, maximum=maximum)
    if not name.isprintable():
        raise InvalidInput(
            f"This takes 1 to {maximum} printable characters.", path=path, constraint="printable"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessQuestion:
    """Whether this user may use this."""

    user_id: UUID
    target: AccessTarget


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitlement:
    """
    One reason for access to one target, which began at `starts_at`; without an end, for good.

    `reason` says what it is while it holds, `revoked_reason` why it was taken away before its time. `ends_at` is a
    fact: what was paid for ends there, or, in a grace period, the renewal failed for the first time then. What the
    operator's rules add to it is reckoned when somebody asks (`lasts_until`), so that changed rules hold at once.
    `renews` is whether a payment that continues it is expected.
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
    renews: bool = False
    revoked_reason: AccessReason | None = None
    revoked_at: datetime | None = None
    granter_id: UUID | None = None
    note: str | None = None
    version: int = 1
    created_at: datetime
    updated_at: datetime

    @property
    def question(self) -> AccessQuestion:
        """The one that it helps to answer."""
        target = AccessTarget(media_item_id=self.media_item_id, feature=self.feature)
        return AccessQuestion(user_id=self.user_id, target=target)

    def lasts_until(self, rules: Rules) -> datetime | None:
        """When it ends if nothing else happens; None is never."""
        if self.ends_at is None:
            return None
        if self.reason is AccessReason.GRACE_PERIOD:
            return self.ends_at + rules.grace
        return self.ends_at + rules.renewal_leeway if self.renews else self.ends_at

    def reason_at(self, moment: datetime, rules: Rules) -> AccessReason:
        """What it says about its target at that moment: why its user may, or may not."""
        if self.revoked_reason is not None:
            return self.revoked_reason
        until = self.lasts_until(rules)
        if until is None or moment < until:
            return self.reason
        return AccessReason.PAYMENT_OVERDUE if self.renews else LAPSED[self.reason]

    def lost_for(self, reason: AccessReason | None, *, at: datetime) -> Self:
        """Taken away for this reason, or given back where there is none."""
        if reason is self.revoked_reason:
            return self
        return replace(self, revoked_reason=reason, revoked_at=at if reason else None)
