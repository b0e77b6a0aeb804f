"""Payments."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from domain.payment_method import PaymentMethodType
from domain.payment_status import CaptureMethod, PaymentStatus, PaymentTrigger, SyncSource
from persistence.tables.base import INSTANT, Row, one_of


class PaymentRow(Row, table=True):
    __tablename__ = "payments"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("authorized_amount BETWEEN 0 AND amount", name="authorized_amount"),
        CheckConstraint("captured_amount BETWEEN 0 AND amount", name="captured_amount"),
        CheckConstraint("refunded_amount BETWEEN 0 AND captured_amount", name="refunded_amount"),
        CheckConstraint(
            "refund_pending_amount BETWEEN 0 AND captured_amount - refunded_amount",
            name="refund_pending_amount",
        ),
        CheckConstraint("disputed_amount >= 0", name="disputed_amount"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
        CheckConstraint(
            "(status IN ('COMPLETED', 'PARTIALLY_REFUNDED', 'REFUNDED')) = (completed_at IS NOT NULL)",
            name="completed_at",
        ),
        CheckConstraint("status <> 'FAILED' OR decline_code IS NOT NULL", name="decline"),
        CheckConstraint("version > 0", name="version"),
        Index("ix_payments_user_created", "user_id", "created_at", "id"),
        Index("ix_payments_user_updated", "user_id", "updated_at", "id"),
        Index("ix_payments_user_amount", "user_id", "amount", "id"),
        Index("ix_payments_user_status", "user_id", "status", "id"),
        Index("ix_payments_created", "created_at", "id"),
        Index("ix_payments_updated", "updated_at", "id"),
        Index("ix_payments_method", "payment_method_id"),
        Index("ix_payments_subscription", "subscription_id", "created_at", "id"),
        Index("ix_payments_invoice", "invoice_id"),
        Index("ix_payments_media_item", "user_id", "media_item_id"),
        Index("ix_payments_charge", "processor_charge_id"),
        Index("ix_payments_disputed", "created_at", "id", postgresql_where=text("disputed_amount > 0")),
    )

    id: UUID = Field(primary_key=True)
    user_id: UUID = Field(foreign_key="billing_accounts.user_id")
    status: PaymentStatus = Field(sa_type=one_of(PaymentStatus, "status"))
    trigger: PaymentTrigger = Field(sa_type=one_of(PaymentTrigger, "trigger"))
    livemode: bool
    version: int
    amount: int = Field(sa_type=BigInteger)
    currency: str = Field(sa_type=cast("Any", String(3)))
    authorized_amount: int = Field(sa_type=BigInteger)
    captured_amount: int = Field(sa_type=BigInteger)
    refunded_amount: int = Field(sa_type=BigInteger)
    refund_pending_amount: int = Field(sa_type=BigInteger)
    disputed_amount: int = Field(sa_type=BigInteger)
    capture_method: CaptureMethod = Field(sa_type=one_of(CaptureMethod, "capture_method"))
    description: str | None = Field(default=None, sa_type=Text)
    details: dict[str, Any] = Field(sa_type=JSONB)
    sealed_details: bytes | None = None
    media_item_id: str | None = None
    subscription_id: UUID | None = Field(default=None, foreign_key="subscriptions.id")
    invoice_id: UUID | None = Field(default=None, foreign_key="invoices.id")
    plan_id: UUID | None = Field(default=None, foreign_key="plans.id")
    payment_method_id: UUID | None = Field(default=None, foreign_key="payment_methods.id")
    processor_customer_id: str
    processor_method_id: str | None = None
    processor_payment_id: str | None = Field(default=None, unique=True)
    processor_charge_id: str | None = None
    method_type: PaymentMethodType | None = Field(
        default=None, sa_type=one_of(PaymentMethodType, "method_type")
    )
    method_brand: str | None = None
    method_last4: str | None = Field(default=None, max_length=4)
    method_exp_month: int | None = None
    method_exp_year: int | None = None
    method_wallet: str | None = None
    method_country: str | None = None
    decline_code: str | None = None
    decline_advice: str | None = None
    failures: list[Any] = Field(sa_type=JSONB)
    receipt_url: str | None = Field(default=None, sa_type=Text)
    last_event_id: str | None = None
    synced_by: SyncSource = Field(sa_type=one_of(SyncSource, "synced_by"))
    created_at: datetime = Field(sa_type=INSTANT)
    updated_at: datetime = Field(sa_type=INSTANT)
    completed_at: datetime | None = Field(default=None, sa_type=INSTANT)
