"""Processes that the benchmark starts, watches and ends."""

import os
import platform
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from bench import HOST

READY_SECONDS: Final = 60.0
END_SECONDS: Final = 15.0
POLL_SECONDS: Final = 0.005
READY: Final = b"GET /readyz HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n"
STATUS: Final = re.compile(rb"HTTP/1\.1 (\d{3}) ")
WELL: Final = range(200, 400)
"""The statuses of an answer that shows that a program is ready."""


class NotReady(Exception):
    """The program ended, or did not answer in time; the message names its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A running process with its children, and the port on which it answers."""

    pid: int
    port: int
    ready_seconds: float
    """From the command to the first answer."""

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def cpu_seconds(self) -> float:
        """User and system time of the whole process tree so far, with that of children that have ended."""
        return sum(cpu_seconds(process) for process in tree(self.pid))

    def resident_bytes(self) -> int:
        return sum(process.memory_info().rss for process in tree(self.pid))


def tree(pid: int) -> list[psutil.Process]:
    """The process with its children, and theirs."""
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def cpu_seconds(process: psutil.Process) -> float:
    """
    As the kernel accounts for it, with the time of children that have ended, where the system tells (Linux).

    One that has just ended counts with its parent, so nothing is told of it here.
    """
    try:
        user, system, *of_children = process.cpu_times()[:4]
        own = time.clock_gettime(clock_of(process.pid)) if platform.system() == "Linux" else user + system
    except (psutil.NoSuchProcess, OSError):
        return 0.0
    return float(own + sum(of_children))


def clock_of(pid: int) -> int:
    """
    The process's CPU clock, all its threads together: what clock_getcpuclockid(3) makes of a pid on Linux.

    It tells nanoseconds, where /proc and psutil only know hundredths of a second.
    """
    return (~pid << 3) | 2


@contextmanager
def running(
    command: Sequence[str], *, log: Path, environment: Mapping[str, str], ready: bytes = READY
) -> Iterator[Program]:
    """
    The command's process, from its first good answer to the request `ready` until the end of the block.

    `{port}` in the command and in the environment is a free port. Raises NotReady.
    """
    port = free_port()
    environment = {name: value.format(port=port) for name, value in environment.items()}
    command = [argument.format(port=port) for argument in command]
    began = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own programs
            command,
            env={**compiling(os.environ), **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        await_answer(process, port, ready, log)
        yield Program(pid=process.pid, port=port, ready_seconds=time.perf_counter() - began)
    finally:
        end(process)


def python(*arguments: str) -> list[str]:
    """The command for a module of ours."""
    return [sys.executable, "-m", *arguments]


def compiling(environment: Mapping[str, str]) -> dict[str, str]:
    """An installation has its modules compiled, even where this run was told to leave no compiled ones behind."""
    return {name: value for name, value in environment.items() if name != "PYTHONDONTWRITEBYTECODE"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


def await_answer(process: subprocess.Popen[bytes], port: int, request: bytes, log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not answers(port, request):
        if process.poll() is not None or time.monotonic() > deadline:
            raise NotReady(f"The program does not answer; see {log}")
        time.sleep(POLL_SECONDS)


def answers(port: int, request: bytes) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=1) as connection:
            connection.sendall(request)
            status = STATUS.match(connection.recv(64))
    except OSError:
        return False
    return status is not None and int(status[1]) in WELL


def end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
