"""Billing accounts and what pays for them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field

from domain.payment_method import PaymentMethodType, SetupStatus
from persistence.tables.base import INSTANT, Row, one_of


class BillingAccountRow(Row, table=True):
    __tablename__ = "billing_accounts"

    user_id: UUID = Field(primary_key=True)
    processor_customer_id: str | None = Field(default=None, unique=True)
    created_at: datetime = Field(sa_type=INSTANT)
    updated_at: datetime = Field(sa_type=INSTANT)
    forgotten_at: datetime | None = Field(default=None, sa_type=INSTANT)
    forgetting_since: datetime | None = Field(default=None, sa_type=INSTANT)


class PaymentMethodRow(Row, table=True):
    __tablename__ = "payment_methods"
    __table_args__ = (
        CheckConstraint("NOT (is_default AND detached_at IS NOT NULL)", name="default_is_attached"),
        CheckConstraint("exp_month BETWEEN 1 AND 12", name="exp_month"),
        CheckConstraint("version > 0", name="version"),
        Index("uq_payment_methods_default", "user_id", unique=True, postgresql_where=text("is_default")),
        Index("ix_payment_methods_user", "user_id", "created_at"),
    )

    id: UUID = Field(primary_key=True)
    user_id: UUID = Field(foreign_key="billing_accounts.user_id")
    processor_method_id: str = Field(unique=True)
    type: PaymentMethodType = Field(sa_type=one_of(PaymentMethodType, "type"))
    brand: str | None = None
    last4: str | None = Field(default=None, max_length=4)
    exp_month: int | None = None
    exp_year: int | None = None
    wallet: str | None = None
    country: str | None = None
    fingerprint: str | None = None
    billing_name: str | None = None
    is_default: bool
    default_chosen_at: datetime | None = Field(default=None, sa_type=INSTANT)
    version: int
    created_at: datetime = Field(sa_type=INSTANT)
    updated_at: datetime = Field(sa_type=INSTANT)
    detached_at: datetime | None = Field(default=None, sa_type=INSTANT)


class PaymentMethodSetupRow(Row, table=True):
    __tablename__ = "payment_method_setups"

    id: UUID = Field(primary_key=True)
    user_id: UUID = Field(foreign_key="billing_accounts.user_id", index=True)
    status: SetupStatus = Field(sa_type=one_of(SetupStatus, "status"))
    makes_default: bool
    processor_setup_id: str | None = Field(default=None, unique=True)
    processor_customer_id: str
    payment_method_id: UUID | None = Field(default=None, foreign_key="payment_methods.id")
    decline_code: str | None = None
    decline_advice: str | None = None
    version: int
    created_at: datetime = Field(sa_type=INSTANT)
    updated_at: datetime = Field(sa_type=INSTANT)
