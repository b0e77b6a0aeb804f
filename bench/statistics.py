"""A year of statistics per day, in groups: from stored sums, as GraphQL answers it, and counted from the payments."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from bench.load import Job, generated_load
from bench.operations import as_admin
from bench.programs import Program
from bench.stack import connected, statistics
from bench.turns import percentile
from domain.actor import Actor, Role
from domain.identity import new_id
from domain.statistics.calendar import StatsInterval
from domain.statistics.metrics import StatsDimension, StatsMetric
from domain.statistics.question import StatsQuestion

SINCE, UNTIL = datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)
"""A year in the middle of the data set, where that is a full one."""
TIMES: Final = 40
ASKED: Final = [
    (zone, dimension)
    for zone in ("UTC", "Europe/Berlin", "Asia/Kolkata")
    for dimension in (StatsDimension.CURRENCY, StatsDimension.BRAND)
]
PROMISED: Final = 20.0
"""Milliseconds from stored sums, at the median: ADR 15 says for which questions."""
REPORT: Final = """
query Year($input: StatsInput!) {
  stats(input: $input) { buckets { start values { group currency money { minor } } } totals { money { minor } } }
}"""
RECOUNT: Final = """
SELECT date_trunc('day', completed_at, $3) AS day, method_brand, currency, sum(captured_amount)
FROM payments WHERE completed_at >= $1 AND completed_at < $2 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """In milliseconds."""

    p50: float
    p99: float


@dataclass(frozen=True, slots=True, kw_only=True)
class YearLatency:
    """`stored` is the answer before it is written as JSON, `graphql` the request over HTTP, one at a time."""

    timezone: str
    group: str
    stored: Latency
    graphql: Latency
    recount: Latency


def year_latencies(gateway: Program, address: str) -> list[YearLatency]:
    return [
        YearLatency(
            timezone=zone,
            group=dimension.value,
            stored=asyncio.run(stored(address, zone, dimension)),
            graphql=over_http(gateway, zone, dimension),
            recount=asyncio.run(recount(address, zone)),
        )
        for zone, dimension in ASKED
    ]


def year_of(zone: str, dimension: StatsDimension) -> StatsQuestion:
    return StatsQuestion(
        metrics=[StatsMetric.GROSS_VOLUME],
        since=SINCE,
        until=UNTIL,
        interval=StatsInterval.DAY,
        timezone=zone,
        group_by=[dimension],
    )


async def stored(address: str, zone: str, dimension: StatsDimension) -> Latency:
    admin = Actor(role=Role.ADMIN, user_id=new_id())
    async with statistics(address) as service:

        async def ask() -> object:
            return await service.report(admin, year_of(zone, dimension))

        return await timed(ask)


def over_http(gateway: Program, zone: str, dimension: StatsDimension) -> Latency:
    given = {
        "metrics": ["GROSS_VOLUME"],
        "from": SINCE.isoformat(),
        "to": UNTIL.isoformat(),
        "interval": "DAY",
        "timezone": zone,
        "groupBy": [dimension.value],
    }
    request = as_admin(REPORT, input=given).decode()
    job = Job(port=gateway.port, requests=[request], connections=1, count=TIMES, seconds=30)
    return latency(generated_load(job).latencies)


async def recount(address: str, zone: str) -> Latency:
    async with connected(address) as connection:

        async def ask() -> object:
            return await connection.fetch(RECOUNT, SINCE, UNTIL, zone)

        return await timed(ask, times=TIMES // 4)


async def timed(ask: Callable[[], Awaitable[object]], *, times: int = TIMES) -> Latency:
    """The first one is for warming up."""
    found = []
    for _ in range(times + 1):
        began = time.perf_counter()
        await ask()
        found.append((time.perf_counter() - began) * 1000)
    return latency(found[1:])


def latency(found: list[float]) -> Latency:
    ordered = sorted(found)
    return Latency(p50=percentile(ordered, 50), p99=percentile(ordered, 99))
