"""
The load generator, a process of its own: `python -m bench.load`, with a job in JSON on standard input.

Keeps a number of connections busy, each with one request at a time, and prints how long each took. Ends with an
error at the first answer that is none.
"""

import asyncio
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from typing import Final, cast
from uuid import uuid4

import orjson
import uvloop

from bench import HOST

FRESH_KEY: Final = "fresh-key-" + "0" * 32
"""Replaced in every request that is sent, by another key of the same length."""
LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)(?:\r\n|$)", re.IGNORECASE)
FAILED: Final = b'"errors":[{'
KEY: Final = FRESH_KEY.encode()


class BadAnswer(Exception):
    """The server did not do what it was asked; the message is its answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """For `seconds`, or `count` requests, whichever comes first."""

    port: int
    requests: list[str]
    connections: int = 16
    seconds: float = 2.0
    count: int = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What was answered: how long each request took in milliseconds, and all of them together in seconds."""

    latencies: list[float]
    seconds: float


def generated_load(job: Job) -> Load:
    """Raises CalledProcessError after a bad answer."""
    load = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        input=orjson.dumps(asdict(job)),
        stdout=subprocess.PIPE,
        check=True,
    )
    return Load(**orjson.loads(load.stdout))


async def answered(job: Job) -> Load:
    began = time.monotonic()
    deadline = began + job.seconds
    requests = islice(cycle(map(str.encode, job.requests)), job.count)
    connections = (connection(job.port, requests, deadline) for _ in range(job.connections))
    latencies = [latency for found in await asyncio.gather(*connections) for latency in found]
    return Load(latencies=latencies, seconds=time.monotonic() - began)


async def asked(port: int, request: bytes) -> bytes:
    """One request's answer. Raises BadAnswer."""
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(request.replace(KEY, fresh_key()))
    head, body = await answer(reader)
    writer.close()
    check(head, body)
    return body


async def connection(port: int, requests: Iterator[bytes], deadline: float) -> list[float]:
    """One connection's latencies. Raises BadAnswer, and ConnectionError where the server closes it."""
    loop = asyncio.get_running_loop()
    _, busy = await loop.create_connection(lambda: Connection(requests, deadline), HOST, port)
    return await busy.latencies


class Connection(asyncio.Protocol):
    """
    Asks, waits for the answer, asks again.

    No streams: they would take more of a processor than the fastest servers do, and be what is measured.
    """

    def __init__(self, requests: Iterator[bytes], deadline: float) -> None:
        self.latencies: asyncio.Future[list[float]] = asyncio.get_running_loop().create_future()
        self._requests = requests
        self._deadline = deadline
        self._found: list[float] = []
        self._answer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, end, body = self._answer.partition(b"\r\n\r\n")
        if not end or len(body) < length_of(head):
            return
        self._found.append((time.perf_counter() - self._began) * 1000)
        try:
            check(head, body)
        except BadAnswer as bad:
            self._end(bad)
        else:
            self._answer.clear()
            self._ask()

    def connection_lost(self, reason: Exception | None) -> None:
        self._end(reason or ConnectionResetError("The server closed the connection"))

    def _ask(self) -> None:
        request = next(self._requests, None)
        if request is None or time.monotonic() > self._deadline:
            self._end()
        else:
            request = request.replace(KEY, fresh_key()) if KEY in request else request
            self._began = time.perf_counter()
            self._transport.write(request)

    def _end(self, failure: Exception | None = None) -> None:
        self._transport.close()
        if self.latencies.done():
            return
        if failure:
            self.latencies.set_exception(failure)
        else:
            self.latencies.set_result(self._found)


def fresh_key() -> bytes:
    return f"fresh-key-{uuid4().hex}".encode()


async def answer(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """The head and the body."""
    head = await reader.readuntil(b"\r\n\r\n")
    return head, await reader.readexactly(length_of(head))


def length_of(head: bytes | bytearray) -> int:
    """How many bytes of body follow."""
    length = LENGTH.search(head)
    return int(length[1]) if length else 0


def check(head: bytes | bytearray, body: bytes | bytearray) -> None:
    if b" 200 " not in head[:16] or FAILED in body:
        raise BadAnswer((head + body).decode())


def main() -> None:
    job = Job(**orjson.loads(sys.stdin.buffer.read()))
    sys.stdout.buffer.write(orjson.dumps(uvloop.run(answered(job))))


if __name__ == "__main__":
    main()
