"""What only ever grows, and how the money invariants stood."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, Identity, Index, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from domain.actor import Role
from domain.events import InboxStatus
from domain.operation import ObjectKind
from domain.payment_status import SyncSource
from persistence.tables.base import INSTANT, Row, one_of

HASH: Any = String(64)


class AuditRecordRow(Row, table=True):
    """
    Append-only: triggers refuse UPDATE, DELETE and TRUNCATE, but for taking `personal` away.

    A record has at most one successor in its object's chain, which the last index holds.
    """

    __tablename__ = "audit_records"
    __table_args__ = (
        Index("uq_audit_records_sequence", "sequence", unique=True),
        Index("ix_audit_records_object", "object_kind", "object_id", "sequence"),
        Index(
            "ix_audit_records_actor", "actor_id", "sequence", postgresql_where=text("actor_id IS NOT NULL")
        ),
        Index(
            "ix_audit_records_request",
            "request_id",
            "sequence",
            postgresql_where=text("actor_role = 'SYSTEM' AND request_id <> ''"),
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
    personal: dict[str, Any] | None = Field(default=None, sa_type=cast("Any", JSONB(none_as_null=True)))
    personal_digest: str | None = Field(default=None, sa_type=HASH)
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
    """
    The payload is text, since JSONB refuses the escape of a NUL, which Stripe may send.

    `via` has a default for servers of the version before it, which do not name it; a later release drops it.
    """

    __tablename__ = "inbox_events"
    __table_args__ = (
        Index("ix_inbox_events_status", "status", "received_at"),
        Index("ix_inbox_events_object", "processor_object_id", "occurred_at"),
        Index("ix_inbox_events_received", "received_at", "id"),
    )

    id: UUID = Field(primary_key=True)
    processor_event_id: str = Field(unique=True)
    type: str
    livemode: bool
    api_version: str
    payload: str = Field(sa_type=Text)
    processor_object_id: str | None = None
    via: SyncSource = Field(
        sa_type=one_of(SyncSource, "via"), sa_column_kwargs={"server_default": SyncSource.WEBHOOK.value}
    )
    status: InboxStatus = Field(sa_type=one_of(InboxStatus, "status"))
    attempts: int
    last_error: str | None = Field(default=None, sa_type=Text)
    occurred_at: datetime = Field(sa_type=INSTANT)
    received_at: datetime = Field(sa_type=INSTANT)
    handled_at: datetime | None = Field(default=None, sa_type=INSTANT)


class InvariantCheckRow(Row, table=True):
    """The last check of each money invariant, in the place of the one before."""

    __tablename__ = "invariant_checks"

    invariant: str = Field(primary_key=True)
    violations: int
    checked_at: datetime = Field(sa_type=INSTANT)
