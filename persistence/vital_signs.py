"""How the work stands, for metrics: a few statements that indexes answer, on a connection of their own."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
from sqlalchemy import CursorResult, text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.events import InboxStatus
from domain.operation import OperationState
from persistence.engine import CONNECTION_ERRORS, create_engine

PATIENCE: Final = 2.0
"""Seconds for all of it: whoever watches must hear soon that there is no database."""
UNREAD: Final = (*CONNECTION_ERRORS, asyncpg.InterfaceError)
"""Why there may be no signs; a time-out is an OSError."""
OPEN: Final = (OperationState.RUNNING, OperationState.OUTCOME_UNKNOWN)
HANDLED: Final = frozenset({InboxStatus.HANDLED, InboxStatus.IGNORED})
WAITING: Final = tuple(status for status in InboxStatus if status not in HANDLED)

OPERATIONS: Final = text(
    "SELECT state, count(*) AS number, extract(epoch FROM now() - min(started_at)) AS oldest "
    "FROM operations WHERE state IN ('RUNNING', 'OUTCOME_UNKNOWN') GROUP BY state"
)
EVENTS: Final = text(
    "SELECT status, count(*) AS number, extract(epoch FROM now() - min(received_at)) AS oldest "
    "FROM inbox_events WHERE status = ANY(CAST(:waiting AS text[])) GROUP BY status"
).bindparams(waiting=[status.value for status in WAITING])
JOBS: Final = text(
    "SELECT entrypoint, status::text, count(*) AS number FROM pgqueuer GROUP BY entrypoint, status"
)
CHECKS: Final = text(
    "SELECT invariant, violations, extract(epoch FROM now() - checked_at) AS age FROM invariant_checks"
)
RECONCILED: Final = text(
    "SELECT DISTINCT ON (kind) kind, drifts_found - healed AS unhealed, extract(epoch FROM now() - started_at) AS age "
    "FROM reconciliation_runs WHERE state = 'FINISHED' AND kind IN ('EVENTS', 'OBJECTS') "
    "ORDER BY kind, started_at DESC"
)
# The first record after the last seal, whose age is how far the seals lag behind.
UNSEALED: Final = text(
    "SELECT extract(epoch FROM now() - at) FROM audit_records "
    "WHERE sequence > (SELECT coalesce(max(last_sequence), 0) FROM audit_seals) ORDER BY sequence LIMIT 1"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How many wait in one state, and for how many seconds the oldest does."""

    number: int = 0
    oldest: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """How many seconds ago the last finished run of a kind began, and how many drifts it left unhealed."""

    age: float
    unhealed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VitalSigns:
    """`unsealed` is the age of the oldest audit record without a seal, `checked` of the last check; in seconds."""

    operations: Mapping[str, Waiting]
    events: Mapping[str, Waiting]
    jobs: Mapping[tuple[str, str], int]
    violations: Mapping[str, int]
    checked: float | None
    reconciled: Mapping[str, Reconciled]
    unsealed: float


class Monitor:
    """Reads the signs; no request's connection is taken for it, so that it works when those are all in use."""

    def __init__(self, database_url: str) -> None:
        self._engine = create_engine(database_url, pool_size=1, pool_timeout=PATIENCE)

    async def signs(self) -> VitalSigns:
        """Raises one of UNREAD where the database does not answer, or not in time."""
        async with asyncio.timeout(PATIENCE), self._engine.connect() as connection:
            return await _signs(connection)

    async def close(self) -> None:
        await self._engine.dispose()


async def _signs(connection: AsyncConnection) -> VitalSigns:
    operations = _by_state(await connection.execute(OPERATIONS))
    events = _by_state(await connection.execute(EVENTS))
    jobs: Sequence[Any] = (await connection.execute(JOBS)).all()
    checks: Sequence[Any] = (await connection.execute(CHECKS)).all()
    return VitalSigns(
        operations={state: operations.get(state, Waiting()) for state in OPEN},
        events={status: events.get(status, Waiting()) for status in WAITING},
        jobs={(each.entrypoint, each.status): each.number for each in jobs},
        violations={check.invariant: check.violations for check in checks},
        checked=max((float(check.age) for check in checks), default=None),
        reconciled={
            run.kind: Reconciled(age=float(run.age), unhealed=run.unhealed)
            for run in (await connection.execute(RECONCILED)).all()
        },
        unsealed=float(await connection.scalar(UNSEALED) or 0),
    )


def _by_state(rows: CursorResult[Any]) -> Mapping[str, Waiting]:
    return {row[0]: Waiting(number=row.number, oldest=float(row.oldest)) for row in rows}
