"""
A load generator that takes little of the processor: `python -m tests.chaos.hose`, with a job in JSON on its input.

Webhooks go out once each, as fast as the connections allow, and reads go on beside them at their own pace, until the
last webhook is answered or, without webhooks, the time is over. What was asked by then is waited for, and none is left
out because it took too long. Prints what became of each request.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from math import ceil, inf
from typing import Final

import orjson
import uvloop

from bench import HOST
from bench.load import FAILED, answer

UNANSWERED: Final = 0
"""Instead of a status, where the connection broke, or no answer came in time."""
REFUSED: Final = -1
"""Instead of a 200 whose body tells of errors."""
LONGEST_ANSWER: Final = 30.0
BROKEN: Final = (OSError, EOFError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """
    `read` is one raw HTTP request, and so are the webhooks. `seconds` bound a job without webhooks.

    Who is not answered within `patience`, in seconds, gives up, and goes on over another connection.
    """

    port: int
    read: str
    readers: int = 4
    read_pause: float = 0.05
    webhooks: list[str] = field(default_factory=list)
    connections: int = 16
    seconds: float = 3.0
    patience: float = LONGEST_ANSWER


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Statuses and latencies in milliseconds, request by request, and how long all of it took."""

    statuses: list[int] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def slowest(self, percent: int) -> float:
        """The latency that so many percent of the requests do not exceed. Where none was made, it has no bound."""
        if not self.milliseconds:
            return inf
        return sorted(self.milliseconds)[ceil(len(self.milliseconds) * percent / 100) - 1]

    @property
    def failures(self) -> int:
        """All that is not 200 and free of errors."""
        return sum(status != HTTPStatus.OK for status in self.statuses)

    @property
    def are_sound(self) -> bool:
        """Whether there are any, and no failure among them."""
        return bool(self.statuses) and self.failures == 0

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
    began, is_over = time.perf_counter(), asyncio.Event()
    reading = [asyncio.create_task(read_on(job, reads, is_over)) for _ in range(job.readers)]
    if job.webhooks:
        waiting = iter(job.webhooks)
        await asyncio.gather(*(deliver(job, waiting, webhooks) for _ in range(job.connections)))
    else:
        await asyncio.sleep(job.seconds)
    took = time.perf_counter() - began
    is_over.set()
    await asyncio.gather(*reading)
    return Poured(webhooks=timed(webhooks, took), reads=timed(reads, took))


async def read_on(job: Job, into: Answers, is_over: asyncio.Event) -> None:
    line, request = Line(job, into), job.read.encode()
    while not is_over.is_set():
        await line.ask(request)
        await asyncio.sleep(job.read_pause)
    line.hang_up()


async def deliver(job: Job, webhooks: Iterator[str], into: Answers) -> None:
    line = Line(job, into)
    for webhook in webhooks:
        await line.ask(webhook.encode())
    line.hang_up()


class Line:
    """One connection for one request after the other, and another one after it broke."""

    def __init__(self, job: Job, into: Answers) -> None:
        self._job = job
        self._into = into
        self._open: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> None:
        """An answer that never comes has taken as long as it was waited for."""
        began = time.perf_counter()
        try:
            async with asyncio.timeout(self._job.patience):
                status = await self._status(request)
        except BROKEN:
            status = UNANSWERED
            self.hang_up()
        self._into.milliseconds.append((time.perf_counter() - began) * 1000)
        self._into.statuses.append(status)

    def hang_up(self) -> None:
        if self._open is not None:
            self._open[1].close()
        self._open = None

    async def _status(self, request: bytes) -> int:
        if self._open is None:
            self._open = await asyncio.open_connection(HOST, self._job.port)
        reader, writer = self._open
        writer.write(request)
        head, body = await answer(reader)
        status = int(head.split(maxsplit=2)[1])
        return REFUSED if status == HTTPStatus.OK and FAILED in body else status


def timed(answers: Answers, seconds: float) -> Answers:
    return Answers(statuses=answers.statuses, milliseconds=answers.milliseconds, seconds=seconds)


def main() -> None:
    job = Job(**orjson.loads(sys.stdin.buffer.read()))
    sys.stdout.buffer.write(orjson.dumps(asdict(uvloop.run(pour(job)))))


if __name__ == "__main__":
    main()
