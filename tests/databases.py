"""
A pytest plugin: PostgreSQL databases with our schema, from the wheel or on the server of TEST_DATABASE_URL.

The suite that uses it provides `migrate`, session-scoped: a function that gives the database at a URL our
schema. It is called once, in a thread without an event loop.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol
from uuid import uuid4

import pytest
from sqlalchemy import URL, NullPool, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from gateway.embedded_postgres import EmbeddedPostgres
from tests.leaks import SEARCH

# Rows are few, so deleting them takes 1.5 ms where TRUNCATE, which makes new files, takes 70 (15 tables).
DELETED = "DELETE FROM %1$s AS each RETURNING each::text AS row"
READ = "SELECT each::text AS row FROM %1$s AS each"

# A function of the session's own that runs one of the above on each table, and tells what the rows hold.
EACH_TABLE = """
SELECT format(
    'CREATE FUNCTION pg_temp.each_table() RETURNS TABLE (place text, content text) LANGUAGE plpgsql '
    'AS $$ BEGIN %s END $$',
    string_agg(
        format(
            'RETURN QUERY WITH found AS ({statement}) '
            'SELECT %2$L, string_agg(row, chr(10)) FROM found HAVING count(*) > 0;',
            oid::regclass, 'table ' || relname
        ),
        ' '
    )
)
FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'
"""

# Without triggers, so that neither foreign keys nor append-only tables are in the way.
WITHOUT_TRIGGERS = "SET session_replication_role = replica"

# A test that left its transaction open makes the next one fail, and not wait for ever.
IMPATIENT = "SET lock_timeout = '5s'"


class Server(Protocol):
    def url(self, database: str) -> str: ...


@dataclass(frozen=True, slots=True)
class GivenServer:
    """A server that runs anyway. Our role there must be a superuser, to clean tables that forbid deletion."""

    address: URL

    def url(self, database: str) -> str:
        address = self.address.set(drivername="postgresql+asyncpg", database=database)
        return address.render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield GivenServer(make_url(given))
        return
    with (
        orderly_termination(),
        TemporaryDirectory(prefix="payments-tests-") as folder,
        EmbeddedPostgres(Path(folder), durable=False) as server,
    ):
        yield server


@pytest.fixture(scope="session")
async def template(postgres: Server, migrate: Callable[[str], None]) -> AsyncIterator[str]:
    """The name of a database with our schema that nobody connects to, so that it can be copied."""
    async with database(postgres) as name:
        await asyncio.to_thread(migrate, postgres.url(name))
        yield name


@pytest.fixture(scope="session")
async def database_url(postgres: Server, template: str) -> AsyncIterator[str]:
    """The database that most tests share; with `clean_tables` each of them finds it empty."""
    async with database(postgres, template=template) as name:
        yield postgres.url(name)


@pytest.fixture
async def fresh_database(postgres: Server, template: str) -> AsyncIterator[Callable[[], Awaitable[str]]]:
    """Makes a database for one test alone, and returns its URL: for LISTEN, concurrency, other processes."""
    async with AsyncExitStack() as databases:

        async def make() -> str:
            name = await databases.enter_async_context(database(postgres, template=template))
            return postgres.url(name)

        yield make


@pytest.fixture(scope="session")
async def cleaning(database_url: str) -> AsyncIterator[Callable[[], Awaitable[object]]]:
    async with connected(database_url) as connection:
        await connection.exec_driver_sql(WITHOUT_TRIGGERS)
        empty_tables = await for_each_table(connection, DELETED)

        async def clean() -> None:
            await empty_tables()
            SEARCH.emptied()

        yield clean


@pytest.fixture
async def clean_tables(cleaning: Callable[[], Awaitable[object]]) -> None:
    """Empties the shared database before the test. Its sequences go on."""
    await cleaning()


@asynccontextmanager
async def database(server: Server, *, template: str = "template1") -> AsyncIterator[str]:
    name = f"test_{uuid4().hex}"
    await administer(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield name
        await search(server.url(name))
    finally:
        await administer(server, f"DROP DATABASE {name} WITH (FORCE)")


async def search(url: str) -> None:
    """Look for secrets in all its rows."""
    async with connected(url) as connection:
        read_tables = await for_each_table(connection, READ)
        await read_tables()


async def for_each_table(connection: AsyncConnection, statement: str) -> Callable[[], Awaitable[None]]:
    """A function that runs the statement on each table, and looks for secrets in the rows that it returns."""
    await connection.exec_driver_sql(IMPATIENT)
    definition = (await connection.exec_driver_sql(EACH_TABLE.format(statement=statement))).scalar_one()
    if definition is None:
        return nothing
    await connection.exec_driver_sql(definition)

    async def run() -> None:
        for table in await connection.exec_driver_sql("SELECT * FROM pg_temp.each_table()"):
            SEARCH.look_at(table.content, table.place)

    return run


async def nothing() -> None:
    """For a database without tables."""


async def administer(server: Server, statement: str) -> None:
    async with connected(server.url("postgres")) as connection:
        await connection.exec_driver_sql(statement)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[AsyncConnection]:
    engine = create_async_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        yield connection


@contextmanager
def orderly_termination() -> Iterator[None]:
    """Let SIGTERM end the run as Ctrl-C does, by way of the fixtures' ends."""
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
