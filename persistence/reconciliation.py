"""Runs of the reconciliation, and the drift that they found."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.exc import IntegrityError

from domain.errors import Busy
from domain.reconciliation.run import Drift, ReconciliationRun, RunKind, RunState
from domain.reconciliation.run_list import DriftFilter, RunFilter
from persistence.keyset import Keyset
from persistence.lists import Lists
from persistence.tables import DriftRow, ReconciliationRunRow, table_of
from persistence.tables.reconciliation import CARRIED_OUT
from persistence.violations import broken_constraint

RUNS: Final = table_of(ReconciliationRunRow)
C: Final = RUNS.c
DRIFTS: Final = table_of(DriftRow)
ONE_OF_A_KIND: Final = "uq_reconciliation_runs_carried_out"


class ReconciliationRunRepository(Lists[ReconciliationRun, RunFilter]):
    table = RUNS
    entity = ReconciliationRun
    lists = Keyset(RUNS, {}, parent="requested_by")

    async def by_ids(self, run_ids: Sequence[UUID]) -> Mapping[UUID, ReconciliationRun]:
        return await self._owned(run_ids, owner=None)

    async def walked_until(self, *, livemode: bool, by: datetime) -> datetime | None:
        """How far the scheduled walks have come; what lies after `by` is not believed."""
        furthest: datetime | None = await self._connection.scalar(
            select(func.max(C.walked_until)).where(
                C.kind == RunKind.EVENTS,
                C.livemode == livemode,
                C.is_dry_run.is_(False),
                C.walked_until <= by,
            )
        )
        return furthest

    async def moment(self) -> datetime:
        """Now by the database's clock."""
        now: datetime = (await self._connection.execute(select(func.clock_timestamp()))).scalar_one()
        return now

    async def add(self, run: ReconciliationRun) -> bool:
        """False where one of its kind is being carried out; nothing is added then."""
        return await self._added(run, "kind", "livemode", where=CARRIED_OUT)

    async def take(self, run: ReconciliationRun) -> None:
        """Keep that a run is being carried out. Raises Busy where another one of its kind is."""
        try:
            await self.save(run)
        except IntegrityError as violation:
            if broken_constraint(violation) == ONE_OF_A_KIND:
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

    async def lock_abandoned(self) -> Sequence[ReconciliationRun]:
        """Runs whose lease is over; those that somebody else holds are left to them."""
        return await self._all(
            select(RUNS)
            .where(C.state == RunState.RUNNING, C.leased_until < func.clock_timestamp())
            .with_for_update(skip_locked=True)
        )

    async def drop(self, *, empty_before: datetime, all_before: datetime) -> int:
        """
        Forget runs that found nothing, and later the others. How many.

        Never the last of a kind, nor the walk that has come furthest: the last of those, where nothing happened since.
        """
        last = select(func.max(C.started_at)).where(C.state == RunState.FINISHED).group_by(C.kind, C.livemode)
        furthest = (
            select(C.id)
            .ext(distinct_on(C.livemode))
            .where(C.kind == RunKind.EVENTS, C.walked_until.is_not(None))
            .order_by(C.livemode, C.walked_until.desc(), C.started_at.desc())
        )
        is_empty = (C.drifts_found == 0) & (C.events_recovered == 0) & C.requested_by.is_(None)
        dropped = await self._connection.execute(
            delete(RUNS).where(
                or_(C.finished_at < all_before, is_empty & (C.finished_at < empty_before)),
                C.started_at.not_in(last),
                C.id.not_in(furthest),
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
