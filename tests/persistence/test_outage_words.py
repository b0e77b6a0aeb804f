import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from structlog.testing import capture_logs

from domain.errors import DatabaseUnavailable, NotFound
from gateway.embedded_postgres import EmbeddedPostgres
from gateway.wiring import Gateway
from persistence.engine import create_engine
from persistence.unit_of_work import SqlDatabase, SqlReads, SqlWork
from tests.domain.values import a_payment

END_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@pytest.fixture
async def url(fresh_database: Callable[[], Awaitable[str]]) -> str:
    return await fresh_database()


@pytest.fixture
async def database(url: str) -> AsyncIterator[SqlDatabase]:
    """A pool of its own, of two, nobody of whom waits long."""
    database = SqlDatabase(create_engine(url, pool_size=2, pool_timeout=0.05), patience=1)
    yield database
    await database.close()


Then = Callable[[SqlWork], Awaitable[None]]


async def run(reads: SqlReads, statement: str) -> None:
    await reads._connection.execute(text(statement))


async def told(attempt: Awaitable[None]) -> DatabaseUnavailable:
    """The outage that the attempt ends in."""
    with pytest.raises(DatabaseUnavailable) as raised:
        await attempt
    return raised.value


async def work_through(database: SqlDatabase, *statements: str) -> None:
    async with database.work() as work:
        for statement in statements:
            await run(work, statement)


async def read(database: SqlDatabase, statement: str = "SELECT 1") -> None:
    async with database.reads() as reads:
        await run(reads, statement)


async def work_and_be_cut_off(database: SqlDatabase, url: str, then: Then | None = None) -> None:
    """In the middle of a transaction every connection is ended, as by an administrator."""
    administrator = create_engine(url)
    try:
        async with database.work() as work:
            await run(work, "SELECT 1")
            async with administrator.connect() as connection:
                await connection.execute(text(END_OTHERS))
            if then is not None:
                await then(work)
    finally:
        await administrator.dispose()


class TestOutage:
    async def test_is_told_where_every_connection_is_in_use(self, database: SqlDatabase) -> None:
        async with database.reads(), database.work():
            outage = await told(read(database))

        assert (outage.reason, outage.retry_after_seconds) == ("pool_exhausted", 1)

    async def test_is_told_where_nobody_listens(self, tmp_path: Path) -> None:
        database = SqlDatabase(create_engine(f"postgresql:///payments?host={tmp_path}"))

        outage = await told(read(database))

        assert (outage.reason, outage.retry_after_seconds) == ("unreachable", 5)

    @pytest.mark.parametrize("time_out", ["statement_timeout", "lock_timeout"])
    async def test_is_told_after_a_time_out(self, database: SqlDatabase, time_out: str) -> None:
        lock = "SELECT pg_advisory_xact_lock(17)"

        async with database.work() as work:
            await run(work, lock)
            outage = await told(work_through(database, f"SET LOCAL {time_out} = 20", lock))

        assert outage.reason == time_out

    async def test_is_told_to_one_of_two_who_wait_for_each_other(self, database: SqlDatabase) -> None:
        both_hold_one = asyncio.Barrier(2)

        async def lock(first: int, second: int) -> None:
            async with database.work() as work:
                await run(work, "SET LOCAL deadlock_timeout = '10ms'")
                await run(work, f"SELECT pg_advisory_xact_lock({first})")
                await both_hold_one.wait()
                await run(work, f"SELECT pg_advisory_xact_lock({second})")

        results = await asyncio.gather(lock(1, 2), lock(2, 1), return_exceptions=True)

        [victim] = [result for result in results if result is not None]
        assert isinstance(victim, DatabaseUnavailable)
        assert victim.reason == "deadlock"

    async def test_is_told_where_a_transaction_loses_its_connection(
        self, database: SqlDatabase, url: str
    ) -> None:
        outage = await told(work_and_be_cut_off(database, url, lambda work: run(work, "SELECT 1")))

        assert outage.reason in {"shutting_down", "connection_lost"}

    async def test_is_told_where_only_commit_finds_the_connection_lost(
        self, database: SqlDatabase, url: str
    ) -> None:
        outage = await told(work_and_be_cut_off(database, url))

        assert outage.reason in {"shutting_down", "connection_lost"}

    async def test_is_told_where_a_job_cannot_be_enqueued(self, database: SqlDatabase, url: str) -> None:
        """PgQueuer writes past SQLAlchemy."""
        outage = await told(
            work_and_be_cut_off(database, url, lambda work: work.jobs.follow_plan(a_payment().id))
        )

        assert outage.reason in {"shutting_down", "connection_lost"}

    async def test_is_told_where_the_server_is_silent(self, url: str) -> None:
        database = SqlDatabase(create_engine(url, pool_size=1), patience=0.1)

        outage = await told(read(database, "SELECT pg_sleep(5)"))

        assert outage.reason == "too_slow"
        await read(database)
        await database.close()

    async def test_is_one_line_in_the_log(self, database: SqlDatabase) -> None:
        with capture_logs() as events:
            await told(work_through(database, "SET LOCAL statement_timeout = 20", "SELECT pg_sleep(5)"))

        assert events == [
            {
                "event": "database.unavailable",
                "log_level": "warning",
                "reason": "statement_timeout",
                "error": "DBAPIError",
            }
        ]


class TestDefect:
    async def test_of_ours_is_no_outage(self, gateway: Gateway) -> None:
        with pytest.raises(IntegrityError):
            async with gateway.services.database.work() as work:
                await work.payments.add(a_payment())  # whose account is missing

    async def test_of_a_caller_is_no_outage(self, database: SqlDatabase) -> None:
        with pytest.raises(NotFound):
            async with database.work():
                raise NotFound("There is no such payment.")


class TestRestart:
    async def test_fails_nobody_who_comes_afterwards(self, tmp_path: Path) -> None:
        with EmbeddedPostgres(tmp_path, durable=False) as postgres:
            database = SqlDatabase(create_engine(postgres.url("postgres"), pool_size=2))
            async with database.reads() as first, database.reads() as second:
                await run(first, "SELECT 1")
                await run(second, "SELECT 1")

            await asyncio.to_thread(postgres.stop)
            await asyncio.to_thread(postgres.start)

            async with database.reads() as first, database.reads() as second:
                await run(first, "SELECT 1")
                await run(second, "SELECT 1")
            await database.close()
