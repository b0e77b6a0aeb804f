"""The result, for people and for programs."""

import os
import platform
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from bench.pages import PageLatency
from bench.statistics import PROMISED, Latency, YearLatency
from bench.turns import Comparison, Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    payments: int
    comparisons: Sequence[Comparison]
    pages: Sequence[PageLatency]
    years: Sequence[YearLatency]
    serve_seconds: float
    develop_seconds: float
    resident_mib: float
    """Of the gateway, after everything."""


def write(result: Result, file: Path) -> None:
    described = {
        **asdict(result),
        "comparisons": [{**asdict(one), "cpu_ratio": one.cpu_ratio} for one in result.comparisons],
        "python": platform.python_version(),
        "processors": os.cpu_count(),
    }
    file.write_bytes(orjson.dumps(described, option=orjson.OPT_INDENT_2))


def printed(result: Result) -> str:
    return "\n".join(lines(result))


def lines(result: Result) -> Iterator[str]:
    yield f"{result.payments:,} payments; the gateway beside a hand-written Starlette route (asyncpg, orjson)."
    yield ""
    yield f"{'':<32}{'requests/s':>16}{'p50 ms':>16}{'p99 ms':>16}{'CPU ms/request':>18}{'ratio':>8}"
    for one in result.comparisons:
        cells = "".join(beside(one, name) for name in ("requests_per_second", "p50_ms", "p99_ms"))
        cpu = f"{one.gateway.cpu_ms:.2f} {one.hand_written.cpu_ms:>7.2f}"
        yield f"{one.operation:<32}{cells}{cpu:>18}{one.cpu_ratio:>8.1f}"
    yield ""
    yield "A page of 5, one request at a time:"
    for page in result.pages:
        after = f"after {page.after:,}" if page.after else "the first"
        yield f"  of {page.payments:>9,} payments, {after:<16}{page.p50_ms:>6.2f} ms, CPU {page.cpu_ms:.2f} ms"
    yield ""
    yield "A year of statistics per day, p50 and p99 in ms, one request at a time:"
    yield f"{'':<32}{'from stored sums':>18}{'by GraphQL':>18}{'recount by SQL':>18}"
    for year in result.years:
        cells = "".join(f"{both(each):>18}" for each in (year.stored, year.graphql, year.recount))
        verdict = "" if year.stored.p50 < PROMISED else f"  over {PROMISED:.0f} ms"
        yield f"  {f'{year.timezone} by {year.group.lower()}':<30}{cells}{verdict}"
    yield ""
    yield f"Ready after {result.serve_seconds:.2f} s (serve), {result.develop_seconds:.2f} s (develop)"
    yield f"Memory under load: {result.resident_mib:.0f} MiB"


def both(latency: Latency) -> str:
    return f"{latency.p50:.1f} {latency.p99:>8.1f}"


def beside(one: Comparison, name: str) -> str:
    return f"{figure(one.gateway, name)} {figure(one.hand_written, name):>7}".rjust(16)


def figure(figures: Figures, name: str) -> str:
    value: float = getattr(figures, name)
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"
