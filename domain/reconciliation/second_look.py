"""What differed at first sight, read again on both sides: is it drift, why, and can it be healed?"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from domain.actor import SYSTEM
from domain.billing_event import RECONCILED
from domain.errors import Busy, DatabaseUnavailable, ProcessorUnavailable
from domain.identity import new_id
from domain.occasion import Occasion
from domain.payment_status import SyncSource
from domain.ports import Clock, Database, ProcessorNews
from domain.ports.reconciliation import Listed
from domain.reconciliation.causes import Heard, cause_of
from domain.reconciliation.noun import Difference, Noun, Ours
from domain.reconciliation.progress import Obstacle, Progress
from domain.reconciliation.run import Drift, DriftCause, ReconciliationRun

HANDLED_WITHIN: Final = timedelta(minutes=10)
"""So long an event may wait in the inbox before what it tells counts as unknown here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """
    An object on both sides.

    Ours is steady where it was the same before and after the processor was asked. Only then nothing that we have
    written down is younger than what was told.
    """

    ours: Ours[Any] | None
    told: Listed[Any] | None
    is_steady: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondLook:
    """`wall_clock` is real time, by which events came in."""

    database: Database
    news: ProcessorNews
    clock: Clock
    wall_clock: Clock

    async def drift(
        self, run: ReconciliationRun, noun: Noun[Any, Any], processor_id: str, missed: Collection[str]
    ) -> Progress:
        """Nothing where the object is being worked on, or changes meanwhile: that is left to the next run."""
        look = await self._look(noun, processor_id)
        if not look.is_steady or await self._is_in_flight(processor_id, look.ours):
            return Progress()
        try:
            return await self._drift(run, noun, processor_id, look, missed)
        except Busy:
            return Progress()

    async def settled(self, run: ReconciliationRun, noun: Noun[Any, Any], processor_id: str) -> Progress:
        """Whatever is in flight. Raises Busy where ours changes meanwhile."""
        look = await self._look(noun, processor_id)
        if not look.is_steady:
            raise Busy("News of this came in while it was read.", current="BUSY")
        return replace(await self._drift(run, noun, processor_id, look, ()), scanned=1)

    async def _drift(
        self,
        run: ReconciliationRun,
        noun: Noun[Any, Any],
        processor_id: str,
        look: Look,
        missed: Collection[str],
    ) -> Progress:
        found = noun.differences(look.ours, look.told)
        if not found and run.object_id is None:
            return Progress()
        cause = await self._cause(processor_id, look.ours, missed)
        obstacle = None if run.is_dry_run else await self._heal(run, noun, processor_id, look)
        is_healed = not run.is_dry_run and obstacle is None and await self._is_alike(noun, processor_id)
        known = look.ours or (await self._ours(noun, processor_id) if is_healed else None)
        return Progress(
            drifts=[
                self._told(run, noun, processor_id, each, known=known, cause=cause, is_healed=is_healed)
                for each in found
            ],
            not_healed=[] if obstacle is None else [obstacle],
        )

    def _told(
        self,
        run: ReconciliationRun,
        noun: Noun[Any, Any],
        processor_id: str,
        difference: Difference,
        *,
        known: Ours[Any] | None,
        cause: DriftCause,
        is_healed: bool,
    ) -> Drift:
        return Drift(
            id=new_id(),
            run_id=run.id,
            object_kind=noun.kind,
            object_id=known.id if known else None,
            processor_object_id=processor_id,
            field=difference.field,
            local=difference.local,
            remote=difference.remote,
            cause=cause,
            is_healed=is_healed,
            found_at=self.clock(),
        )

    async def _heal(
        self, run: ReconciliationRun, noun: Noun[Any, Any], processor_id: str, look: Look
    ) -> Obstacle | None:
        """What stood in the way. Raises Busy where others write about it meanwhile."""
        by = replace(SYSTEM, request_id=f"{RECONCILED}{run.id.hex}")
        try:
            await noun.heal(look.told, look.ours, Occasion(source=SyncSource.RECONCILIATION, by=by))
        except (ProcessorUnavailable, DatabaseUnavailable, Busy):
            raise
        except Exception as in_the_way:  # noqa: BLE001  # It is drift all the same, and told as not healed.
            return Obstacle(object_kind=noun.kind, processor_object_id=processor_id, why=in_the_way)
        return None

    async def _is_alike(self, noun: Noun[Any, Any], processor_id: str) -> bool:
        """Whether nothing differs any more."""
        after = await self._look(noun, processor_id)
        return not noun.differences(after.ours, after.told)

    async def _look(self, noun: Noun[Any, Any], processor_id: str) -> Look:
        before = await self._ours(noun, processor_id)
        told = await noun.one(processor_id)
        if told is None:
            ours = await self._ours(noun, processor_id)
        else:
            async with self.database.reads() as reads:
                ours = (await noun.ours_among(reads, [told])).get(processor_id)
        return Look(ours=ours, told=told, is_steady=_is_same(before, ours))

    async def _ours(self, noun: Noun[Any, Any], processor_id: str) -> Ours[Any] | None:
        async with self.database.reads() as reads:
            found = await noun.known_as(reads, [processor_id])
        return found[0] if found else None

    async def _is_in_flight(self, processor_id: str, ours: Ours[Any] | None) -> bool:
        """Whether a command about it has not ended, or the worker has only just got news of it."""
        async with self.database.reads() as reads:
            if ours is not None and await reads.operations.is_any_open(ours.id):
                return True
            return await reads.inbox.is_waited_for(processor_id, since=self.wall_clock() - HANDLED_WITHIN)

    async def _cause(self, processor_id: str, ours: Ours[Any] | None, missed: Collection[str]) -> DriftCause:
        async with self.database.reads() as reads:
            heard = Heard(
                statuses=await reads.inbox.statuses_about(processor_id),
                last=await reads.inbox.last_about(processor_id),
            )
        return cause_of(processor_id, heard, is_known=ours is not None, missed=missed, news=self.news)


def _is_same(before: Ours[Any] | None, after: Ours[Any] | None) -> bool:
    """One that is only named in the metadata has no id there yet, so that nothing was ever told of it."""
    if before is None or after is None:
        return before is None and (after is None or after.processor_id is None)
    return bool(before.thing == after.thing)
