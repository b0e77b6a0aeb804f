"""Runs of the reconciliation, and the drift that they find."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Self
from uuid import UUID

from domain.errors import ProcessorRefused
from domain.operation import ObjectKind

LEASE: Final = timedelta(minutes=5)
"""How long nothing may be heard of a run before it is taken for dead; a call to the processor takes seconds."""
LONGEST_ERROR: Final = 500


def in_words(failure: Exception) -> str:
    """For an operator; the processor's own reason where it gave one."""
    reason = f" ({failure.reason})" if isinstance(failure, ProcessorRefused) else ""
    return f"{type(failure).__name__}: {failure}{reason}"


class RunKind(StrEnum):
    """EVENTS walks the processor's events, OBJECTS compares, ALL does both; OBJECT is about one object."""

    EVENTS = "EVENTS"
    OBJECTS = "OBJECTS"
    ALL = "ALL"
    OBJECT = "OBJECT"


class RunState(StrEnum):
    """REQUESTED waits for the worker; FAILED could not be finished, and what it had done stays done."""

    REQUESTED = "REQUESTED"
    RUNNING = "RUNNING"
    FINISHED = "FINISHED"
    FAILED = "FAILED"


class DriftCause(StrEnum):
    """Why ours and the processor's differ; `domain.reconciliation.causes` says how that is told."""

    MISSED_EVENT = "MISSED_EVENT"
    FAILED_EVENT = "FAILED_EVENT"
    STALE_WRITE = "STALE_WRITE"
    DASHBOARD_EDIT = "DASHBOARD_EDIT"
    UNKNOWN_OBJECT = "UNKNOWN_OBJECT"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconciliationRun:
    """
    One look at the processor, of what has happened there from `since` to `until`.

    `walked_until` is the time of the last event that it has seen, from which a later run goes on: the processor's own
    time, so that nobody's clock decides. `requested_by` is the admin who asked for it; None for a schedule and the
    command line. `scanned` counts events and objects that were looked at. `error` is why it failed, or will have.
    `leased_until` goes by the database's clock, which is the same for all.
    """

    id: UUID
    kind: RunKind
    state: RunState
    livemode: bool
    is_dry_run: bool
    since: datetime
    until: datetime
    walked_until: datetime | None = None
    object_kind: ObjectKind | None = None
    object_id: UUID | None = None
    scanned: int = 0
    events_recovered: int = 0
    drifts_found: int = 0
    healed: int = 0
    error: str | None = None
    requested_by: UUID | None = None
    leased_until: datetime | None = None
    started_at: datetime
    finished_at: datetime | None = None

    @property
    def walks(self) -> bool:
        return self.kind in {RunKind.EVENTS, RunKind.ALL}

    @property
    def compares(self) -> bool:
        return self.kind in {RunKind.OBJECTS, RunKind.ALL}

    @property
    def is_over(self) -> bool:
        return self.state in {RunState.FINISHED, RunState.FAILED}

    @property
    def may_be_repeated(self) -> bool:
        """Whether asking again for what has failed begins it anew: what is about one object is over at once."""
        return self.kind is RunKind.OBJECT and self.state is RunState.FAILED

    @property
    def is_owed(self) -> bool:
        """Whether an admin asked for it, and the worker carries it out sooner or later."""
        return self.requested_by is not None and self.kind is not RunKind.OBJECT

    @property
    def unhealed(self) -> int:
        return self.drifts_found - self.healed

    def is_carried_out_at(self, moment: datetime) -> bool:
        """Whether somebody is still at it, at a moment of the database's clock."""
        is_leased = self.leased_until is not None and moment < self.leased_until
        return self.state is RunState.RUNNING and is_leased

    def begun(self, *, at: datetime) -> Self:
        """
        Once more from the start, where it was begun before: what it had counted is forgotten.

        The moment is one of the database's clock.
        """
        return replace(
            self,
            state=RunState.RUNNING,
            scanned=0,
            events_recovered=0,
            drifts_found=0,
            healed=0,
            error=None,
            finished_at=None,
            leased_until=at + LEASE,
        )

    def going_on(self, *, at: datetime) -> Self:
        return replace(self, leased_until=at + LEASE)

    def ended(self, *, at: datetime) -> Self:
        """It failed where anything could not be compared, though all else was."""
        if self.error is not None:
            return self.failed(self.error, at=at)
        return replace(self, state=RunState.FINISHED, leased_until=None, finished_at=at)

    def failed(self, why: str, *, at: datetime) -> Self:
        return replace(
            self, state=RunState.FAILED, error=why[:LONGEST_ERROR], leased_until=None, finished_at=at
        )

    def given_up(self, why: str, *, at: datetime) -> Self:
        """By whoever carried it out: what the worker owes waits for it again, all else has failed."""
        if self.is_owed:
            return replace(self, state=RunState.REQUESTED, leased_until=None)
        return self.failed(why, at=at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """
    One field in which ours was not the processor's, both as texts.

    `object_id` is None where we have no such object. `is_healed` says that nothing about the object differs any more.
    """

    id: UUID
    run_id: UUID
    object_kind: ObjectKind
    object_id: UUID | None = None
    processor_object_id: str
    field: str
    local: str | None = None
    remote: str | None = None
    cause: DriftCause
    is_healed: bool = False
    found_at: datetime
