"""Runs of the reconciliation, and the drift that they found."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from domain.errors import Busy
from domain.reconciliation.run import Drift, ReconciliationRun, RunKind, RunState
from domain.reconciliation.run_list import DriftFilter, RunFilter
from persistence.keyset import Keyset
from persistence.lists import Lists
from persistence.tables import DriftRow, ReconciliationRunRow, table_of
from persistence.tables.reconciliation import CARRIED_OUT

RUNS: Final = table_of(ReconciliationRunRow)
C: Final = RUNS.c
DRIFTS: Final = table_of(DriftRow)
ONE_OF_A_KIND: Final = "uq_reconciliation_runs_carried_out"
GONE: Final = "Its process was gone."


class ReconciliationRunRepository(Lists[ReconciliationRun, RunFilter]):
    table = RUNS
    entity = ReconciliationRun
    lists = Keyset(RUNS, {}, parent="requested_by")

    async def by_ids(self, run_ids: Sequence[UUID]) -> Mapping[UUID, ReconciliationRun]:
        return await self._owned(run_ids, owner=None)

    async def walked_until(self, *, livemode: bool) -> datetime | None:
        """How far the scheduled walks have come, which follow each other without a gap."""
        furthest: datetime | None = await self._connection.scalar(
            select(func.max(C.walked_until)).where(
                C.kind == RunKind.EVENTS, C.livemode == livemode, C.is_dry_run.is_(False)
            )
        )
        return furthest

    async def add(self, run: ReconciliationRun) -> bool:
        """False where one of its kind is being carried out; nothing is added then."""
        return await self._added(run, "kind", "livemode", where=CARRIED_OUT)

    async def take(self, run: ReconciliationRun) -> None:
        """Keep that a run is being carried out. Raises Busy where another one of its kind is."""
        try:
            await self.save(run)
        except IntegrityError as violation:
            if ONE_OF_A_KIND in str(violation.orig):
                raise Busy("Another run of its kind is being carried out.", current="BUSY") from violation
            raise

    async def advance(self, before: ReconciliationRun, after: ReconciliationRun) -> bool:
        """False where the run was taken from its holder since `before`; nothing is changed then."""
        changed = await self._connection.execute(
            update(RUNS)
            .where(C.id == before.id, C.state == before.state, C.leased_until == before.leased_until)
            .values(self._row(after))
        )
        return changed.rowcount == 1

    async def bury(self, *, at: datetime) -> Sequence[ReconciliationRun]:
        """Mark runs as failed whose process is gone, and tell which."""
        return await self._all(
            update(RUNS)
            .where(C.state == RunState.RUNNING, C.leased_until < at)
            .values(state=RunState.FAILED, error=GONE, leased_until=None, finished_at=at)
            .returning(RUNS)
        )

    async def drop(self, *, empty_before: datetime, all_before: datetime) -> int:
        """Forget runs that found nothing, and later the others; never the last of a kind. How many."""
        last = select(func.max(C.started_at)).where(C.state == RunState.FINISHED).group_by(C.kind, C.livemode)
        furthest = select(func.max(C.walked_until)).where(C.kind == RunKind.EVENTS).group_by(C.livemode)
        is_empty = (C.drifts_found == 0) & (C.events_recovered == 0) & C.requested_by.is_(None)
        dropped = await self._connection.execute(
            delete(RUNS).where(
                or_(C.finished_at < all_before, is_empty & (C.finished_at < empty_before)),
                C.started_at.not_in(last),
                or_(C.walked_until.is_(None), C.walked_until.not_in(furthest)),
            )
        )
        return dropped.rowcount


class DriftRepository(Lists[Drift, DriftFilter]):
    table = DRIFTS
    entity = Drift
    lists = Keyset(DRIFTS, {}, parent="run_id")

    async def add_all(self, drifts: Sequence[Drift]) -> None:
        if drifts:
            await self._connection.execute(insert(DRIFTS), [asdict(drift) for drift in drifts])

    async def drop_of(self, run_id: UUID) -> None:
        """Forget what a run had found that begins anew."""
        await self._connection.execute(delete(DRIFTS).where(DRIFTS.c.run_id == run_id))
