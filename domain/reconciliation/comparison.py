"""
Our objects and the processor's, field by field.

A list gives a hundred of the processor's for one call; what is open here and in no list is read one by one. Calls
follow one another, so that a run takes its time and never more than a fraction of what the processor allows.
"""

from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final, TypeVar

from domain.actor import SYSTEM
from domain.billing_event import RECONCILED
from domain.errors import NotFound, ProcessorUnavailable
from domain.events import InboxEvent, InboxStatus
from domain.identity import new_id
from domain.occasion import Occasion
from domain.operation import ObjectKind
from domain.payment_status import SyncSource
from domain.ports import Clock, Database, ProcessorNews
from domain.ports.reconciliation import Listed, RunJournal
from domain.reconciliation.causes import cause_of
from domain.reconciliation.events import EventWalk
from domain.reconciliation.noun import Difference, Noun, Ours
from domain.reconciliation.progress import Progress
from domain.reconciliation.run import Drift, DriftCause, ReconciliationRun

READ_AT_ONCE: Final = 20
"""Single readings between two renewals of the run's lease."""
EXAMINED_AT_ONCE: Final = 5
HANDLED_WITHIN: Final = timedelta(minutes=10)
"""So long an event may wait in the inbox before what it tells counts as unknown here."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """An object on both sides, at about the same moment."""

    ours: Ours[Any] | None
    told: Listed[Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """
    Whatever differs at first sight is looked at once more before it is called drift: it may be in flight.

    `wall_clock` is real time, by which events came in.
    """

    database: Database
    nouns: Mapping[ObjectKind, Noun[Any, Any]]
    events: EventWalk
    news: ProcessorNews
    journal: RunJournal
    clock: Clock
    wall_clock: Clock

    async def compare(self, run: ReconciliationRun, missed: Collection[str]) -> AsyncIterator[Progress]:
        """`missed` are the ids of objects about which a walk has just found events. Raises ProcessorUnavailable."""
        for noun in self.nouns.values():
            seen: set[str] = set()
            async for page in noun.listed(run.since):
                seen.update(each.processor_id for each in page)
                yield Progress(scanned=len(page))
                async for progress in self._examined(run, noun, await self._suspects(noun, page), missed):
                    yield progress
            async for progress in self._compare_unseen(run, noun, seen, missed):
                yield progress

    async def look_at(self, run: ReconciliationRun) -> Progress:
        """The one object that the run is about, read and settled whatever is in flight. Raises NotFound."""
        noun = self.nouns.get(run.object_kind or ObjectKind.BILLING_ACCOUNT)
        if noun is None or run.object_id is None:
            raise NotFound("The processor has no objects of this kind.")
        async with self.database.reads() as reads:
            found = await noun.by_ids(reads, [run.object_id])
        if not found or found[0].processor_id is None:
            raise NotFound("The processor has not heard of this object.")
        look = await self._look(noun, found[0].processor_id)
        return Progress(scanned=1, drifts=await self._drifts(run, noun, found[0].processor_id, look, ()))

    async def _compare_unseen(
        self, run: ReconciliationRun, noun: Noun[Any, Any], seen: Collection[str], missed: Collection[str]
    ) -> AsyncIterator[Progress]:
        """What is open here and in no list there: older than the list, or gone."""
        async with self.database.reads() as reads:
            open_ids = await noun.open_ids(reads, run.since)
        for ids in in_parts(open_ids, READ_AT_ONCE):
            async with self.database.reads() as reads:
                ours = await noun.by_ids(reads, ids)
            unseen = [each for each in ours if each.processor_id and each.processor_id not in seen]
            suspects = [each.processor_id or "" for each in unseen if await self._differs(noun, each)]
            yield Progress(scanned=len(unseen))
            async for progress in self._examined(run, noun, suspects, missed):
                yield progress

    async def _suspects(self, noun: Noun[Any, Any], page: Sequence[Listed[Any]]) -> Sequence[str]:
        """Those of a list that differ from ours, or that we lack although they are ours."""
        if not page:
            return []
        async with self.database.reads() as reads:
            known = await noun.ours_among(reads, page)
            unknown = [each for each in page if each.processor_id not in known]
            lacking = await noun.are_of_ours(reads, unknown) if unknown else ()
        differing = [
            each
            for each in page
            if each.processor_id in known and noun.differences(known[each.processor_id], each)
        ]
        return [each.processor_id for each in (*differing, *lacking)]

    async def _differs(self, noun: Noun[Any, Any], ours: Ours[Any]) -> bool:
        return bool(noun.differences(ours, await noun.one(ours.processor_id or "")))

    async def _examined(
        self,
        run: ReconciliationRun,
        noun: Noun[Any, Any],
        suspects: Sequence[str],
        missed: Collection[str],
    ) -> AsyncIterator[Progress]:
        for some in in_parts(suspects, EXAMINED_AT_ONCE):
            just_happened = {event.processor_object_id for event in await self.events.younger_than_a_minute()}
            drifts: list[Drift] = []
            for processor_id in some:
                if processor_id not in just_happened:
                    drifts += await self._examine(run, noun, processor_id, missed)
            yield Progress(drifts=drifts)

    async def _examine(
        self, run: ReconciliationRun, noun: Noun[Any, Any], processor_id: str, missed: Collection[str]
    ) -> Sequence[Drift]:
        """The second look; nothing where the object is being worked on, or has changed meanwhile."""
        before = await self._ours(noun, processor_id)
        look = await self._look(noun, processor_id)
        if before is not None and (look.ours is None or before.thing != look.ours.thing):
            return []
        if await self._is_in_flight(processor_id, look.ours):
            return []
        return await self._drifts(run, noun, processor_id, look, missed)

    async def _drifts(
        self,
        run: ReconciliationRun,
        noun: Noun[Any, Any],
        processor_id: str,
        look: Look,
        missed: Collection[str],
    ) -> Sequence[Drift]:
        found = noun.differences(look.ours, look.told)
        if not found and run.object_id is None:
            return []
        cause = await self._cause(processor_id, look.ours, missed)
        is_healed = not run.is_dry_run and await self._healed(run, noun, processor_id, look)
        known = look.ours or (await self._ours(noun, processor_id) if is_healed else None)
        return [
            self._drift(run, noun, processor_id, each, known=known, cause=cause, is_healed=is_healed)
            for each in found
        ]

    def _drift(
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

    async def _healed(
        self, run: ReconciliationRun, noun: Noun[Any, Any], processor_id: str, look: Look
    ) -> bool:
        """Whether nothing differs any more after it was read anew and settled."""
        by = replace(SYSTEM, request_id=f"{RECONCILED}{run.id.hex}")
        occasion = Occasion(source=SyncSource.RECONCILIATION, by=by)
        try:
            await noun.heal(look.told, look.ours, occasion)
        except ProcessorUnavailable:
            raise
        except Exception as in_the_way:  # noqa: BLE001  # One object must not keep us from all others.
            self.journal.not_healed(noun.kind, processor_id, in_the_way)
            return False
        after = await self._look(noun, processor_id)
        return not noun.differences(after.ours, after.told)

    async def _look(self, noun: Noun[Any, Any], processor_id: str) -> Look:
        told = await noun.one(processor_id)
        if told is None:
            return Look(ours=await self._ours(noun, processor_id), told=None)
        async with self.database.reads() as reads:
            known = await noun.ours_among(reads, [told])
        return Look(ours=known.get(processor_id), told=told)

    async def _ours(self, noun: Noun[Any, Any], processor_id: str) -> Ours[Any] | None:
        async with self.database.reads() as reads:
            found = await noun.known_as(reads, [processor_id])
        return found[0] if found else None

    async def _is_in_flight(self, processor_id: str, ours: Ours[Any] | None) -> bool:
        """Whether a command about it has not ended, or the worker has only just got news of it."""
        async with self.database.reads() as reads:
            if ours is not None and await reads.operations.is_any_open(ours.id):
                return True
            heard = await reads.inbox.about([processor_id])
        return any(self._is_being_handled(event) for event in heard)

    def _is_being_handled(self, event: InboxEvent) -> bool:
        is_waiting = event.status in {InboxStatus.RECEIVED, InboxStatus.FAILED}
        is_fresh = event.received_at > self.wall_clock() - HANDLED_WITHIN
        return is_waiting and is_fresh and event.via is SyncSource.WEBHOOK

    async def _cause(self, processor_id: str, ours: Ours[Any] | None, missed: Collection[str]) -> DriftCause:
        async with self.database.reads() as reads:
            heard = await reads.inbox.about([processor_id])
        return cause_of(processor_id, heard, is_known=ours is not None, missed=missed, news=self.news)


def in_parts(things: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (things[start : start + size] for start in range(0, len(things), size))
