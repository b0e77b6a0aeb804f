import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import NullPool, text
from sqlalchemy.ext.asyncio import create_async_engine

from gateway.embedded_postgres import EmbeddedPostgres, EmbeddedPostgresError
from gateway.private_folder import acquired

SERVER_USER = "nobody" if os.geteuid() == 0 else None
DEEP = "a/rather/long/way/down/" * 6 + "postgres"
OWNER = """
import sys, time
from pathlib import Path
from gateway.embedded_postgres import EmbeddedPostgres
EmbeddedPostgres(Path(sys.argv[1])).start()
print("started", flush=True)
time.sleep(60)
"""


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with TemporaryDirectory() as home:
        yield Path(home)


@pytest.fixture(scope="module")
def folder(home: Path) -> Path:
    """Holds a cluster with a database called `kept`; no server runs in it."""
    folder = home / "postgres"
    with EmbeddedPostgres(folder) as postgres:
        postgres.ensure_database("kept")
    return folder


@pytest.fixture
def moved(home: Path, folder: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    target = home / request.param
    target.parent.mkdir(parents=True, exist_ok=True)
    folder.rename(target)
    yield target
    target.rename(folder)


@pytest.fixture
def orphan(folder: Path) -> Iterator[int]:
    """The process id of a server whose owner was killed."""
    with owner(folder) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"started\n"
        process.kill()

    yield server_process(folder)

    with EmbeddedPostgres(folder):  # ends it, if the test has not
        pass


def owner(folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", OWNER, str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE)  # noqa: S603 - our own program


def wait_for(file: Path) -> None:
    deadline = time.monotonic() + 10
    while not file.exists():
        assert time.monotonic() < deadline, f"{file} does not appear"
        time.sleep(0.01)


@pytest.fixture
def stranger() -> Iterator[int]:
    """The process id of a program that has nothing to do with us and must survive."""
    with subprocess.Popen(["/bin/sleep", "60"], user=SERVER_USER) as process:
        yield process.pid
        assert process.poll() is None
        process.kill()


@pytest.fixture
def zombie() -> Iterator[int]:
    """The process id of a program that has ended, which nobody has taken note of."""
    with subprocess.Popen(["/bin/sleep", "0"], user=SERVER_USER) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        yield process.pid


def server_process(folder: Path) -> int:
    return int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])


def is_served(folder: Path) -> bool:
    with (folder / "server.lock").open() as lock:
        return not acquired(lock)


async def answer(postgres: EmbeddedPostgres, question: str, *, database: str = "postgres") -> object:
    engine = create_async_engine(postgres.url(database), poolclass=NullPool)
    async with engine.connect() as connection:
        return await connection.scalar(text(question))


async def has_its_data(postgres: EmbeddedPostgres) -> bool:
    return await answer(postgres, "SELECT current_database()", database="kept") == "kept"


