"""A transaction: prepared statements go straight to the driver, all others through SQLAlchemy, in any order."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from itertools import chain
from typing import Any, Final, NamedTuple, NoReturn

import asyncpg
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.util import greenlet_spawn

from domain.ports import ALL
from persistence.prepared import Prepared
from persistence.read_connection import CUT_OFF, ReadConnection, taken
from persistence.statements import note_statement, table_in

BEGIN: Final = "BEGIN ISOLATION LEVEL READ COMMITTED"
COMMIT: Final = "COMMIT"
ROLLBACK: Final = "ROLLBACK"
MOST_STATEMENTS: Final = 2048
PARAMETER: Final = re.compile(r"\$(\d+)")
WITH: Final = "WITH "
REFUSALS: Final = (asyncpg.PostgresError, asyncpg.InterfaceError)


class Writing(NamedTuple):
    statement: Prepared
    values: Sequence[Any]


class WorkConnection(ReadConnection):
    """
    Of an engine in autocommit, as SQLAlchemy sees it: the transaction begins and ends past it.

    BEGIN is sent before the first statement, so that a transaction without any costs nothing. Rows that are only added
    wait for the next statement, or for the end, and go together: each way to PostgreSQL and back costs as much as what
    it does there.
    """

    __slots__ = ("_has_begun", "_waiting")

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._has_begun = False
        self._waiting: list[Writing] = []

    async def fetch(self, statement: Prepared, given: Mapping[str, Any]) -> Sequence[asyncpg.Record]:
        await self._go_on()
        try:
            return await super().fetch(statement, given)
        except REFUSALS as refusal:
            raise told(refusal, statement.text) from refusal

    async def write(self, statement: Prepared, given: Mapping[str, Any]) -> int:
        """How many rows were added or changed."""
        await self._go_on()
        return await self._send(Writing(statement, statement.values(given)))

    async def write_together(self, statement: Prepared, given: Mapping[str, Any]) -> int:
        """
        As `write`, together with what waits.

        Statements that go together see nothing of what the others do, nor of what was committed while one of them
        waited for a lock. So this is for what has nothing to do with the rows that were added before, and whatever has
        to be locked for these was locked by an earlier statement.
        """
        last = Writing(statement, statement.values(given))
        await self._make_room_for(last)
        await self._begin()
        return await self._send(last)

    async def write_later(self, statement: Prepared, given: Mapping[str, Any]) -> None:
        """For rows that are only added. What PostgreSQL refuses of it is raised by whatever sends it."""
        addition = Writing(statement, statement.values(given))
        await self._make_room_for(addition)
        self._waiting.append(addition)

    async def execute(self, *args: Any, **kwargs: Any) -> Any:
        await self._go_on()
        return await super().execute(*args, **kwargs)

    def _refuse(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise RuntimeError("This would be done outside of the transaction.")

    exec_driver_sql = stream = begin = begin_nested = run_sync = _refuse

    async def get_raw_connection(self) -> PoolProxiedConnection:
        """For PgQueuer, which adds its jobs past all this."""
        await self._send_waiting()
        return await super().get_raw_connection()

    async def commit(self) -> None:
        """Raises DBAPIError where the connection was lost, or a statement had failed and nobody said so."""
        await self._send_waiting()
        if not self._has_begun:
            return
        if await self._ask(COMMIT) != COMMIT:
            raise told(asyncpg.InFailedSQLTransactionError("It was rolled back."), COMMIT)

    async def rollback(self) -> None:
        """Nothing where there is no transaction any more, since its connection was lost."""
        if self._is_open:
            await self._ask(ROLLBACK)

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

    async def _go_on(self) -> None:
        await self._begin()
        await self._send_waiting()

    async def _make_room_for(self, writing: Writing) -> None:
        """Of one table, only one waits."""
        table = table_in(writing.statement.text)
        if any(table == table_in(other.statement.text) for other in self._waiting):
            await self._go_on()

    async def _begin(self) -> None:
        if not self._has_begun:
            await self._ask(BEGIN)
            self._has_begun = True

    async def _send_waiting(self) -> None:
        if self._waiting:
            await self._begin()
            await self._send()

    async def _send(self, *writings: Writing) -> int:
        """
        What waits, and these. How many rows the last one has added or changed.

        What waits does so until it is there: a failure before that must leave nothing to be committed without it.
        """
        every = (*self._waiting, *writings)
        whole = together(*(writing.statement for writing in every))
        note_statement(table_in(every[-1].statement.text))
        done = await self._ask(whole, *chain.from_iterable(writing.values for writing in every))
        self._waiting.clear()
        return int(done.rpartition(" ")[2])

    async def _ask(self, statement: str, *values: Any) -> str:
        """PostgreSQL's word for what it has done."""
        try:
            done: str = await self._driver.execute(statement, *values)
        except REFUSALS as refusal:
            raise told(refusal, statement) from refusal
        return done


@asynccontextmanager
async def work_connection(engine: AsyncEngine) -> AsyncIterator[WorkConnection]:
    """What was done is committed, or, where an exception leaves the block, undone."""
    async with await taken(engine, ALL, WorkConnection) as connection:
        try:
            yield connection
            await connection.commit()
        except CUT_OFF:
            raise  # It may have been in the middle of a statement, and is closed.
        except BaseException:
            await connection.rollback()
            raise


@lru_cache(MOST_STATEMENTS)
def together(*statements: Prepared) -> str:
    """One statement of several: all but the last stand before it, and their parameters come first."""
    *others, last = statements
    texts, places = [], 0
    for number, statement in enumerate(others):
        texts.append(f"written_{number} AS ({_moved(statement.text, places)})")
        places += len(statement.parameters)
    text = _moved(last.text, places)
    if not texts:
        return text
    return f"WITH {', '.join(texts)}{', ' + text.removeprefix(WITH) if text.startswith(WITH) else ' ' + text}"


def _moved(text: str, places: int) -> str:
    """The statement, whose parameters come after so many others."""
    return PARAMETER.sub(lambda found: f"${int(found[1]) + places}", text) if places else text


def told(refusal: Exception, statement: str) -> DBAPIError:
    """What PostgreSQL refuses, as SQLAlchemy tells it, without the values that were sent."""
    kind = IntegrityError if isinstance(refusal, asyncpg.IntegrityConstraintViolationError) else DBAPIError
    return kind(statement, None, refusal, hide_parameters=True)
