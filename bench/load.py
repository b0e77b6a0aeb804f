"""
The load generator, a process of its own: `python -m bench.load`, with a job in JSON on standard input.

Keeps a number of connections busy, each with one request at a time, and prints the latency of each request in
milliseconds. Ends with an error at the first answer that is none.
"""

import asyncio
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from typing import Final
from uuid import uuid4

import orjson
import uvloop

from bench import HOST

FRESH_KEY: Final = "fresh-key-" + "0" * 32
"""Replaced in every request that is sent, by another key of the same length."""
LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
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


def generated_load(job: Job) -> list[float]:
    """Each request's latency in milliseconds. Raises CalledProcessError after a bad answer."""
    load = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        input=orjson.dumps(asdict(job)),
        stdout=subprocess.PIPE,
        check=True,
    )
    latencies: list[float] = orjson.loads(load.stdout)
    return latencies


async def latencies(job: Job) -> list[float]:
    deadline = time.monotonic() + job.seconds
    requests = islice(cycle(map(str.encode, job.requests)), job.count)
    connections = (connection(job.port, requests, deadline) for _ in range(job.connections))
    return [latency for found in await asyncio.gather(*connections) for latency in found]


async def asked(port: int, request: bytes) -> bytes:
    """One request's answer. Raises BadAnswer."""
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(request.replace(KEY, fresh_key()))
    head, body = await answer(reader)
    writer.close()
    check(head, body)
    return body


async def connection(port: int, requests: Iterator[bytes], deadline: float) -> list[float]:
    reader, writer = await asyncio.open_connection(HOST, port)
    found = []
    for request in requests:
        if time.monotonic() > deadline:
            break
        began = time.perf_counter()
        writer.write(request.replace(KEY, fresh_key()) if KEY in request else request)
        check(*await answer(reader))
        found.append((time.perf_counter() - began) * 1000)
    writer.close()
    return found


def fresh_key() -> bytes:
    return f"fresh-key-{uuid4().hex}".encode()


async def answer(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """The head and the body."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = LENGTH.search(head)
    return head, await reader.readexactly(int(length[1])) if length else b""


def check(head: bytes, body: bytes) -> None:
    if b" 200 " not in head[:16] or FAILED in body:
        raise BadAnswer((head + body).decode())


def main() -> None:
    job = Job(**orjson.loads(sys.stdin.buffer.read()))
    sys.stdout.buffer.write(orjson.dumps(uvloop.run(latencies(job))))


if __name__ == "__main__":
    main()