class TestStart:
    async def test_makes_a_cluster_in_a_new_folder(self, home: Path) -> None:
        with EmbeddedPostgres(home / "new") as postgres:
            version = await answer(postgres, "SHOW server_version")

        assert str(version).startswith("18.")

    @pytest.mark.parametrize("moved", ["with spaces/ünïcödé", "with,comma", DEEP], indirect=True)
    async def test_works_wherever_the_folder_is_moved(self, moved: Path) -> None:
        with EmbeddedPostgres(moved) as postgres:
            assert await has_its_data(postgres)

    async def test_finds_the_data_of_earlier_runs(self, folder: Path) -> None:
        with EmbeddedPostgres(folder) as postgres:
            assert await has_its_data(postgres)

    async def test_makes_the_cluster_anew_after_an_interrupted_first_start(self, home: Path) -> None:
        draft = home / "interrupted" / "data.new"
        draft.mkdir(parents=True)
        (draft / "PG_VERSION").write_text("18")

        with EmbeddedPostgres(home / "interrupted") as postgres:
            assert await answer(postgres, "SELECT 1") == 1

    async def test_waits_for_the_first_start_of_a_killed_process(self, home: Path) -> None:
        with owner(home / "hasty") as process:
            wait_for(home / "hasty" / "data.new" / "PG_VERSION")
            process.kill()

        with EmbeddedPostgres(home / "hasty") as postgres:
            assert await answer(postgres, "SELECT 1") == 1

    async def test_replaces_the_server_of_a_killed_process(self, folder: Path, orphan: int) -> None:
        with EmbeddedPostgres(folder) as postgres:
            assert server_process(folder) != orphan
            assert await has_its_data(postgres)

        assert not is_served(folder)

    async def test_recovers_after_the_server_was_killed_as_well(self, folder: Path, orphan: int) -> None:
        os.kill(orphan, signal.SIGKILL)

        with EmbeddedPostgres(folder) as postgres:
            assert await has_its_data(postgres)

    async def test_is_not_misled_by_a_process_that_got_the_old_id(self, folder: Path, stranger: int) -> None:
        leave_traces(folder, stranger)

        with EmbeddedPostgres(folder) as postgres:
            assert await has_its_data(postgres)

    async def test_is_not_misled_by_a_zombie(self, folder: Path, zombie: int) -> None:
        leave_traces(folder, zombie)

        with EmbeddedPostgres(folder) as postgres:
            assert await has_its_data(postgres)

    async def test_ignores_what_the_environment_says_of_other_servers(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PGPORT", "1")
        monkeypatch.setenv("PGOPTIONS", "--no-such-option")

        with EmbeddedPostgres(folder) as postgres:
            postgres.ensure_database("kept")
            monkeypatch.delenv("PGOPTIONS")
            assert await has_its_data(postgres)

    def test_refuses_a_folder_in_use_and_names_the_user(self, folder: Path) -> None:
        with (
            EmbeddedPostgres(folder),
            pytest.raises(EmbeddedPostgresError, match=f"by process {os.getpid()}\n"),
        ):
            EmbeddedPostgres(folder).start()

    def test_refuses_a_folder_of_another_user(self, home: Path) -> None:
        with pytest.raises(EmbeddedPostgresError, match=r"belongs to another user .*\n.*DATA_FOLDER"):
            EmbeddedPostgres(folder_of_another_user(home)).start()

    def test_says_why_the_server_does_not_start_and_frees_the_folder(self, folder: Path) -> None:
        with pytest.raises(EmbeddedPostgresError, match="work_mem"):
            EmbeddedPostgres(folder, settings={"work_mem": "much"}).start()

        with EmbeddedPostgres(folder):
            assert is_served(folder)


def leave_traces(folder: Path, pid: int) -> None:
    """What a power cut leaves behind, when the server's process id is in use again afterwards."""
    for trace in (folder / "data" / "postmaster.pid", folder / ".s.PGSQL.5432.lock"):
        trace.write_text(f"{pid}\n{folder / 'data'}\n1700000000\n5432\n{folder}\n\n\nready\n")
    (folder / ".s.PGSQL.5432").touch()


def folder_of_another_user(home: Path) -> Path:
    if os.geteuid() != 0:
        return Path("/usr")
    folder = home / "foreign"
    folder.mkdir()
    os.chown(folder, 1, 1)
    return folder


class TestSettings:
    async def test_keeps_data_safe_unless_told_otherwise(self, folder: Path) -> None:
        with EmbeddedPostgres(folder) as postgres:
            assert await answer(postgres, "SHOW fsync") == "on"

    async def test_forgoes_safety_for_speed(self, folder: Path) -> None:
        with EmbeddedPostgres(folder, durable=False) as postgres:
            assert await answer(postgres, "SHOW fsync") == "off"

    async def test_takes_those_of_postgresql(self, folder: Path) -> None:
        with EmbeddedPostgres(folder, settings={"shared_buffers": "16MB"}) as postgres:
            assert await answer(postgres, "SHOW shared_buffers") == "16MB"


class TestStop:
    async def test_ends_the_server_though_somebody_is_connected(self, folder: Path) -> None:
        postgres = EmbeddedPostgres(folder)
        postgres.start()
        engine = create_async_engine(postgres.url("kept"))
        async with engine.connect():
            postgres.stop()

        assert not is_served(folder)
        await engine.dispose()

    def test_may_be_repeated(self, folder: Path) -> None:
        postgres = EmbeddedPostgres(folder)
        postgres.start()

        postgres.stop()
        postgres.stop()

        assert not is_served(folder)

    @pytest.mark.parametrize("moved", [DEEP], indirect=True)
    def test_leaves_nothing_outside_the_folder(
        self, moved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))

        with EmbeddedPostgres(moved):
            assert list(tmp_path.iterdir())

        assert not list(tmp_path.iterdir())


class TestEnsureDatabase:
    @pytest.mark.parametrize("name", ["payments", "Pay-Ments", 'it\'s "odd"'])
    async def test_creates_it_once(self, folder: Path, name: str) -> None:
        with EmbeddedPostgres(folder) as postgres:
            postgres.ensure_database(name)
            postgres.ensure_database(name)

            assert await answer(postgres, "SELECT current_database()", database=name) == name

    def test_says_why_it_cannot(self, folder: Path) -> None:
        with pytest.raises(EmbeddedPostgresError, match="'payments' cannot be made"):
            EmbeddedPostgres(folder).ensure_database("payments")
