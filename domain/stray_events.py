"""Stored events that no job will handle any more, however they came to that."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from domain.ports import Clock, Database

ASTRAY_AFTER: Final = timedelta(minutes=5)
"""Since it came in."""
QUEUED_AT_ONCE: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class StrayEvents:
    """
    Sees to it that whatever is RECEIVED or FAILED is tried, so that only what is HELD waits for an operator.

    `clock` is real time, by which events come in.
    """

    database: Database
    clock: Clock

    async def queue(self) -> int:
        """Have the worker handle the oldest of them. How many."""
        async with self.database.work() as work:
            return await work.jobs.handle_strays(before=self.clock() - ASTRAY_AFTER, limit=QUEUED_AT_ONCE)
