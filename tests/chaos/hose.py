"""
A load generator that takes little of the processor: `python -m tests.chaos.hose`, with a job in JSON on its input.

Webhooks go out once each, as fast as the connections allow, and reads go on beside them at their own pace, until the
last webhook is answered or, without webhooks, the time is over. Prints what became of each request.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from math import ceil
from typing import Final

import orjson
import uvloop

from bench import HOST
from bench.load import answer

UNANSWERED: Final = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """`read` is one raw HTTP request, and so are the webhooks. `seconds` bound a job without webhooks."""

    port: int
    read: str
    readers: int = 4
    read_pause: float = 0.05
    webhooks: list[str] = field(default_factory=list)
    connections: int = 16
    seconds: float = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Statuses and latencies in milliseconds, request by request, and how long all of it took."""

    statuses: list[int] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def slowest(self, percent: int) -> float:
        """The latency that so many percent of the requests do not exceed."""
        return sorted(self.milliseconds)[ceil(len(self.milliseconds) * percent / 100) - 1]

    @property
    def failures(self) -> int:
        """5xx, and what was not answered at all."""
        return sum(status == UNANSWERED or status >= 500 for status in self.statuses)

    @property
    def per_second(self) -> float:
        return len(self.statuses) / self.seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Poured:
    webhooks: Answers
    reads: Answers


async def poured(job: Job) -> Poured:
    """What became of the job, which runs in a process of its own."""
    hose = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.chaos.hose", stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    written, _ = await hose.communicate(orjson.dumps(asdict(job)))
    assert hose.returncode == 0, "the load generator has failed"
    found = orjson.loads(written)
    return Poured(webhooks=Answers(**found["webhooks"]), reads=Answers(**found["reads"]))


async def pour(job: Job) -> Poured:
    webhooks, reads = Answers(), Answers()
    began = time.perf_counter()
    reading = [asyncio.create_task(read_on(job, reads)) for _ in range(job.readers)]
    if job.webhooks:
        waiting = iter(job.webhooks)
        await asyncio.gather(*(deliver(job.port, waiting, webhooks) for _ in range(job.connections)))
    else:
        await asyncio.sleep(job.seconds)
    took = time.perf_counter() - began
    for reader in reading:
        reader.cancel()
    await asyncio.gather(*reading, return_exceptions=True)
    return Poured(webhooks=timed(webhooks, took), reads=timed(reads, took))


async def read_on(job: Job, into: Answers) -> None:
    reader, writer = await asyncio.open_connection(HOST, job.port)
    request = job.read.encode()
    while True:
        await ask(reader, writer, request, into)
        await asyncio.sleep(job.read_pause)


async def deliver(port: int, webhooks: Iterator[str], into: Answers) -> None:
    reader, writer = await asyncio.open_connection(HOST, port)
    for webhook in webhooks:
        await ask(reader, writer, webhook.encode(), into)
    writer.close()


async def ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes, into: Answers
) -> None:
    began = time.perf_counter()
    writer.write(request)
    head, _ = await answer(reader)
    into.milliseconds.append((time.perf_counter() - began) * 1000)
    into.statuses.append(int(head.split(maxsplit=2)[1]))


def timed(answers: Answers, seconds: float) -> Answers:
    return Answers(statuses=answers.statuses, milliseconds=answers.milliseconds, seconds=seconds)


def main() -> None:
    job = Job(**orjson.loads(sys.stdin.buffer.read()))
    sys.stdout.buffer.write(orjson.dumps(asdict(uvloop.run(pour(job)))))


if __name__ == "__main__":
    main()
