"""Events that come in together are stored together, so that a flood of them costs little more than a few."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from domain.errors import DatabaseUnavailable
from domain.events import InboxEvent
from domain.ports import Database

MOST_AT_ONCE: Final = 200
"""Events in a transaction; what piled up while the database was away is stored in several, each of them short."""
PATIENCE: Final = 8.0
"""Seconds for a transaction, and for a group to wait for its turn: their senders give up soon after."""


class Intake:
    """
    Nobody waits for company: an event that finds the way free is stored at once, and whatever comes in while a
    transaction commits shares the next ones.
    """

    def __init__(self, database: Database, *, patience: float = PATIENCE) -> None:
        self._database = database
        self._patience = patience
        self._turn = asyncio.Lock()
        self._gathered: list[InboxEvent] = []
        self._storing: asyncio.Task[None] | None = None

    async def keep(self, event: InboxEvent) -> None:
        """
        Store the event, once, and have the worker handle it; returns when that is committed.

        A caller who goes away holds up nobody, and a transaction that fails fails for all who share it. Raises
        DatabaseUnavailable after twice the patience at the latest.
        """
        if self._storing is None or len(self._gathered) == MOST_AT_ONCE:
            self._gathered = []
            self._storing = asyncio.create_task(self._store(self._gathered))
        self._gathered.append(event)
        await asyncio.shield(self._storing)

    async def _store(self, events: list[InboxEvent]) -> None:
        try:
            async with self._turn_of(events), asyncio.timeout(self._patience), self._database.work() as work:
                await work.jobs.handle_events(await work.inbox.add_all(events))
        except TimeoutError as slow:
            raise DatabaseUnavailable("too_slow") from slow

    @asynccontextmanager
    async def _turn_of(self, events: list[InboxEvent]) -> AsyncIterator[None]:
        """One group after the other; who comes once it has its turn, or has given up, belongs to the next."""
        try:
            async with asyncio.timeout(self._patience):
                await self._turn.acquire()
        finally:
            if self._gathered is events:
                self._storing = None
        try:
            yield
        finally:
            self._turn.release()
