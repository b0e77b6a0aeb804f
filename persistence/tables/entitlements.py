"""Entitlements: reasons for access."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Text, text
from sqlmodel import Field

from domain.access import AccessReason, EntitlementSource
from persistence.tables.base import INSTANT, Row, one_of


class EntitlementRow(Row, table=True):
    """One per purchase, and one per subscription and feature, so that following the facts twice changes nothing."""

    __tablename__ = "entitlements"
    __table_args__ = (
        CheckConstraint("num_nonnulls(media_item_id, feature) = 1", name="target"),
        CheckConstraint("(source = 'PURCHASE') = (payment_id IS NOT NULL)", name="payment"),
        CheckConstraint("(source = 'SUBSCRIPTION') = (subscription_id IS NOT NULL)", name="subscription"),
        CheckConstraint("(revoked_reason IS NULL) = (revoked_at IS NULL)", name="revoked"),
        Index("ix_entitlements_user", "user_id", "created_at", "id"),
        Index("uq_entitlements_payment", "payment_id", unique=True),
        Index("uq_entitlements_subscription", "subscription_id", "feature", unique=True),
        Index(
            "ix_entitlements_media_item",
            "user_id",
            "media_item_id",
            postgresql_where=text("media_item_id IS NOT NULL"),
        ),
        Index("ix_entitlements_feature", "user_id", "feature", postgresql_where=text("feature IS NOT NULL")),
    )

    id: UUID = Field(primary_key=True)
    user_id: UUID = Field(foreign_key="billing_accounts.user_id")
    source: EntitlementSource = Field(sa_type=one_of(EntitlementSource, "source"))
    reason: AccessReason = Field(sa_type=one_of(AccessReason, "reason"))
    payment_id: UUID | None = Field(default=None, foreign_key="payments.id")
    subscription_id: UUID | None = Field(default=None, foreign_key="subscriptions.id")
    media_item_id: str | None = None
    feature: str | None = None
    starts_at: datetime = Field(sa_type=INSTANT)
    ends_at: datetime | None = Field(default=None, sa_type=INSTANT)
    renews: bool
    revoked_reason: AccessReason | None = Field(default=None, sa_type=one_of(AccessReason, "revoked_reason"))
    revoked_at: datetime | None = Field(default=None, sa_type=INSTANT)
    granter_id: UUID | None = None
    note: str | None = Field(default=None, sa_type=Text)
    version: int
    created_at: datetime = Field(sa_type=INSTANT)
    updated_at: datetime = Field(sa_type=INSTANT)
