"""The connection pool, with a look into it."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import AsyncAdaptedQueuePool
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import ConnectionPoolEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolUse:
    """`waiting` is how many callers have asked for a connection and have none yet, be it free or a new one."""

    size: int
    in_use: int
    waiting: int


class CountingPool(AsyncAdaptedQueuePool):
    """Which knows how many wait for it, and whether the connection that it would give next is a good one."""

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self.waiting = 0
        self._idle: list[Any] = []

    @property
    def is_ready(self) -> bool:
        """Whether `connect` waits for nobody: neither for another's connection nor for a new one."""
        if not self._idle:
            return False
        entry = self._idle[-1]
        if entry.dbapi_connection is None or entry.starttime < self._invalidate_time:
            return False
        return not entry.dbapi_connection.driver_connection.is_closed()

    def _do_get(self) -> ConnectionPoolEntry:
        self.waiting += 1
        try:
            entry = super()._do_get()
        finally:
            self.waiting -= 1
        if entry in self._idle:
            self._idle.remove(entry)
        return entry

    def _do_return_conn(self, entry: ConnectionPoolEntry) -> None:
        self._idle.append(entry)
        super()._do_return_conn(entry)


def pool_use(engine: AsyncEngine) -> PoolUse:
    pool = engine.pool
    if not isinstance(pool, CountingPool):
        raise TypeError(f"{type(pool).__name__} does not count who waits for it")
    # A connection that is being made is out already, though its caller waits for it.
    return PoolUse(size=pool.size(), in_use=pool.checkedout(), waiting=pool.waiting)
