"""Runs of the reconciliation: who carries one out, how far it has come, and what becomes of one that died."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from domain.errors import Busy, DomainError, NotFound
from domain.identity import new_id
from domain.ports import Clock, Database
from domain.ports.reconciliation import RunJournal
from domain.reconciliation.comparison import Comparison
from domain.reconciliation.events import EventWalk
from domain.reconciliation.progress import Progress
from domain.reconciliation.run import ReconciliationRun, RunKind, RunState

EMPTY_KEPT_FOR: Final = timedelta(days=2)
KEPT_FOR: Final = timedelta(days=90)


class RunLost(Exception):
    """Nothing was heard of the run for so long that it was given up; its holder stops."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciler:
    """
    One run of a kind at a time, whoever starts it: a unique index decides, and no lock is held meanwhile.

    A run has a lease, which each of its steps renews. When it is over the process is taken for dead, and the run for
    failed; what it had done stays done, and the next one goes on from there. `window` is how far back objects are
    compared that are not open any more; `heals` is whether scheduled runs heal.
    """

    database: Database
    events: EventWalk
    comparison: Comparison
    journal: RunJournal
    clock: Clock
    is_live: bool
    heals: bool = True
    window: timedelta = timedelta(days=3)

    async def walk_events(self) -> ReconciliationRun | None:
        """For a schedule: recover the events that were missed. None where somebody else does so."""
        since, until = await self.events.window()
        return await self._scheduled(self.run_of(RunKind.EVENTS, since=since, until=until))

    async def compare_objects(self) -> ReconciliationRun | None:
        """For a schedule: compare what is open or recent. None where somebody else does so."""
        now = self.clock()
        run = self.run_of(RunKind.OBJECTS, since=now - self.window, until=now, is_dry_run=not self.heals)
        return await self._scheduled(run)

    async def reconcile(self, since: datetime, *, heals: bool) -> ReconciliationRun:
        """For a person: both, from that moment on. Raises Busy where somebody else does so."""
        now = self.clock()
        run = self.run_of(RunKind.ALL, since=since, until=max(since, now), is_dry_run=not heals)
        done = await self._scheduled(run)
        if done is None:
            raise Busy("Another run is being carried out.", current="BUSY")
        return done

    async def carry_out(self, run_id: UUID) -> ReconciliationRun:
        """
        A run that was asked for, once: one that is over is answered as it is, unless it was about one object.

        Raises Busy while somebody else carries it, or another one of its kind, out; NotFound.
        """
        now = self.clock()
        async with self.database.work() as work:
            asked = await work.reconciliation_runs.lock(run_id)
            if asked is None:
                raise NotFound("There is no such run.")
            if asked.is_over and not asked.may_be_repeated:
                return asked
            if asked.is_carried_out_at(now):
                raise Busy("This run is being carried out.", current="BUSY")
            await work.reconciliation_runs.bury(at=now)
            begun = asked.begun(at=now)
            await work.reconciliation_runs.take(begun)
            await work.drifts.drop_of(run_id)
        return await self._carried_out(begun)

    async def drop_old(self) -> int:
        """Forget runs that found nothing after two days, and the others after three months. How many."""
        now = self.clock()
        async with self.database.work() as work:
            return await work.reconciliation_runs.drop(
                empty_before=now - EMPTY_KEPT_FOR, all_before=now - KEPT_FOR
            )

    def run_of(
        self, kind: RunKind, *, since: datetime, until: datetime, is_dry_run: bool = False
    ) -> ReconciliationRun:
        return ReconciliationRun(
            id=new_id(),
            kind=kind,
            state=RunState.REQUESTED,
            livemode=self.is_live,
            is_dry_run=is_dry_run,
            since=since,
            until=until,
            started_at=self.clock(),
        )

    async def _scheduled(self, run: ReconciliationRun) -> ReconciliationRun | None:
        now = self.clock()
        begun = run.begun(at=now)
        async with self.database.work() as work:
            dead = await work.reconciliation_runs.bury(at=now)
            is_ours = await work.reconciliation_runs.add(begun)
        for each in dead:
            self.journal.failed(each)
        return await self._carried_out(begun) if is_ours else None

    async def _carried_out(self, run: ReconciliationRun) -> ReconciliationRun:
        """A run that the processor does not let us finish fails; what was not foreseen is raised, or is waited for."""
        try:
            async for progress in self._steps(run):
                run = await self._advanced(run, progress)
                self._tell(run, progress)
        except RunLost:
            raise
        except Exception as failure:
            failed = await self._failed(run, failure)
            if run.kind is RunKind.OBJECT or not isinstance(failure, DomainError):
                raise
            return failed
        finished = run.finished(at=self.clock())
        await self._keep(run, finished)
        self.journal.finished(finished)
        return finished

    async def _steps(self, run: ReconciliationRun) -> AsyncIterator[Progress]:
        missed: set[str] = set()
        if run.walks:
            async for progress in self.events.walk(run, missed):
                yield progress
        if run.compares:
            async for progress in self.comparison.compare(run, missed):
                yield progress
        if run.kind is RunKind.OBJECT:
            yield await self.comparison.look_at(run)

    async def _advanced(self, run: ReconciliationRun, progress: Progress) -> ReconciliationRun:
        after = progress.added_to(run).going_on(at=self.clock())
        async with self.database.work() as work:
            if not await work.reconciliation_runs.advance(run, after):
                raise RunLost(f"Run {run.id} was given up by others")
            await work.drifts.add_all(progress.drifts)
        return after

    def _tell(self, run: ReconciliationRun, progress: Progress) -> None:
        for drift in progress.drifts:
            self.journal.drifted(drift)
        self.journal.advanced(run)

    async def _failed(self, run: ReconciliationRun, failure: Exception) -> ReconciliationRun:
        failed = run.failed(f"{type(failure).__name__}: {failure}", at=self.clock())
        await self._keep(run, failed)
        self.journal.failed(failed)
        return failed

    async def _keep(self, before: ReconciliationRun, after: ReconciliationRun) -> None:
        async with self.database.work() as work:
            if not await work.reconciliation_runs.advance(before, after):
                raise RunLost(f"Run {before.id} was given up by others")
