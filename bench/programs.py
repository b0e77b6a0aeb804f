"""Processes that the benchmark starts, watches and ends."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from bench import HOST

READY_SECONDS: Final = 60.0
END_SECONDS: Final = 15.0
POLL_SECONDS: Final = 0.005


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
        """User and system time of the whole process tree, so far."""
        return sum(sum(process.cpu_times()[:2]) for process in self._tree())

    def resident_bytes(self) -> int:
        return sum(process.memory_info().rss for process in self._tree())

    def _tree(self) -> list[psutil.Process]:
        process = psutil.Process(self.pid)
        return [process, *process.children(recursive=True)]


@contextmanager
def running(
    arguments: list[str], *, log: Path, ready: str, environment: Mapping[str, str], port: int | None = None
) -> Iterator[Program]:
    """
    `python -m` with these arguments, from its first answer to GET `ready` until the end of the block.

    `{port}` among the arguments and in the environment is a free port. Raises NotReady.
    """
    port = port or free_port()
    environment = {name: value.format(port=port) for name, value in environment.items()}
    command = [sys.executable, "-m", *(argument.format(port=port) for argument in arguments)]
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


def compiling(environment: Mapping[str, str]) -> dict[str, str]:
    """An installation has its modules compiled, even where this run was told to leave no compiled ones behind."""
    return {name: value for name, value in environment.items() if name != "PYTHONDONTWRITEBYTECODE"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


def await_answer(process: subprocess.Popen[bytes], port: int, path: str, log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not answers(port, path):
        if process.poll() is not None or time.monotonic() > deadline:
            raise NotReady(f"The program does not answer; see {log}")
        time.sleep(POLL_SECONDS)


def answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=1)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < http.client.BAD_REQUEST
    except OSError:
        return False
    finally:
        connection.close()


def end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
