"""The plugin is tried in a small suite of its own, in a process that can be interrupted."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import NullPool, text
from sqlalchemy.ext.asyncio import create_async_engine

from gateway.embedded_postgres import EmbeddedPostgres

RunSuite = Callable[..., subprocess.Popen[str]]

ROOT = Path(__file__).parents[1]

CONFIGURATION = """
[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = session
asyncio_default_test_loop_scope = session
filterwarnings = error
"""

CONFTEST = """\
import asyncio
import pytest
from sqlalchemy import NullPool
from sqlalchemy.ext.asyncio import create_async_engine

pytest_plugins = ["tests.databases"]

SCHEMA = [
    "CREATE TABLE alembic_version (version_num text)",
    "INSERT INTO alembic_version VALUES ('0001')",
    "CREATE TABLE account (id int PRIMARY KEY)",
    "CREATE TABLE payment (id int PRIMARY KEY, account_id int REFERENCES account)",
    "CREATE FUNCTION forbid() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''append-only''; END'",
    "CREATE TRIGGER append_only BEFORE DELETE ON payment FOR EACH ROW EXECUTE FUNCTION forbid()",
]

async def run(url, *statements):
    async with create_async_engine(url, poolclass=NullPool).begin() as connection:
        answers = [await connection.exec_driver_sql(statement) for statement in statements]
        return answers[-1].scalar() if answers[-1].returns_rows else None

@pytest.fixture(scope="session")
def migrate():
    return lambda url: asyncio.run(run(url, *SCHEMA))

@pytest.fixture(scope="session")
def sql():
    return run
"""

CLEAN = """\
import pytest

@pytest.mark.parametrize("time", ["first", "second"])
async def test_finds_tables_empty_and_fills_them(clean_tables, database_url, sql, time):
    assert await sql(database_url, "SELECT count(*) FROM payment") == 0
    await sql(database_url, "INSERT INTO account VALUES (1)", "INSERT INTO payment VALUES (1, 1)")

async def test_keeps_the_version_of_the_schema(clean_tables, database_url, sql):
    assert await sql(database_url, "SELECT version_num FROM alembic_version") == "0001"
"""

FRESH = """
async def test_gets_databases_of_its_own(fresh_database, database_url, sql):
    one, other = await fresh_database(), await fresh_database()
    await sql(one, "INSERT INTO account VALUES (1)")

    assert await sql(other, "SELECT count(*) FROM account") == 0
    assert await sql(database_url, "SELECT count(*) FROM account") == 0
    assert await sql(one, "SELECT count(*) FROM pg_database WHERE datname LIKE 'test_%%'") == 4

async def test_leaves_none_to_the_next(database_url, sql):
    assert await sql(database_url, "SELECT count(*) FROM pg_database WHERE datname LIKE 'test_%%'") == 2
"""

ENDLESS = """\
import asyncio
from pathlib import Path

async def test_is_interrupted(postgres, database_url):
    pid = (postgres.folder / "data" / "postmaster.pid").read_text().split()[0]
    print("server", pid, flush=True)
    await asyncio.sleep(60)
"""


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """The system's temporary folder, as the suite sees it."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


@pytest.fixture
def run_suite(tmp_path: Path, temporary: Path) -> RunSuite:
    def run(tests: str, server: str = "") -> subprocess.Popen[str]:
        (tmp_path / "conftest.py").write_text(CONFTEST)
        (tmp_path / "test_it.py").write_text(tests)
        (tmp_path / "pytest.ini").write_text(CONFIGURATION)
        path = os.pathsep.join([str(ROOT), *sys.path])
        environment = {"PYTHONPATH": path, "TMPDIR": str(temporary), "TEST_DATABASE_URL": server}
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-s",
                "-p",
                "no:hypothesispytest",
                "-p",
                "no:cacheprovider",
            ],
            cwd=tmp_path,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            text=True,
        )

    return run


class TestFromTheWheel:
    def test_keeps_tests_apart_and_leaves_nothing(self, run_suite: RunSuite, temporary: Path) -> None:
        with run_suite(CLEAN + FRESH) as suite:
            report, _ = suite.communicate(timeout=60)

        assert suite.returncode == 0, report
        assert not list(temporary.iterdir())

    @pytest.mark.parametrize("demand", [signal.SIGINT, signal.SIGTERM])
    def test_leaves_nothing_when_interrupted(
        self, run_suite: RunSuite, temporary: Path, demand: signal.Signals
    ) -> None:
        with run_suite(ENDLESS) as suite:
            assert suite.stdout is not None
            server = next(int(line.split()[-1]) for line in suite.stdout if "server" in line)
            suite.send_signal(demand)
            suite.communicate(timeout=60)

        assert suite.returncode == pytest.ExitCode.INTERRUPTED
        assert not list(temporary.iterdir())
        with pytest.raises(ProcessLookupError):
            os.kill(server, 0)


class TestOnAGivenServer:
    def test_keeps_tests_apart_and_leaves_nothing(self, run_suite: RunSuite, temporary: Path) -> None:
        with EmbeddedPostgres(temporary / "given", durable=False) as given:
            with run_suite(CLEAN + FRESH, given.url("elsewhere").replace("+asyncpg", "")) as suite:
                report, _ = suite.communicate(timeout=60)

            assert suite.returncode == 0, report
            assert asyncio.run(databases(given)) == ["postgres", "template0", "template1"]


async def databases(server: EmbeddedPostgres) -> list[str]:
    async with create_async_engine(server.url("postgres"), poolclass=NullPool).connect() as connection:
        names = await connection.scalars(text("SELECT datname FROM pg_database ORDER BY 1"))
        return [*names]
