"""Uses of idempotency keys."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from domain.operation import ObjectKind, OperationState
from persistence.tables.base import INSTANT, Row, one_of

OPEN = text("state IN ('RUNNING', 'OUTCOME_UNKNOWN')")


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
    sealed_details: bytes | None = None
    object_kind: ObjectKind = Field(sa_type=one_of(ObjectKind, "object_kind"))
    object_id: UUID | None = None
    processor_payment_id: str | None = None
    error: dict[str, Any] | None = Field(default=None, sa_type=cast("Any", JSONB(none_as_null=True)))
    request_id: str
    attempts: int
    leased_until: datetime | None = Field(default=None, sa_type=INSTANT)
    started_at: datetime = Field(sa_type=INSTANT)
    finished_at: datetime | None = Field(default=None, sa_type=INSTANT)
    expires_at: datetime = Field(sa_type=INSTANT)
