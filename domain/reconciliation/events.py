"""The walk of the processor's events: what it has told us and we never heard of."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from domain.events import InboxEvent, Unhandled
from domain.ports import Clock, Database, ProcessorNews
from domain.ports.reconciliation import EventBatch, ProcessorLists
from domain.reconciliation.progress import Progress
from domain.reconciliation.run import ReconciliationRun

REMEMBERED_FOR: Final = timedelta(days=30)
"""How long the processor lists events: https://docs.stripe.com/api/events/list"""
LISTED_LATE: Final = timedelta(minutes=10)
"""An event may be listed after younger ones, so each walk begins so long before the last one that was seen."""
ON_ITS_WAY: Final = timedelta(seconds=60)
"""A younger event may still be delivered; only after that was it missed."""
STORED_AT_ONCE: Final = 100
UNREADABLE: Final = (LookupError, TypeError, ValueError, AttributeError)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventWalk:
    """
    From the last event that a walk has seen, the oldest first. Nothing is held while the processor is asked.

    `wall_clock` is real time, by which it is noted when an event came in, also where the clock is a sandbox's.
    """

    database: Database
    lists: ProcessorLists
    news: ProcessorNews
    is_live: bool
    clock: Clock
    wall_clock: Clock

    async def window(self) -> tuple[datetime, datetime]:
        """What the next scheduled walk has to cover."""
        now = self.clock()
        async with self.database.reads() as reads:
            walked = await reads.reconciliation_runs.walked_until(livemode=self.is_live, by=now)
        oldest = now - REMEMBERED_FOR
        since = oldest if walked is None else max(walked - LISTED_LATE, oldest)
        return since, max(since, now - ON_ITS_WAY)

    async def walk(self, run: ReconciliationRun, missed: set[str]) -> AsyncIterator[Progress]:
        """
        Store what was missed, or only count it where the run is dry; `missed` gets the ids of what it is about.

        Raises ProcessorUnavailable.
        """
        now = self.clock()
        since, until = max(run.since, now - REMEMBERED_FOR), min(run.until, now - ON_ITS_WAY)
        async for batch in self.lists.events_between(since, until, at=self.wall_clock()):
            unheard = await self._unheard(batch)
            missed.update(event.processor_object_id or "" for event in unheard)
            if not run.is_dry_run:
                await self._store(unheard)
            yield Progress(
                scanned=len(batch.events) + len(batch.unreadable),
                recovered=len(unheard),
                unreadable=batch.unreadable,
                walked_until=batch.events[-1].occurred_at if batch.events else None,
            )

    async def younger_than_a_minute(self) -> Sequence[InboxEvent]:
        """What has just happened and is not stored yet, so that it may be on its way."""
        now = self.clock()
        until = now + ON_ITS_WAY
        found: list[InboxEvent] = []
        async for batch in self.lists.events_between(now - ON_ITS_WAY, until, at=self.wall_clock()):
            found += await self._unheard(batch)
        return found

    async def _unheard(self, batch: EventBatch) -> list[InboxEvent]:
        ours = [event for event in batch.events if event.livemode is self.is_live]
        if not ours:
            return []
        async with self.database.reads() as reads:
            stored = await reads.inbox.stored_among([event.processor_event_id for event in ours])
        return [
            event for event in ours if event.processor_event_id not in stored and self._concerns_us(event)
        ]

    def _concerns_us(self, event: InboxEvent) -> bool:
        """What cannot be read is kept like any other: the worker tells of it, and an operator looks."""
        try:
            return not isinstance(self.news.read(event), Unhandled)
        except UNREADABLE:
            return True

    async def _store(self, events: Sequence[InboxEvent]) -> None:
        for start in range(0, len(events), STORED_AT_ONCE):
            async with self.database.work() as work:
                added = await work.inbox.add_all(events[start : start + STORED_AT_ONCE])
                await work.jobs.handle_events(added)
