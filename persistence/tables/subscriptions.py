"""Plans, subscriptions, their invoices, and what guards trials and previews."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from domain.charge_preview import ChangeTiming, Proration
from domain.invoice import BillingReason, InvoiceStatus
from domain.payment_status import SyncSource
from domain.plan import BillingInterval
from domain.subscription import CancelReason
from domain.subscription_status import SubscriptionStatus
from persistence.tables.base import INSTANT, Row, one_of

LIVE = text("status NOT IN ('CANCELLED', 'EXPIRED') AND NOT is_surplus")


class PlanRow(Row, table=True):
    __tablename__ = "plans"
    __table_args__ = (
        CheckConstraint("amount >= 0", name="amount"),
        CheckConstraint("interval_count > 0", name="interval_count"),
        CheckConstraint("trial_days >= 0", name="trial_days"),
        Index("ix_plans_product", "processor_product_id"),
    )

    id: UUID = Field(primary_key=True)
    processor_price_id: str = Field(unique=True)
    processor_product_id: str
    code: str
    name: str
    description: str | None = Field(default=None, sa_type=Text)
    amount: int = Field(sa_type=BigInteger)
    currency: str = Field(sa_type=cast("Any", String(3)))
    interval: BillingInterval = Field(sa_type=one_of(BillingInterval, "interval"))
    interval_count: int
    trial_days: int
    features: list[Any] = Field(sa_type=JSONB)
    active: bool
    livemode: bool
    version: int
    created_at: datetime = Field(sa_type=INSTANT)
    updated_at: datetime = Field(sa_type=INSTANT)


class SubscriptionRow(Row, table=True):
    """One live subscription per user and plan: a constraint decides who is first."""

    __tablename__ = "subscriptions"
    __table_args__ = (
        CheckConstraint("version > 0", name="version"),
        CheckConstraint("status NOT IN ('CANCELLED', 'EXPIRED') OR ended_at IS NOT NULL", name="ended_at"),
        Index("uq_subscriptions_live", "user_id", "plan_id", unique=True, postgresql_where=LIVE),
        Index("ix_subscriptions_user_created", "user_id", "created_at", "id"),
        Index("ix_subscriptions_created", "created_at", "id"),
        Index("ix_subscriptions_period_end", "current_period_end", "id"),
        Index("ix_subscriptions_plan", "plan_id"),
        Index("ix_subscriptions_method", "payment_method_id"),
    )

    id: UUID = Field(primary_key=True)
    user_id: UUID = Field(foreign_key="billing_accounts.user_id")
    plan_id: UUID = Field(foreign_key="plans.id")
    pending_plan_id: UUID | None = Field(default=None, foreign_key="plans.id")
    payment_method_id: UUID | None = Field(default=None, foreign_key="payment_methods.id")
    status: SubscriptionStatus = Field(sa_type=one_of(SubscriptionStatus, "status"))
    livemode: bool
    is_surplus: bool
    current_period_start: datetime = Field(sa_type=INSTANT)
    current_period_end: datetime = Field(sa_type=INSTANT)
    paid_through: datetime | None = Field(default=None, sa_type=INSTANT)
    past_due_since: datetime | None = Field(default=None, sa_type=INSTANT)
    trial_ends_at: datetime | None = Field(default=None, sa_type=INSTANT)
    cancel_at_period_end: bool
    cancel_at: datetime | None = Field(default=None, sa_type=INSTANT)
    cancelled_at: datetime | None = Field(default=None, sa_type=INSTANT)
    ended_at: datetime | None = Field(default=None, sa_type=INSTANT)
    paused_until: datetime | None = Field(default=None, sa_type=INSTANT)
    cancel_reason: CancelReason | None = Field(default=None, sa_type=one_of(CancelReason, "cancel_reason"))
    latest_invoice_id: UUID | None = None
    history: list[Any] = Field(sa_type=JSONB)
    details: dict[str, Any] = Field(sa_type=JSONB)
    sealed_details: bytes | None = None
    processor_customer_id: str
    processor_subscription_id: str | None = Field(default=None, unique=True)
    processor_item_id: str | None = None
    processor_schedule_id: str | None = None
    last_event_id: str | None = None
    synced_by: SyncSource = Field(sa_type=one_of(SyncSource, "synced_by"))
    readings: int
    version: int
    created_at: datetime = Field(sa_type=INSTANT)
    updated_at: datetime = Field(sa_type=INSTANT)


class InvoiceRow(Row, table=True):
    __tablename__ = "invoices"
    __table_args__ = (
        CheckConstraint("amount_paid >= 0", name="amount_paid"),
        Index("ix_invoices_user", "user_id", "created_at", "id"),
        Index("ix_invoices_subscription", "subscription_id", "created_at", "id"),
    )

    id: UUID = Field(primary_key=True)
    user_id: UUID = Field(foreign_key="billing_accounts.user_id")
    subscription_id: UUID | None = Field(default=None, foreign_key="subscriptions.id")
    livemode: bool
    processor_invoice_id: str = Field(unique=True)
    number: str | None = None
    status: InvoiceStatus = Field(sa_type=one_of(InvoiceStatus, "status"))
    reason: BillingReason = Field(sa_type=one_of(BillingReason, "reason"))
    currency: str = Field(sa_type=cast("Any", String(3)))
    subtotal: int = Field(sa_type=BigInteger)
    tax: int = Field(sa_type=BigInteger)
    total: int = Field(sa_type=BigInteger)
    amount_due: int = Field(sa_type=BigInteger)
    amount_paid: int = Field(sa_type=BigInteger)
    lines: list[Any] = Field(sa_type=JSONB)
    attempt_count: int
    next_attempt_at: datetime | None = Field(default=None, sa_type=INSTANT)
    period_start: datetime = Field(sa_type=INSTANT)
    period_end: datetime = Field(sa_type=INSTANT)
    paid_through: datetime | None = Field(default=None, sa_type=INSTANT)
    paid_at: datetime | None = Field(default=None, sa_type=INSTANT)
    hosted_url: str | None = Field(default=None, sa_type=Text)
    pdf_url: str | None = Field(default=None, sa_type=Text)
    readings: int
    version: int
    created_at: datetime = Field(sa_type=INSTANT)
    updated_at: datetime = Field(sa_type=INSTANT)


class ChargePreviewRow(Row, table=True):
    __tablename__ = "charge_previews"
    __table_args__ = (Index("ix_charge_previews_expiry", "expires_at"),)

    id: UUID = Field(primary_key=True)
    user_id: UUID = Field(foreign_key="billing_accounts.user_id")
    plan_id: UUID = Field(foreign_key="plans.id")
    subscription_id: UUID | None = Field(default=None, foreign_key="subscriptions.id")
    subscription_version: int | None = None
    timing: ChangeTiming = Field(sa_type=one_of(ChangeTiming, "timing"))
    proration: Proration = Field(sa_type=one_of(Proration, "proration"))
    prorated_at: datetime = Field(sa_type=INSTANT)
    currency: str = Field(sa_type=cast("Any", String(3)))
    lines: list[Any] = Field(sa_type=JSONB)
    subtotal: int = Field(sa_type=BigInteger)
    tax: int = Field(sa_type=BigInteger)
    credit_applied: int = Field(sa_type=BigInteger)
    due_now: int = Field(sa_type=BigInteger)
    next_renewal: int = Field(sa_type=BigInteger)
    charged_at: datetime = Field(sa_type=INSTANT)
    created_at: datetime = Field(sa_type=INSTANT)
    expires_at: datetime = Field(sa_type=INSTANT)


class TrialRedemptionRow(Row, table=True):
    """One trial per person, and one per card."""

    __tablename__ = "trial_redemptions"

    user_id: UUID = Field(primary_key=True, foreign_key="billing_accounts.user_id")
    fingerprint: str | None = Field(default=None, unique=True)
    subscription_id: UUID = Field(foreign_key="subscriptions.id")
    redeemed_at: datetime = Field(sa_type=INSTANT)
