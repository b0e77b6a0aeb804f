"""A connection for single statements: prepared ones go straight to the driver, all others through SQLAlchemy."""

import asyncio
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import asyncpg
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.util import greenlet_spawn

from domain.ports import Shown
from persistence.pool import CountingPool
from persistence.prepared import Prepared
from persistence.statements import is_watched, note_statement, table_in

Kind = TypeVar("Kind", bound="ReadConnection")

CUT_OFF: Final = (asyncpg.InternalClientError, asyncio.CancelledError)


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

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        """One that was cut off or lost in the middle of a statement is closed, so that PostgreSQL hears to stop."""
        try:
            if isinstance(failure, CUT_OFF) and self._pooled.is_valid:
                await asyncio.shield(greenlet_spawn(self._pooled.invalidate))
        finally:
            await self.give_back()

    async def give_back(self) -> None:
        """Without SQLAlchemy there was no transaction that would have to be ended first."""
        if self.sync_connection:
            await self.close()
        elif self._pooled.is_valid:
            self._pooled.close()


async def taken(engine: AsyncEngine, shown: Shown, kind: type[Kind]) -> Kind:
    """
    Out of the pool, into which it goes back when it is left.

    A free one is had at once. Only where one is made or waited for, SQLAlchemy needs a greenlet, which is slow.
    """
    pool = engine.sync_engine.pool
    is_ready = isinstance(pool, CountingPool) and pool.is_ready
    pooled = pool.connect() if is_ready else await greenlet_spawn(pool.connect)
    return kind(engine, pooled, shown)
