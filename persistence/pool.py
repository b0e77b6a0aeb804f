"""The connection pool, with a look into it."""

from dataclasses import dataclass

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
    """Which knows how many wait for it."""

    waiting = 0

    def _do_get(self) -> ConnectionPoolEntry:
        self.waiting += 1
        try:
            return super()._do_get()
        finally:
            self.waiting -= 1


def pool_use(engine: AsyncEngine) -> PoolUse:
    pool = engine.pool
    if not isinstance(pool, CountingPool):
        raise TypeError(f"{type(pool).__name__} does not count who waits for it")
    # A connection that is being made is out already, though its caller waits for it.
    return PoolUse(size=pool.size(), in_use=pool.checkedout(), waiting=pool.waiting)
