"""Turns: one operation on one server for a moment, then another on the other, in a different order each time."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median
from typing import Final

from bench.load import Job, generated_load
from bench.operations import Operation
from bench.programs import Program
from bench.stack import Stack

SEED: Final = 7
"""Every run shuffles alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one turn showed. Latencies in milliseconds, in order."""

    seconds: float
    cpu_seconds: float
    latencies: Sequence[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Medians over the turns; the percentiles are of all requests."""

    requests_per_second: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float
    """The server's processor time per request: the figure that another load on the machine changes least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    operation: str
    gateway: Figures
    hand_written: Figures

    @property
    def cpu_ratio(self) -> float:
        return self.gateway.cpu_ms / self.hand_written.cpu_ms


def compared(
    stack: Stack, operations: Sequence[Operation], *, turns: int, seconds: float
) -> list[Comparison]:
    shown: dict[tuple[str, str], list[Turn]] = {}
    order = [(operation, server) for operation in operations for server in ("gateway", "hand_written")]
    shuffle = random.Random(SEED).shuffle  # noqa: S311 - an order, not a secret
    for operation, server in order:
        turn(getattr(stack, server), getattr(operation, server), seconds=seconds / 2)  # to warm up
    for _ in range(turns):
        shuffle(order)
        for operation, server in order:
            found = turn(getattr(stack, server), getattr(operation, server), seconds=seconds)
            shown.setdefault((operation.name, server), []).append(found)
    return [
        Comparison(
            operation=operation.name,
            gateway=figures(shown[operation.name, "gateway"]),
            hand_written=figures(shown[operation.name, "hand_written"]),
        )
        for operation in operations
    ]


def turn(server: Program, requests: Iterable[bytes], *, seconds: float, connections: int = 16) -> Turn:
    """`connections` are how many requests are under way at any moment."""
    job = Job(
        port=server.port,
        requests=[request.decode() for request in requests],
        connections=connections,
        seconds=seconds,
    )
    before = server.cpu_seconds()
    load = generated_load(job)
    spent = server.cpu_seconds() - before
    return Turn(seconds=load.seconds, cpu_seconds=spent, latencies=sorted(load.latencies))


def figures(turns: Sequence[Turn]) -> Figures:
    latencies = sorted(latency for turn in turns for latency in turn.latencies)
    return Figures(
        requests_per_second=median(len(turn.latencies) / turn.seconds for turn in turns),
        p50_ms=percentile(latencies, 50),
        p99_ms=percentile(latencies, 99),
        cpu_ms=median(turn.cpu_seconds / len(turn.latencies) for turn in turns) * 1000,
    )


def percentile(ordered: Sequence[float], share: int) -> float:
    """The smallest value that is not exceeded by `share` percent of all."""
    return ordered[ceil(len(ordered) * share / 100) - 1]
