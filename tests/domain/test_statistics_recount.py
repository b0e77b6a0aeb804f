"""Whatever happens, the statistics say what a slow recount of the objects says."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from itertools import product
from random import Random

import pytest

from domain.account import BillingAccount
from domain.actor import Actor
from domain.plan import BillingInterval, Plan
from domain.statistics.calendar import StatsInterval
from domain.statistics.metrics import METRICS, StatsDimension, StatsMetric
from domain.statistics.question import StatsQuestion
from domain.statistics.report import StatsReport, StatsValue
from gateway.wiring import Gateway
from persistence.unit_of_work import SqlDatabase
from tests.domain.histories import SPAN, START, Chronicle, a_plan, chance
from tests.domain.recounting import Key, Values, recounted
from tests.domain.values import NOON, OWNER

ZONES = ("UTC", "Europe/Berlin", "Asia/Kolkata", "America/Santiago", "Asia/Kathmandu", "Pacific/Auckland")
GROUPINGS = [
    (),
    (StatsDimension.CURRENCY,),
    *((dimension,) for dimension in StatsDimension if dimension is not StatsDimension.CURRENCY),
    (StatsDimension.BRAND, StatsDimension.CURRENCY),
    (StatsDimension.CURRENCY, StatsDimension.PLAN),
]
Check = Callable[..., Awaitable[int]]


@pytest.fixture
async def plans(gateway: Gateway) -> list[Plan]:
    plans = [
        a_plan(),
        a_plan(interval=BillingInterval.YEAR, amount=9_999),
        a_plan(interval=BillingInterval.WEEK, interval_count=2, amount=505, currency="USD"),
        a_plan(interval=BillingInterval.DAY, amount=100, currency="JPY"),
    ]
    async with gateway.services.database.work() as work:
        await work.accounts.ensure(BillingAccount(user_id=OWNER, created_at=NOON, updated_at=NOON))
        for plan in plans:
            await work.plans.add(plan)
    return plans


def chronicle(gateway: Gateway, plans: list[Plan], seed: int) -> Chronicle:
    return Chronicle(database=SqlDatabase(gateway.engine), random=chance(seed), plans=plans)


def told(report: StatsReport, metric: StatsMetric, grouping: Sequence[StatsDimension]) -> Values:
    """What a report says that is neither zero nor null, as the recount says it."""
    rows: list[tuple[datetime | None, Sequence[StatsValue]]] = [(None, report.totals)]
    rows += [(bucket.start, bucket.values) for bucket in report.buckets]
    return {
        key_of(start, value, grouping): float(value.value)
        for start, values in rows
        for value in values
        if value.metric is metric and value.value
    }


def key_of(start: datetime | None, value: StatsValue, grouping: Sequence[StatsDimension]) -> Key:
    assert [member.dimension for member in value.group] == list(grouping)
    group = {member.dimension: member.name for member in value.group}
    currency = value.currency or group.get(StatsDimension.CURRENCY, "")
    members = [member for dimension, member in group.items() if dimension is not StatsDimension.CURRENCY]
    return start, members[0] if members else "", currency


async def check(gateway: Gateway, admin: Actor, random: Random, *, questions: int) -> None:
    """So many questions, each about all metrics that can be grouped like that, a few at a time."""
    asked = list(product(ZONES, [None, *StatsInterval], GROUPINGS))
    for zone, interval, grouping in random.sample(asked, questions):
        metrics = [each for each in StatsMetric if METRICS[each].dimensions.issuperset(grouping)]
        until = START + SPAN * random.random()
        for some in (metrics[at : at + 3] for at in range(0, len(metrics), 3)):
            question = StatsQuestion(
                metrics=some,
                since=START,
                until=until,
                interval=interval,
                timezone=zone,
                group_by=grouping,
            )
            report = await gateway.services.statistics.report(admin, question)
            for metric in some:
                assert told(report, metric, grouping) == pytest.approx(
                    await recount(gateway, metric, question)
                ), (metric, zone, interval, grouping)


async def recount(gateway: Gateway, metric: StatsMetric, question: StatsQuestion) -> Values:
    async with gateway.engine.connect() as connection:
        return await recounted(
            connection,
            metric,
            bounds=question.bounds,
            interval=question.interval,
            zone=question.timezone,
            group_by=question.group_by,
        )


class TestReport:
    @pytest.mark.parametrize("seed", [1, 2, 3])
    async def test_equals_a_recount_whatever_was_folded(
        self, gateway: Gateway, admin: Actor, plans: list[Plan], seed: int
    ) -> None:
        random = chance(seed)
        lives, statistics = chronicle(gateway, plans, seed), gateway.services.statistics

        await lives.write(payments=40, subscriptions=20)
        await check(gateway, admin, random, questions=10)
        folded = await statistics.fold()
        await check(gateway, admin, random, questions=10)
        await lives.write(payments=30, subscriptions=15)
        await check(gateway, admin, random, questions=20)

        assert folded > 100

    async def test_equals_a_recount_after_a_rebuild(
        self, gateway: Gateway, admin: Actor, plans: list[Plan]
    ) -> None:
        lives, statistics = chronicle(gateway, plans, 4), gateway.services.statistics
        await lives.write(payments=40, subscriptions=20)
        await statistics.fold()
        await lives.write(payments=20, subscriptions=10)

        counted = await statistics.rebuild()
        await check(gateway, admin, chance(4), questions=20)
        await lives.write(payments=20, subscriptions=10)
        await statistics.fold()
        await check(gateway, admin, chance(5), questions=10)

        assert counted > 90

    async def test_equals_a_recount_after_everything_happened_at_once(
        self, gateway: Gateway, admin: Actor, plans: list[Plan]
    ) -> None:
        statistics = gateway.services.statistics
        writers = [chronicle(gateway, plans, seed).write(payments=15, subscriptions=5) for seed in range(5)]
        is_over = asyncio.Event()

        async def keep_folding() -> int:
            folded = 0
            while not is_over.is_set():
                folded += await statistics.fold()
                await asyncio.sleep(0.005)
            return folded

        folders = [asyncio.create_task(keep_folding()) for _ in range(2)]
        rebuilding = asyncio.create_task(statistics.rebuild())
        await asyncio.gather(*writers)
        await rebuilding
        is_over.set()
        folded = await asyncio.gather(*folders)
        await check(gateway, admin, chance(6), questions=15)

        assert sum(folded) > 100
