"""Runs of the reconciliation: who carries one out, how far it has come, and what becomes of one that died."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from domain.errors import Busy, DatabaseUnavailable, DomainError, InvalidInput, NotFound
from domain.identity import new_id
from domain.ports import Clock, Database, Work
from domain.ports.reconciliation import RunJournal
from domain.reconciliation.comparison import Comparison
from domain.reconciliation.events import EventWalk
from domain.reconciliation.progress import Progress
from domain.reconciliation.run import ReconciliationRun, RunKind, RunState, in_words

EMPTY_KEPT_FOR: Final = timedelta(days=2)
KEPT_FOR: Final = timedelta(days=90)
GIVING_UP: Final = timedelta(seconds=2)
"""For writing down that a run was cut off; a shutdown allows no more."""
CUT_OFF: Final = "It was cut off."
GONE: Final = "Its process was gone."


class RunLost(Exception):
    """Nothing was heard of the run for so long that it was given up; its holder stops."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciler:
    """
    One run of a kind at a time, whoever starts it: a unique index decides, and no lock is held meanwhile.

    A run has a lease, which each of its steps renews. When it is over the process is taken for dead: what an admin has
    asked for waits for another worker, and any other run has failed. What it had done stays done, and the next one goes
    on from there. `window` is how far back objects are compared that are not open any more; `heals` is whether
    scheduled comparisons heal.
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
        """For a person: both, from that moment on. Raises InvalidInput, Busy where somebody else does so."""
        now = self.clock()
        if since >= now:
            raise InvalidInput("This has not happened yet.", path=("since",), constraint="past")
        run = self.run_of(RunKind.ALL, since=since, until=now, is_dry_run=not heals)
        done = await self._scheduled(run)
        if done is None:
            raise Busy("Another run is being carried out.", current="BUSY")
        return done

    async def carry_out(self, run_id: UUID) -> ReconciliationRun:
        """
        A run that was asked for, once.

        One that is over is answered as it is, unless it was about one object and failed.

        Raises Busy while somebody else carries it, or another one of its kind, out; NotFound.
        """
        async with self.database.work() as work:
            asked = await work.reconciliation_runs.lock(run_id)
            if asked is None:
                raise NotFound("There is no such run.")
            if asked.is_over and not asked.may_be_repeated:
                return asked
            now = await work.reconciliation_runs.moment()
            if asked.is_carried_out_at(now):
                raise Busy("This run is being carried out.", current="BUSY")
            dead = await self._buried(work)
            begun = asked.begun(at=now)
            await work.reconciliation_runs.take(begun)
            await work.drifts.drop_of(run_id)
        self._tell_of_ends(each for each in dead if each.id != run_id)
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
        async with self.database.work() as work:
            dead = await self._buried(work)
            begun = run.begun(at=await work.reconciliation_runs.moment())
            is_ours = await work.reconciliation_runs.add(begun)
        self._tell_of_ends(dead)
        return await self._carried_out(begun) if is_ours else None

    async def _buried(self, work: Work) -> Sequence[ReconciliationRun]:
        """Runs whose process is gone, as they are from now on."""
        abandoned = await work.reconciliation_runs.lock_abandoned()
        dead = [each.given_up(GONE, at=self.clock()) for each in abandoned]
        for each in dead:
            await work.reconciliation_runs.save(each)
        return dead

    async def _carried_out(self, run: ReconciliationRun) -> ReconciliationRun:
        """A run that the processor does not let us finish fails; what was not foreseen is raised, or is waited for."""
        try:
            async for progress in self._steps(run):
                run = await self._advanced(run, progress)
                self._tell(run, progress)
            return await self._ended(run, run.ended(at=self.clock()))
        except asyncio.CancelledError:
            await asyncio.shield(self._give_up(run))
            raise
        except RunLost:
            raise
        except Exception as failure:
            failed = await self._ended(run, run.failed(in_words(failure), at=self.clock()))
            if run.kind is RunKind.OBJECT or not isinstance(failure, DomainError):
                raise
            return failed

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
        async with self.database.work() as work:
            after = progress.added_to(run).going_on(at=await work.reconciliation_runs.moment())
            if not await work.reconciliation_runs.advance(run, after):
                raise RunLost(f"Run {run.id} was given up by others")
            await work.drifts.add_all(progress.drifts)
        return after

    async def _ended(self, before: ReconciliationRun, after: ReconciliationRun) -> ReconciliationRun:
        async with self.database.work() as work:
            if not await work.reconciliation_runs.advance(before, after):
                raise RunLost(f"Run {before.id} was given up by others")
        self._tell_of_ends([after])
        return after

    async def _give_up(self, run: ReconciliationRun) -> None:
        """
        Cut off, as by a shutdown: nobody has to wait until the lease is over.

        The last step may have been written down without our knowing. As long as the lease that we know of lasts,
        nobody else can have taken the run.
        """
        with suppress(TimeoutError, DatabaseUnavailable):
            async with asyncio.timeout(GIVING_UP.total_seconds()), self.database.work() as work:
                now = await work.reconciliation_runs.moment()
                current = await work.reconciliation_runs.lock(run.id)
                if current is None or not (current.is_carried_out_at(now) and run.is_carried_out_at(now)):
                    return
                given_up = current.given_up(CUT_OFF, at=self.clock())
                await work.reconciliation_runs.save(given_up)
            self._tell_of_ends([given_up])

    def _tell(self, run: ReconciliationRun, progress: Progress) -> None:
        for event_id in progress.unreadable:
            self.journal.unreadable(event_id)
        for drift in progress.drifts:
            self.journal.drifted(drift)
        for obstacle in progress.not_healed:
            self.journal.not_healed(obstacle)
        for obstacle in progress.not_compared:
            self.journal.not_compared(obstacle)
        self.journal.advanced(run)

    def _tell_of_ends(self, runs: Iterable[ReconciliationRun]) -> None:
        tell = {
            RunState.FINISHED: self.journal.finished,
            RunState.FAILED: self.journal.failed,
            RunState.REQUESTED: self.journal.put_back,
        }
        for run in runs:
            tell[run.state](run)
