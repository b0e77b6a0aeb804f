"""Refunds and disputes: what goes back."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from domain.dispute import DisputeStatus
from domain.payment_status import SyncSource
from domain.refund import RefundOrigin, RefundReason, RefundStatus
from persistence.tables.base import INSTANT, Row, one_of


class RefundRow(Row, table=True):
    __tablename__ = "refunds"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("version > 0", name="version"),
        CheckConstraint("status <> 'SUCCEEDED' OR succeeded_at IS NOT NULL", name="succeeded_at"),
        Index("ix_refunds_payment", "payment_id", "created_at", "id"),
        Index("ix_refunds_user", "user_id", "created_at", "id"),
    )

    id: UUID = Field(primary_key=True)
    user_id: UUID = Field(foreign_key="billing_accounts.user_id")
    payment_id: UUID = Field(foreign_key="payments.id")
    status: RefundStatus = Field(sa_type=one_of(RefundStatus, "status"))
    amount: int = Field(sa_type=BigInteger)
    currency: str = Field(sa_type=cast("Any", String(3)))
    reason: RefundReason = Field(sa_type=one_of(RefundReason, "reason"))
    note: str | None = Field(default=None, sa_type=Text)
    failure_reason: str | None = None
    origin: RefundOrigin = Field(sa_type=one_of(RefundOrigin, "origin"))
    revokes_access: bool
    created_by: UUID | None = None
    processor_refund_id: str | None = Field(default=None, unique=True)
    last_event_id: str | None = None
    synced_by: SyncSource = Field(sa_type=one_of(SyncSource, "synced_by"))
    version: int
    created_at: datetime = Field(sa_type=INSTANT)
    updated_at: datetime = Field(sa_type=INSTANT)
    succeeded_at: datetime | None = Field(default=None, sa_type=INSTANT)


class DisputeRow(Row, table=True):
    __tablename__ = "disputes"
    __table_args__ = (
        CheckConstraint("amount >= 0", name="amount"),
        CheckConstraint("version > 0", name="version"),
        Index("ix_disputes_payment", "payment_id", "created_at", "id"),
        Index("ix_disputes_user", "user_id", "created_at", "id"),
        Index("ix_disputes_status", "status", "created_at", "id"),
        Index("ix_disputes_created", "created_at", "id"),
    )

    id: UUID = Field(primary_key=True)
    user_id: UUID = Field(foreign_key="billing_accounts.user_id")
    payment_id: UUID = Field(foreign_key="payments.id")
    status: DisputeStatus = Field(sa_type=one_of(DisputeStatus, "status"))
    amount: int = Field(sa_type=BigInteger)
    currency: str = Field(sa_type=cast("Any", String(3)))
    reason: str
    evidence_due_by: datetime | None = Field(default=None, sa_type=INSTANT)
    evidence_draft: dict[str, Any] = Field(sa_type=JSONB)
    evidence_submitted_at: datetime | None = Field(default=None, sa_type=INSTANT)
    history: list[Any] = Field(sa_type=JSONB)
    processor_dispute_id: str = Field(unique=True)
    last_event_id: str | None = None
    synced_by: SyncSource = Field(sa_type=one_of(SyncSource, "synced_by"))
    readings: int
    version: int
    created_at: datetime = Field(sa_type=INSTANT)
    updated_at: datetime = Field(sa_type=INSTANT)
