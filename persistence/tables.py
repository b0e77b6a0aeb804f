"""
The tables: each is the field-for-field twin of a domain dataclass, and carries its invariants as constraints.

One test pins the twins. Repositories read and write columns; no ORM object leaves this room.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Enum,
    Identity,
    Index,
    MetaData,
    String,
    Table,
    Text,
    text,
)
from sqlalchemy import DateTime as Timestamp
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from domain.actor import Role
from domain.events import InboxStatus
from domain.operation import ObjectKind, OperationState
from domain.payment import CaptureMethod, PaymentStatus, PaymentTrigger, SyncSource
from domain.payment_method import PaymentMethodType, SetupStatus

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMING)

INSTANT: Any = Timestamp(timezone=True)
HASH: Any = String(64)
OPEN = text("state IN ('RUNNING', 'OUTCOME_UNKNOWN')")


def one_of(enum: type[StrEnum], name: str) -> Any:
    """Text under a check constraint: readable in psql, and extended without a type change."""
    return Enum(
        enum,
        native_enum=False,
        create_constraint=True,
        length=32,
        name=name,
        values_callable=lambda members: [member.value for member in members],
    )


class Row(SQLModel):
    metadata = metadata


class BillingAccountRow(Row, table=True):
    __tablename__ = "billing_accounts"

    user_id: UUID = Field(primary_key=True)
    processor_customer_id: str | None = Field(default=None, unique=True)
    created_at: datetime = Field(sa_type=INSTANT)
    updated_at: datetime = Field(sa_type=INSTANT)


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


class PaymentRow(Row, table=True):
    __tablename__ = "payments"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("authorized_amount BETWEEN 0 AND amount", name="authorized_amount"),
        CheckConstraint("captured_amount BETWEEN 0 AND amount", name="captured_amount"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
        CheckConstraint("(status = 'COMPLETED') = (completed_at IS NOT NULL)", name="completed_at"),
        CheckConstraint("status <> 'FAILED' OR decline_code IS NOT NULL", name="decline"),
        CheckConstraint("version > 0", name="version"),
        Index("ix_payments_user_created", "user_id", "created_at", "id"),
        Index("ix_payments_user_updated", "user_id", "updated_at", "id"),
        Index("ix_payments_user_amount", "user_id", "amount", "id"),
        Index("ix_payments_user_status", "user_id", "status", "id"),
        Index("ix_payments_created", "created_at", "id"),
        Index("ix_payments_updated", "updated_at", "id"),
        Index("ix_payments_method", "payment_method_id"),
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
    capture_method: CaptureMethod = Field(sa_type=one_of(CaptureMethod, "capture_method"))
    description: str | None = Field(default=None, sa_type=Text)
    details: dict[str, Any] = Field(sa_type=JSONB)
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
    receipt_url: str | None = Field(default=None, sa_type=Text)
    last_event_id: str | None = None
    synced_by: SyncSource = Field(sa_type=one_of(SyncSource, "synced_by"))
    created_at: datetime = Field(sa_type=INSTANT)
    updated_at: datetime = Field(sa_type=INSTANT)
    completed_at: datetime | None = Field(default=None, sa_type=INSTANT)


class OperationRow(Row, table=True):
    """
    Two constraints decide races: a key is used once per caller and mutation, and one operation at a time
    is open per object.
    """

    __tablename__ = "operations"
    __table_args__ = (
        Index("uq_operations_key", "caller_id", "mutation", "key", unique=True),
        Index("uq_operations_open_object", "object_id", unique=True, postgresql_where=OPEN),
        Index("ix_operations_open", "leased_until", postgresql_where=OPEN),
        Index("ix_operations_expiry", "expires_at"),
        CheckConstraint("(state IN ('SUCCEEDED', 'FAILED')) = (finished_at IS NOT NULL)", name="finished_at"),
        CheckConstraint("state <> 'FAILED' OR error IS NOT NULL", name="error"),
        CheckConstraint("char_length(key) BETWEEN 8 AND 255", name="key"),
    )

    id: UUID = Field(primary_key=True)
    caller_id: UUID
    mutation: str
    key: str
    state: OperationState = Field(sa_type=one_of(OperationState, "state"))
    fingerprint: dict[str, Any] = Field(sa_type=JSONB)
    arguments: dict[str, Any] = Field(sa_type=JSONB)
    object_kind: ObjectKind = Field(sa_type=one_of(ObjectKind, "object_kind"))
    object_id: UUID | None = None
    error: dict[str, Any] | None = Field(default=None, sa_type=cast("Any", JSONB(none_as_null=True)))
    request_id: str
    attempts: int
    leased_until: datetime | None = Field(default=None, sa_type=INSTANT)
    started_at: datetime = Field(sa_type=INSTANT)
    finished_at: datetime | None = Field(default=None, sa_type=INSTANT)
    expires_at: datetime = Field(sa_type=INSTANT)


class AuditRecordRow(Row, table=True):
    """
    Append-only: a trigger refuses UPDATE, DELETE and TRUNCATE.

    A record has at most one successor in its object's chain, which the last index holds.
    """

    __tablename__ = "audit_records"
    __table_args__ = (
        Index("uq_audit_records_sequence", "sequence", unique=True),
        Index("ix_audit_records_object", "object_kind", "object_id", "sequence"),
        Index(
            "ix_audit_records_actor", "actor_id", "sequence", postgresql_where=text("actor_id IS NOT NULL")
        ),
        Index("uq_audit_records_chain", "object_kind", "object_id", "previous_hash", unique=True),
    )

    id: UUID = Field(primary_key=True)
    sequence: int = Field(sa_column=Column(BigInteger, Identity(always=True), nullable=False))
    at: datetime = Field(sa_type=INSTANT)
    occurred_at: datetime | None = Field(default=None, sa_type=INSTANT)
    actor_role: Role = Field(sa_type=one_of(Role, "actor_role"))
    actor_id: UUID | None = None
    ip: str | None = None
    request_id: str
    action: str
    object_kind: ObjectKind = Field(sa_type=one_of(ObjectKind, "object_kind"))
    object_id: UUID
    changes: dict[str, Any] = Field(sa_type=JSONB)
    previous_hash: str = Field(sa_type=HASH)
    hash: str = Field(sa_type=HASH)


class AuditSealRow(Row, table=True):
    """Append-only as well; a seal has at most one successor."""

    __tablename__ = "audit_seals"
    __table_args__ = (CheckConstraint("first_sequence <= last_sequence", name="range"),)

    last_sequence: int = Field(
        sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False}
    )
    first_sequence: int = Field(sa_type=BigInteger)
    records: int
    sealed_at: datetime = Field(sa_type=INSTANT)
    previous_hash: str = Field(sa_type=HASH, unique=True)
    hash: str = Field(sa_type=HASH)


class InboxEventRow(Row, table=True):
    """The payload is text, since JSONB refuses the escape of a NUL, which Stripe may send."""

    __tablename__ = "inbox_events"
    __table_args__ = (Index("ix_inbox_events_status", "status", "received_at"),)

    id: UUID = Field(primary_key=True)
    processor_event_id: str = Field(unique=True)
    type: str
    livemode: bool
    api_version: str
    payload: str = Field(sa_type=Text)
    status: InboxStatus = Field(sa_type=one_of(InboxStatus, "status"))
    attempts: int
    last_error: str | None = Field(default=None, sa_type=Text)
    occurred_at: datetime = Field(sa_type=INSTANT)
    received_at: datetime = Field(sa_type=INSTANT)
    handled_at: datetime | None = Field(default=None, sa_type=INSTANT)


def table_of(row: type[Row]) -> Table:
    return metadata.tables[str(row.__tablename__)]
