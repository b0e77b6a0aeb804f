"""A transaction that never commits, with a database over it whose transactions are savepoints."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.audit import AuditRecord
from domain.ports import ALL, Shown
from domain.rehearsal import Outrun
from persistence.audit import AuditRepository
from persistence.borrowing import Borrowing
from persistence.jobs import JobQueue
from persistence.statements import counting
from persistence.unit_of_work import SqlReads, SqlWork

IMPATIENCE: Final = text("SET LOCAL lock_timeout = '250ms'")
"""
A stage holds the locks of several transactions at once, so it may stand in a circle with somebody. It gives up long
before PostgreSQL looks for circles (deadlock_timeout, a second), so that it is never the other one who is ended.
"""
OTHERS_HOLD_IT: Final = frozenset({"55P03", "40P01"})
"""lock_not_available and deadlock_detected: https://www.postgresql.org/docs/current/errcodes-appendix.html"""


@dataclass(slots=True)
class Notes:
    """What was done on a stage that is of interest afterwards."""

    record_ids: list[UUID] = field(default_factory=list)
    jobs: list[str] = field(default_factory=list)


class NotedAudit(AuditRepository):
    def __init__(self, connection: AsyncConnection, notes: Notes) -> None:
        super().__init__(connection)
        self._notes = notes

    async def add(self, record: AuditRecord) -> None:
        await super().add(record)
        self._notes.record_ids.append(record.id)


class NotedJobs(JobQueue):
    """Jobs that nobody will do are not even queued."""

    def __init__(self, connection: AsyncConnection, notes: Notes) -> None:
        super().__init__(connection)
        self._notes = notes

    async def handle_event_again(self, event_id: UUID) -> None:
        return

    async def _enqueue(self, job: str, *about: UUID, after: timedelta | None = None) -> None:
        self._notes.jobs += [job] * len(about)


class StagedWork(SqlWork):
    def __init__(self, connection: AsyncConnection, notes: Notes) -> None:
        super().__init__(connection)
        self._notes = notes

    @cached_property
    def audit(self) -> AuditRepository:
        return NotedAudit(self._connection, self._notes)

    @cached_property
    def jobs(self) -> JobQueue:
        return NotedJobs(self._connection, self._notes)


class StagedDatabase:
    def __init__(self, connection: AsyncConnection, notes: Notes) -> None:
        self._connection, self._notes = connection, notes

    @asynccontextmanager
    async def work(self) -> AsyncIterator[SqlWork]:
        with _outrun():
            before = len(self._notes.jobs)
            try:
                async with self._connection.begin_nested():
                    yield StagedWork(self._connection, self._notes)
            except BaseException:
                del self._notes.jobs[before:]
                raise

    @asynccontextmanager
    async def reads(self, shown: Shown = ALL) -> AsyncIterator[SqlReads]:
        """Under a savepoint as well: a statement that fails must not take the whole stage with it."""
        with _outrun():
            async with self._connection.begin_nested():
                yield SqlReads(self._connection)

    def snapshot(self) -> AbstractAsyncContextManager[SqlReads]:
        return self.reads()

    def counted(self) -> AbstractContextManager[Mapping[str, int]]:
        return counting(self._connection.engine)


class SqlStage:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection, self._notes = connection, Notes()
        self.database = StagedDatabase(connection, self._notes)

    @property
    def jobs(self) -> Sequence[str]:
        return tuple(self._notes.jobs)

    async def records(self) -> Sequence[AuditRecord]:
        """What was rolled back to a savepoint is not there any more."""
        found = await AuditRepository(self._connection).by_ids(self._notes.record_ids)
        return sorted(found.values(), key=lambda record: record.sequence)


class SqlStages:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[SqlStage]:
        async with (
            Borrowing(None),
            self._engine.connect() as connection,
            connection.begin() as transaction,
        ):
            await connection.execute(IMPATIENCE)
            yield SqlStage(connection)
            await transaction.rollback()


@contextmanager
def _outrun() -> Iterator[None]:
    try:
        yield
    except DBAPIError as failure:
        if getattr(failure.orig, "sqlstate", None) in OTHERS_HOLD_IT:
            raise Outrun from failure
        raise
