"""
Our objects and the processor's, field by field.

A list gives a hundred of the processor's for one call; what is open here and in no list is read one by one. Calls
follow one another, so that a run takes its time and never more than a fraction of what the processor allows.
"""

from collections.abc import AsyncIterator, Awaitable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from domain.errors import Busy, DatabaseUnavailable, NotFound, ProcessorUnavailable
from domain.operation import ObjectKind
from domain.ports import Database
from domain.ports.reconciliation import Listed
from domain.reconciliation.events import EventWalk
from domain.reconciliation.noun import Noun, Ours
from domain.reconciliation.progress import Obstacle, Progress
from domain.reconciliation.run import ReconciliationRun
from domain.reconciliation.second_look import SecondLook
from domain.rereading import MOST_READINGS

LOADED_AT_ONCE: Final = 20
EXAMINED_AT_ONCE: Final = 5
OUTAGES: Final = (ProcessorUnavailable, DatabaseUnavailable)
"""What ends a run. Anything else is in the way of one object, or of one kind of them, and all others are compared."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """
    Whatever differs at first sight is looked at once more before it is called drift: it may be in flight.

    Each call to the processor is a step, so that the run's lease is renewed in time.
    """

    database: Database
    nouns: Mapping[ObjectKind, Noun[Any, Any]]
    events: EventWalk
    second_look: SecondLook

    async def compare(self, run: ReconciliationRun, missed: Collection[str]) -> AsyncIterator[Progress]:
        """
        `missed` are the ids of objects about which a walk has just found events.

        Raises ProcessorUnavailable, DatabaseUnavailable; any other failure is told, and the rest is compared.
        """
        for noun in self.nouns.values():
            try:
                async for progress in self._compare_all(run, noun, missed):
                    yield progress
            except OUTAGES:
                raise
            except Exception as in_the_way:  # noqa: BLE001  # One kind must not keep us from all others.
                yield Progress(not_compared=[Obstacle(object_kind=noun.kind, why=in_the_way)])

    async def look_at(self, run: ReconciliationRun) -> Progress:
        """
        The one object that the run is about, read and settled whatever is in flight.

        Raises NotFound, and Busy where it changed at each look.
        """
        if run.object_kind is None or run.object_id is None or run.object_kind not in self.nouns:
            raise NotFound("The processor has no objects of this kind.")
        noun = self.nouns[run.object_kind]
        async with self.database.reads() as reads:
            found = await noun.by_ids(reads, [run.object_id])
        processor_id = found[0].processor_id if found else None
        if processor_id is None:
            raise NotFound("The processor has not heard of this object.")
        for _ in range(MOST_READINGS):
            try:
                return await self.second_look.settled(run, noun, processor_id)
            except Busy as outrun:
                busy = outrun
        raise busy

    async def _compare_all(
        self, run: ReconciliationRun, noun: Noun[Any, Any], missed: Collection[str]
    ) -> AsyncIterator[Progress]:
        seen: set[str] = set()
        async for page in noun.listed(run.since):
            seen.update(each.processor_id for each in page)
            yield Progress(scanned=len(page))
            async for progress in self._examined(run, noun, await self._suspects(noun, page), missed):
                yield progress
        async for progress in self._compare_unseen(run, noun, seen, missed):
            yield progress

    async def _compare_unseen(
        self, run: ReconciliationRun, noun: Noun[Any, Any], seen: Collection[str], missed: Collection[str]
    ) -> AsyncIterator[Progress]:
        """What is open here and in no list there: older than the list, or gone."""
        async with self.database.reads() as reads:
            open_ids = await noun.open_ids(reads, run.since)
        for ids in in_parts(open_ids, LOADED_AT_ONCE):
            async with self.database.reads() as reads:
                ours = await noun.by_ids(reads, ids)
            suspects: list[str] = []
            for each in ours:
                if each.processor_id is not None and each.processor_id not in seen:
                    first_look = self._first_look(noun, each, each.processor_id, suspects)
                    yield await _unless_in_the_way(noun, each.processor_id, first_look)
            async for progress in self._examined(run, noun, suspects, missed):
                yield progress

    async def _first_look(
        self, noun: Noun[Any, Any], ours: Ours[Any], processor_id: str, suspects: list[str]
    ) -> Progress:
        if noun.differences(ours, await noun.one(processor_id)):
            suspects.append(processor_id)
        return Progress(scanned=1)

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

    async def _examined(
        self,
        run: ReconciliationRun,
        noun: Noun[Any, Any],
        suspects: Sequence[str],
        missed: Collection[str],
    ) -> AsyncIterator[Progress]:
        for some in in_parts(suspects, EXAMINED_AT_ONCE):
            just_happened = {event.processor_object_id for event in await self.events.younger_than_a_minute()}
            yield Progress()
            for processor_id in some:
                if processor_id not in just_happened:
                    second_look = self.second_look.drift(run, noun, processor_id, missed)
                    yield await _unless_in_the_way(noun, processor_id, second_look)


async def _unless_in_the_way(noun: Noun[Any, Any], processor_id: str, step: Awaitable[Progress]) -> Progress:
    try:
        return await step
    except OUTAGES:
        raise
    except Exception as in_the_way:  # noqa: BLE001  # One object must not keep us from all others.
        obstacle = Obstacle(object_kind=noun.kind, processor_object_id=processor_id, why=in_the_way)
        return Progress(not_compared=[obstacle])


def in_parts(things: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (things[start : start + size] for start in range(0, len(things), size))
