"""Where counts are kept: in a store that all processes share, or in this process."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import structlog
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage
from structlog.typing import FilteringBoundLogger

from web.rates.memory import BoundedMemory
from web.rates.metrics import STORE_AWAY
from web.rates.rules import Limit
from web.rates.window import SECONDS, Window

NAMESPACE: Final = "payments-gateway"
ANSWER_SECONDS: Final = 0.1
"""How long a request waits for the store; it takes a fraction of a millisecond as a rule."""
CONNECTIONS: Final = 8
"""Per process. The store does one thing after the other anyway, and a burst should not begin with connecting."""
PAUSE_SECONDS: Final = 5.0
"""How long a store that did not answer is left alone, so that not every request waits for it."""

log: FilteringBoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What one caller has of one quota, after asking for some of it."""

    limit: Limit
    quota: int
    remaining: int
    is_taken: bool
    """Whether what was asked for was there."""
    wait_seconds: int
    """Until there is something to take again; 0 while there is."""
    window_seconds: int
    """Until the running minute ends."""

    @property
    def share(self) -> float:
        return self.remaining / self.quota


class SharedStore:
    """
    Redis, or what speaks as it does. While it is away everybody counts for themselves, and nobody is turned away.

    `clock` is monotonic, in seconds.
    """

    def __init__(
        self,
        url: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        from redis.asyncio import BlockingConnectionPool  # Most gateways have no store.

        self._pool = BlockingConnectionPool.from_url(url, max_connections=CONNECTIONS, timeout=answer_seconds)
        options: dict[str, Any] = {"connection_pool": self._pool, "key_prefix": NAMESPACE}
        self._storage = RedisStorage(f"async+{url}", implementation="redispy", **options)
        self._failures = _failures_of(self._storage)
        self._clock, self._answer_seconds = clock, answer_seconds
        self._rests_until = 0.0
        self._is_away = False

    async def take(self, limit: Limit, name: str, *, quota: int, amount: int) -> Standing | None:
        """None while the store is away."""
        if self._clock() < self._rests_until:
            return None
        try:
            async with asyncio.timeout(self._answer_seconds):
                standing = await take(self._storage, limit, name, quota=quota, amount=amount)
        except self._failures as lost:
            self._leave_alone(lost)
            return None
        self._greet()
        return standing

    async def close(self) -> None:
        await self._pool.aclose()

    def _leave_alone(self, lost: Exception) -> None:
        self._rests_until = self._clock() + PAUSE_SECONDS
        if not self._is_away:
            log.warning("rate_limits.store_lost", error=type(lost).__name__)
        self._is_away = True
        STORE_AWAY.set(1)

    def _greet(self) -> None:
        if self._is_away:
            log.info("rate_limits.store_back")
        self._is_away = False
        STORE_AWAY.set(0)


class Counters:
    """The counts of one kind of caller. Each kind has a memory of its own, so that none pushes another out."""

    def __init__(self, shared: SharedStore | None = None, *, memory: MemoryStorage | None = None) -> None:
        self._shared = shared
        self._memory = memory or BoundedMemory()

    async def take(self, limit: Limit, name: str, *, quota: int, amount: int = 1) -> Standing:
        """Take so much of a quota per minute, or nothing where there is not so much left."""
        if self._shared is not None:
            standing = await self._shared.take(limit, name, quota=quota, amount=amount)
            if standing is not None:
                return standing
        return await take(self._memory, limit, name, quota=quota, amount=amount)

    @property
    def are_all_zero(self) -> bool:
        """In this process."""
        return not self._memory.storage

    async def look(self, limit: Limit, name: str, *, quota: int) -> Standing:
        """As it stands in this process; nothing is taken."""
        return await take(self._memory, limit, name, quota=quota, amount=0)


def _failures_of(storage: RedisStorage) -> tuple[type[Exception], ...]:
    """OSError has time-outs among its own."""
    known = storage.base_exceptions
    return (OSError, *(known if isinstance(known, tuple) else (known,)))


@lru_cache
def per_minute(limit: Limit, quota: int) -> RateLimitItem:
    """What gives counters their names; there are as many as there are limits and roles."""
    return RateLimitItemPerMinute(quota, namespace=limit.value)


async def take(
    storage: MemoryStorage | RedisStorage, limit: Limit, name: str, *, quota: int, amount: int
) -> Standing:
    key = per_minute(limit, quota).key_for(name)
    is_taken = amount == 0 or await storage.acquire_sliding_window_entry(key, quota, SECONDS, amount)
    window = Window(*await storage.get_sliding_window(key, SECONDS))
    return Standing(
        limit=limit,
        quota=quota,
        remaining=max(0, quota - window.taken),
        is_taken=is_taken,
        wait_seconds=window.wait(quota, amount if not is_taken else 1),
        window_seconds=window.ends_in,
    )
