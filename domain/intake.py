"""Events that come in together are stored together, so that a flood of them costs little more than a few."""

import asyncio

from domain.events import InboxEvent
from domain.ports import Database


class Intake:
    """
    Nobody waits for company: an event that finds the way free is stored at once, and whatever comes in while a
    transaction commits shares the next one.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turn = asyncio.Lock()
        self._gathered: list[InboxEvent] = []
        self._storing: asyncio.Task[None] | None = None

    async def keep(self, event: InboxEvent) -> None:
        """
        Store the event, once, and have the worker handle it; returns when that is committed.

        A caller who goes away holds up nobody, and a transaction that fails fails for all who share it.
        """
        self._gathered.append(event)
        if self._storing is None:
            self._storing = asyncio.create_task(self._store())
        await asyncio.shield(self._storing)

    async def _store(self) -> None:
        async with self._turn:
            events, self._gathered, self._storing = self._gathered, [], None
            async with self._database.work() as work:
                await work.jobs.handle_events(await work.inbox.add_all(events))
