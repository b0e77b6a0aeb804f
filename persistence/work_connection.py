"""A transaction: prepared statements go straight to the driver, all others through SQLAlchemy, in any order."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import lru_cache
from typing import Any, Final

import asyncpg
from sqlalchemy import ClauseElement
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.util import greenlet_spawn

from domain.ports import ALL
from persistence.prepared import Prepared, prepared
from persistence.read_connection import ReadConnection, lent
from persistence.statements import note_statement, table_in

BEGIN: Final = "BEGIN ISOLATION LEVEL READ COMMITTED"
COMMIT: Final = "COMMIT"
ROLLBACK: Final = "ROLLBACK"
MOST_STATEMENTS: Final = 2048


class WorkConnection(ReadConnection):
    """
    Of an engine in autocommit, as SQLAlchemy sees it: the transaction begins and ends past it.

    BEGIN is sent with the first statement, so that a transaction without any costs nothing.
    """

    __slots__ = ("_has_begun",)

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._has_begun = False

    async def fetch(self, statement: Prepared, given: Mapping[str, Any]) -> Sequence[asyncpg.Record]:
        with refusals_told(statement.text):
            await self._begin()
            return await super().fetch(statement, given)

    async def write(self, statement: Prepared, given: Mapping[str, Any]) -> int:
        """How many rows were added or changed."""
        note_statement(table_in(statement.text))
        with refusals_told(statement.text):
            await self._begin()
            status: str = await self._driver.execute(statement.text, *statement.values(given))
        return int(status.rpartition(" ")[2])

    async def execute(self, *args: Any, **kwargs: Any) -> Any:
        with refusals_told(BEGIN):
            await self._begin()
        return await super().execute(*args, **kwargs)

    async def commit(self) -> None:
        """Raises DBAPIError where the connection was lost, or a statement had failed and nobody said so."""
        if not self._has_begun:
            return
        with refusals_told(COMMIT):
            done = await self._driver.execute(COMMIT)
            if done != COMMIT:
                raise asyncpg.InFailedSQLTransactionError("The transaction was rolled back.")

    async def rollback(self) -> None:
        """Nothing where there is no transaction any more, since its connection was lost."""
        if self._is_open:
            with refusals_told(ROLLBACK):
                await self._driver.execute(ROLLBACK)

    async def give_back(self) -> None:
        """Closed where it is still in the transaction, whatever kept that from ending: nobody may go on with it."""
        if self._is_open:
            await asyncio.shield(greenlet_spawn(self._pooled.invalidate))
        await super().give_back()

    @property
    def _driver(self) -> Any:
        return self._pooled.driver_connection

    @property
    def _is_open(self) -> bool:
        is_usable = self._pooled.is_valid and not self._driver.is_closed()
        return is_usable and bool(self._driver.is_in_transaction())

    async def _begin(self) -> None:
        if not self._has_begun:
            await self._driver.execute(BEGIN)
            self._has_begun = True


@asynccontextmanager
async def work_connection(engine: AsyncEngine) -> AsyncIterator[WorkConnection]:
    """What was done is committed, or, where an exception leaves the block, undone."""
    async with lent(engine, ALL, WorkConnection) as connection:
        try:
            yield connection
        except (asyncpg.InternalClientError, asyncio.CancelledError):
            raise  # It may have been in the middle of a statement, and is closed.
        except BaseException:
            await connection.rollback()
            raise
        await connection.commit()


async def write(connection: AsyncConnection, statement: UpdateBase, values: Mapping[str, Any]) -> int:
    """
    How many rows a statement that is kept and used again has added or changed.

    `values` are named after its parameters, and after the columns that it writes.
    """
    if isinstance(connection, WorkConnection) and connection.is_direct:
        kept = kept_statement(statement, tuple(values))
        if kept is not None:
            return await connection.write(kept, values)
    return (await connection.execute(statement, values)).rowcount


@lru_cache(MOST_STATEMENTS)
def kept_statement(statement: ClauseElement, columns: tuple[str, ...] = ()) -> Prepared | None:
    return prepared(statement, columns)


@contextmanager
def refusals_told(statement: str) -> Iterator[None]:
    """What PostgreSQL refuses is raised as SQLAlchemy does it, without the values that were sent."""
    try:
        yield
    except asyncpg.IntegrityConstraintViolationError as violation:
        raise IntegrityError(statement, None, violation, hide_parameters=True) from violation
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as refusal:
        raise DBAPIError(statement, None, refusal, hide_parameters=True) from refusal
