"""What the gateway is held to beside its peers, and whether it was reached."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bench.operations import CREATE_PAYMENT, READS
from bench.peers.result import Result
from bench.peers.servers import APOLLO, GATEWAY_NAME, MERCURIUS, NAIVE, POSTGRAPHILE, STARLETTE

SHARES: Final = [
    (MERCURIUS, READS, 0.9),
    (MERCURIUS, [CREATE_PAYMENT], 1.2),
    (APOLLO, READS, 0.6),
    (POSTGRAPHILE, READS, 0.6),
    (NAIVE, READS, 1 / 15),
    (STARLETTE, READS, 1.0),
    (STARLETTE, [CREATE_PAYMENT], 1.0),
]
"""The most of a peer's processor time per request that the gateway may take."""
MOST_MEMORY: Final = 80.0
"""MiB of one worker."""
LONGEST_START: Final = 0.6
"""Seconds until the first answer."""
MOST_GROWTH: Final = 1.25
"""How much more processor time than the cheapest page the dearest may take: what measuring makes of equal ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    of: str
    found: float
    at_most: float

    @property
    def is_held(self) -> bool:
        return self.found <= self.at_most

    def __str__(self) -> str:
        word = "held    " if self.is_held else "NOT HELD"
        return f"{word}  {self.of}: {self.found:.3g}, at most {self.at_most:.3g}"


def verdicts(result: Result) -> list[Verdict]:
    return [*_shares(result), *_latencies(result), *_footprints(result), *_growth(result)]


def _shares(result: Result) -> Iterator[Verdict]:
    for peer, operations, most in SHARES:
        for operation in operations:
            share = result.ratio(operation, GATEWAY_NAME, peer)
            if share is not None:
                yield Verdict(of=f"CPU over {peer}, {operation}", found=share, at_most=most)


def _latencies(result: Result) -> Iterator[Verdict]:
    for operation in result.operations:
        ours, theirs = result.of(operation, GATEWAY_NAME), result.of(operation, MERCURIUS)
        if ours and theirs:
            share = ours.figures.p99_ms / theirs.figures.p99_ms
            yield Verdict(of=f"p99 over {MERCURIUS}, {operation}", found=share, at_most=1.0)


def _footprints(result: Result) -> Sequence[Verdict]:
    ours = result.footprint(GATEWAY_NAME)
    return [
        Verdict(of="Memory of one worker, MiB", found=ours.resident, at_most=MOST_MEMORY),
        Verdict(of="Seconds until ready", found=ours.ready_seconds, at_most=LONGEST_START),
    ]


def _growth(result: Result) -> Iterator[Verdict]:
    """First pages with first ones, and deep ones with deep ones: a cursor has its price, wherever it leads."""
    first = [page.cpu_ms for page in result.pages if not page.after]
    deep = [page.cpu_ms for page in result.pages if page.after]
    for name, costs in (("first page", first), ("page after a cursor", deep)):
        yield Verdict(
            of=f"CPU of the dearest {name} over the cheapest",
            found=max(costs) / min(costs),
            at_most=MOST_GROWTH,
        )
