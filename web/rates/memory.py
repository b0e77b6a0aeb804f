"""Counters in this process."""

import time
from typing import Final

from limits.aio.storage import MemoryStorage

MOST_COUNTERS: Final = 100_000
"""Of each kind of caller: some 40 MB. Whoever has more addresses than that only makes us forget older ones."""


class BoundedMemory(MemoryStorage):
    """
    The library's counters in memory, of which only so many are kept.

    The library's own look at every one of them whenever one is increased, so that each request of somebody with many
    addresses would cost more than the one before. Here the oldest make room, and nothing else is looked at. Nothing
    waits in between, so no lock is needed.
    """

    def __init__(self, most: int = MOST_COUNTERS) -> None:
        super().__init__()
        self._most = most

    async def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        if key not in self.storage:
            self._make_room()
            self.expirations[key] = time.time() + expiry
        self.storage[key] += amount
        return self.storage[key]

    def _make_room(self) -> None:
        """Counters are kept in the order of their first use, and so of their end."""
        now = time.time()
        while self.expirations:
            oldest, end = next(iter(self.expirations.items()))
            if end > now and len(self.storage) < self._most:
                return
            del self.expirations[oldest]
            self.storage.pop(oldest, None)
