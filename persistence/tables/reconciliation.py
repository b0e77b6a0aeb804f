"""Runs of the reconciliation, and what they found."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlmodel import Field

from domain.operation import ObjectKind
from domain.reconciliation.run import DriftCause, RunKind, RunState
from persistence.tables.base import INSTANT, Row, one_of

CARRIED_OUT: Final = text("state = 'RUNNING' AND kind <> 'OBJECT'")
"""Of each kind, one run at a time; runs about one object are in nobody's way."""


class ReconciliationRunRow(Row, table=True):
    __tablename__ = "reconciliation_runs"
    __table_args__ = (
        CheckConstraint("since <= until", name="window"),
        CheckConstraint("healed <= drifts_found", name="healed"),
        CheckConstraint("(state = 'RUNNING') = (leased_until IS NOT NULL)", name="leased"),
        CheckConstraint("(state IN ('FINISHED', 'FAILED')) = (finished_at IS NOT NULL)", name="finished"),
        CheckConstraint("(object_kind IS NULL) = (object_id IS NULL)", name="object"),
        Index(
            "uq_reconciliation_runs_carried_out",
            "kind",
            "livemode",
            unique=True,
            postgresql_where=CARRIED_OUT,
        ),
        Index("ix_reconciliation_runs_started", "started_at", "id"),
    )

    id: UUID = Field(primary_key=True)
    kind: RunKind = Field(sa_type=one_of(RunKind, "kind"))
    state: RunState = Field(sa_type=one_of(RunState, "state"))
    livemode: bool
    is_dry_run: bool
    since: datetime = Field(sa_type=INSTANT)
    until: datetime = Field(sa_type=INSTANT)
    walked_until: datetime | None = Field(default=None, sa_type=INSTANT)
    object_kind: ObjectKind | None = Field(default=None, sa_type=one_of(ObjectKind, "object_kind"))
    object_id: UUID | None = None
    scanned: int
    events_recovered: int
    drifts_found: int
    healed: int
    error: str | None = Field(default=None, sa_type=Text)
    requested_by: UUID | None = None
    leased_until: datetime | None = Field(default=None, sa_type=INSTANT)
    started_at: datetime = Field(sa_type=INSTANT)
    finished_at: datetime | None = Field(default=None, sa_type=INSTANT)


class DriftRow(Row, table=True):
    __tablename__ = "drifts"
    __table_args__ = (
        Index("ix_drifts_run", "run_id", "found_at", "id"),
        Index("ix_drifts_object", "object_kind", "object_id"),
    )

    id: UUID = Field(primary_key=True)
    run_id: UUID = Field(sa_column_args=(ForeignKey("reconciliation_runs.id", ondelete="CASCADE"),))
    object_kind: ObjectKind = Field(sa_type=one_of(ObjectKind, "object_kind"))
    object_id: UUID | None = None
    processor_object_id: str
    field: str
    local: str | None = Field(default=None, sa_type=Text)
    remote: str | None = Field(default=None, sa_type=Text)
    cause: DriftCause = Field(sa_type=one_of(DriftCause, "cause"))
    is_healed: bool
    found_at: datetime = Field(sa_type=INSTANT)
