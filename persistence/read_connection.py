"""A connection for single statements: prepared ones go straight to the driver, all others through SQLAlchemy."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import Connection, Pool
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.util import greenlet_spawn

from domain.ports import Shown
from persistence.pool import CountingPool
from persistence.prepared import Prepared
from persistence.statements import is_watched, note_statement, table_in

Kind = TypeVar("Kind", bound="ReadConnection")


class ReadConnection(AsyncConnection):
    """
    Of an engine in autocommit. `shown` is which attributes of an entity are read, where not all of them are.

    SQLAlchemy's own connection around the pooled one takes as long as a short statement, so it is made when it is
    first asked for. An engine whose statements are watched sends all of them that way, which tells the watchers.
    """

    __slots__ = ("_pooled", "is_direct", "shown")

    def __init__(self, engine: AsyncEngine, pooled: PoolProxiedConnection, shown: Shown) -> None:
        super().__init__(engine)
        self._pooled, self.shown = pooled, shown
        self.is_direct = not is_watched(engine)

    async def fetch(self, statement: Prepared, given: Mapping[str, Any]) -> Sequence[asyncpg.Record]:
        """As the driver gives them; its values are converted by whoever knows their types."""
        note_statement(table_in(statement.text))
        driver: Any = self._pooled.driver_connection
        rows: Sequence[asyncpg.Record] = await driver.fetch(statement.text, *statement.values(given))
        return rows

    @property
    def _proxied(self) -> Connection:
        if self.sync_connection is None:
            self.sync_connection = self._assign_proxied(Connection(self.sync_engine, self._pooled))
        return self.sync_connection

    async def give_back(self) -> None:
        """Without SQLAlchemy there was no transaction that would have to be ended first."""
        if self.sync_connection:
            await self.close()
        elif self._pooled.is_valid:
            self._pooled.close()


def read_connection(engine: AsyncEngine, shown: Shown) -> AbstractAsyncContextManager[ReadConnection]:
    return lent(engine, shown, ReadConnection)


@asynccontextmanager
async def lent(engine: AsyncEngine, shown: Shown, kind: type[Kind]) -> AsyncIterator[Kind]:
    """Out of the pool, and back into it, unless it was cut off or lost in the middle of a statement."""
    pooled = await _checked_out(engine.sync_engine.pool)
    connection = kind(engine, pooled, shown)
    try:
        yield connection
    except (asyncpg.InternalClientError, asyncio.CancelledError):
        if pooled.is_valid:  # In a greenlet, where it is closed so that PostgreSQL hears to stop.
            await asyncio.shield(greenlet_spawn(pooled.invalidate))
        raise
    finally:
        await connection.give_back()


async def _checked_out(pool: Pool) -> PoolProxiedConnection:
    """A free one is had at once. Only where one is made or waited for, SQLAlchemy needs a greenlet, which is slow."""
    if isinstance(pool, CountingPool) and pool.is_ready:
        return pool.connect()
    return await greenlet_spawn(pool.connect)
