"""What only ever grows."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from domain.actor import Role
from domain.events import InboxStatus
from domain.operation import ObjectKind
from persistence.tables.base import INSTANT, Row, one_of


class AuditRecordRow(Row, table=True):
    """Append-only: a trigger refuses UPDATE, DELETE and TRUNCATE."""

    __tablename__ = "audit_records"
    __table_args__ = (Index("ix_audit_records_object", "object_kind", "object_id", "id"),)

    id: UUID = Field(primary_key=True)
    at: datetime = Field(sa_type=INSTANT)
    actor_role: Role = Field(sa_type=one_of(Role, "actor_role"))
    actor_id: UUID | None = None
    request_id: str
    action: str
    object_kind: ObjectKind = Field(sa_type=one_of(ObjectKind, "object_kind"))
    object_id: UUID
    changes: dict[str, Any] = Field(sa_type=JSONB)


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
