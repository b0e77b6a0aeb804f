"""Real processes of ours: started, watched, ended by signals, all on loopback ports."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil

from tests.leaks import SEARCH
from tests.waiting import until

COMMAND: Final = str(Path(sys.executable).with_name("payments-gateway"))
INHERITED: Final = ("PATH", "HOME", "LANG", "TMPDIR", "XDG_RUNTIME_DIR")
START_SECONDS: Final = 60.0


class Program:
    """One process, with what it writes in a file. It runs in a folder of its own, so that no .env reaches it."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.log = log
        self._began_at = log.stat().st_size if log.exists() else 0
        kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
        with log.open("ab") as output:
            self.process = subprocess.Popen(  # noqa: S603 - our own programs
                arguments,
                cwd=log.parent,
                env={**kept, "PYTHONUNBUFFERED": "1", **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def has_ended(self) -> bool:
        return self.process.poll() is not None

    @property
    def written(self) -> str:
        return self.log.read_text(errors="replace")

    def search(self, *, shown: re.Pattern[str] | None) -> None:
        """Look for secrets in what this process wrote, except for what it is meant to show."""
        own = self.log.read_bytes()[self._began_at :].decode(errors="replace")
        SEARCH.look_at(shown.sub("", own) if shown else own, self.log.name)

    async def says(self, text: str) -> str:
        """All that it wrote, once the text is part of it."""

        async def has_said() -> bool:
            assert not self.has_ended, self.written
            return text in self.written

        await until(has_said, seconds=START_SECONDS)
        return self.written

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def ended(self, *, seconds: float = 10) -> int:
        """Its exit code, once it has ended by itself."""
        return await asyncio.to_thread(self.process.wait, seconds)

    async def kill(self) -> None:
        """As a power cut would: nothing of it runs another line."""
        self.process.kill()
        await self.ended()

    def family(self) -> "Family":
        """Itself and all that it started, however deep."""
        parent = psutil.Process(self.process.pid)
        return Family([parent, *parent.children(recursive=True)])


class Family:
    """Processes as they were at one moment; a later one with the same id is told apart."""

    def __init__(self, members: list[psutil.Process]) -> None:
        self._members = members

    async def survivors(self, *, seconds: float = 0) -> list[str]:
        """Who lives after so many seconds; they may have ended sooner."""
        _, alive = await asyncio.to_thread(psutil.wait_procs, self._members, timeout=seconds)
        return [str(member) for member in alive]


@contextmanager
def started(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    log: Path,
    *,
    shown: re.Pattern[str] | None = None,
) -> Iterator[Program]:
    """`shown` are secrets that are written for whoever started it."""
    program = Program(arguments, environment, log)
    try:
        yield program
    finally:
        if not program.has_ended:
            program.process.kill()
            program.process.wait()
        program.search(shown=shown)


def running_over(folder: Path) -> list[int]:
    """The ids of processes that have the folder among their arguments."""
    found = psutil.process_iter(["pid", "cmdline"])
    return [each.info["pid"] for each in found if str(folder) in (each.info["cmdline"] or ())]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
