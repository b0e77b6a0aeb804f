"""Deltas are folded once, whoever writes and folds at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from domain.account import BillingAccount
from domain.actor import Actor
from domain.statistics.facts import Delta, Measure, Traits
from domain.statistics.metrics import StatsMetric
from domain.statistics.question import StatsQuestion
from gateway.wiring import Gateway
from persistence.engine import create_engine
from persistence.tables import BLOCKS, DELTAS, QUARTERS
from persistence.unit_of_work import SqlDatabase
from tests.domain.values import NOON, a_payment

TRAITS = Traits(livemode=False, currency="EUR")
QUESTION = StatsQuestion(
    metrics=[StatsMetric.PAYMENTS_COUNT], since=NOON - timedelta(days=1), until=NOON + timedelta(days=2)
)
WRITERS, EACH = 8, 40


class Undone(Exception):
    """What ends a transaction early."""


def delta(number: int = 0, *, amount: int = 1) -> Delta:
    return Delta(at=NOON + number * timedelta(minutes=15), traits=TRAITS, amounts={Measure.MADE: amount})


@pytest.fixture
async def several(gateway: Gateway) -> AsyncIterator[SqlDatabase]:
    """Connections enough for all of them."""
    engine = create_engine(gateway.settings.database_url, pool_size=2 * WRITERS)
    yield SqlDatabase(engine)
    await engine.dispose()


async def append(database: SqlDatabase, *deltas: Delta) -> None:
    async with database.work() as work:
        await work.statistics.append(deltas)


async def fold(database: SqlDatabase, *, limit: int = 100) -> int:
    async with database.work() as work:
        return await work.statistics.fold(limit=limit)


async def waiting(database: SqlDatabase) -> int:
    async with database.reads() as reads:
        number = await reads._connection.scalar(select(func.count()).select_from(DELTAS))
    return int(number or 0)


async def counted(gateway: Gateway, admin: Actor) -> int:
    [value] = (await gateway.services.statistics.report(admin, QUESTION)).totals
    assert value.number is not None
    return value.number


class TestFolding:
    async def test_moves_so_many_at_most(self, several: SqlDatabase, gateway: Gateway, admin: Actor) -> None:
        await append(several, *(delta(number) for number in range(5)))

        folded = [await fold(several, limit=2) for _ in range(4)]

        assert folded == [2, 2, 1, 0]
        assert await waiting(several) == 0
        assert await counted(gateway, admin) == 5

    async def test_loses_and_doubles_nothing_among_many_writers_and_two_folders(
        self, several: SqlDatabase, gateway: Gateway, admin: Actor
    ) -> None:
        is_over = asyncio.Event()
        seen: list[int] = []

        async def write(writer: int) -> None:
            for number in range(EACH):
                await append(several, delta(writer + number))

        async def keep_folding() -> int:
            folded = 0
            while not is_over.is_set():
                folded += await fold(several, limit=7)
            return folded

        async def keep_looking() -> None:
            while not is_over.is_set():
                seen.append(await counted(gateway, admin))

        others = [asyncio.create_task(each) for each in (keep_folding(), keep_folding(), keep_looking())]
        await asyncio.gather(*(write(writer) for writer in range(WRITERS)))
        is_over.set()
        await asyncio.gather(*others)
        left = await waiting(several)
        await fold(several, limit=1_000)

        assert await counted(gateway, admin) == WRITERS * EACH
        assert left < WRITERS * EACH
        assert seen == sorted(seen)
        assert len(seen) > 3

    async def test_is_undone_with_its_transaction(
        self, several: SqlDatabase, gateway: Gateway, admin: Actor
    ) -> None:
        await append(several, delta())

        with suppress(Undone):
            async with several.work() as work:
                assert await work.statistics.fold(limit=10) == 1
                raise Undone

        assert await waiting(several) == 1
        assert await counted(gateway, admin) == 1

    async def test_leaves_it_to_whoever_folds_already(self, several: SqlDatabase) -> None:
        await append(several, delta())

        async with several.work() as first:
            folded = await first.statistics.fold(limit=10)
            in_the_meantime = await fold(several)

        assert (folded, in_the_meantime) == (1, 0)

    async def test_waits_for_nobody_while_everything_is_counted_anew(self, several: SqlDatabase) -> None:
        await append(several, delta())

        async with several.recount():
            async with asyncio.timeout(2):
                in_the_meantime = await fold(several)
                await append(several, delta())
        afterwards = await fold(several)

        assert (in_the_meantime, afterwards) == (0, 2)


class TestDeltas:
    async def test_appear_with_the_change_that_they_tell_or_not_at_all(
        self, several: SqlDatabase, gateway: Gateway, admin: Actor
    ) -> None:
        with suppress(Undone):
            async with several.work() as work:
                await work.statistics.append([delta()])
                raise Undone

        assert await counted(gateway, admin) == 0

    async def test_that_come_to_nothing_leave_nothing(
        self, several: SqlDatabase, gateway: Gateway, admin: Actor
    ) -> None:
        await append(several, delta(), delta(amount=-1), delta(4, amount=-3), delta(4, amount=5))
        await fold(several)

        async with several.reads() as reads:
            sums = list(await reads._connection.execute(select(QUARTERS.c.made).order_by(QUARTERS.c.at)))

        assert [row.made for row in sums] == [None, 2]
        assert await counted(gateway, admin) == 2

    async def test_are_none_for_a_change_that_counts_nothing(self, several: SqlDatabase) -> None:
        await append(several)

        assert await waiting(several) == 0


class TestRecount:
    async def test_loses_nothing_that_is_written_meanwhile(
        self, several: SqlDatabase, gateway: Gateway, admin: Actor, owner: BillingAccount
    ) -> None:
        before, meanwhile = a_payment(), a_payment()
        async with several.work() as work:
            await work.payments.add(before)
        await append(several, *(delta(number) for number in range(9)))

        async with several.recount() as recount:
            await recount.statistics.clear()
            page = await recount.payments.after(None, limit=10)
            async with several.work() as work:
                await work.payments.add(meanwhile)
                await work.statistics.append([delta()])
            again = await recount.payments.after(None, limit=10)
            seen_by_others = await counted(gateway, admin)
            await recount.statistics.add([delta()])
            await recount.statistics.summarise()

        assert [each.id for each in (*page, *again)] == [before.id, before.id]
        assert seen_by_others == 10
        assert await counted(gateway, admin) == 2

    async def test_leaves_the_former_sums_where_it_fails(
        self, several: SqlDatabase, gateway: Gateway, admin: Actor
    ) -> None:
        await append(several, delta())
        await fold(several)

        with suppress(Undone):
            async with several.recount() as work:
                await work.statistics.clear()
                raise Undone

        assert await counted(gateway, admin) == 1

    async def test_walks_through_all_objects_page_by_page(
        self, several: SqlDatabase, owner: BillingAccount
    ) -> None:
        made = [a_payment() for _ in range(5)]
        async with several.work() as work:
            for payment in made:
                await work.payments.add(payment)

        pages, last = [], None
        async with several.reads() as reads:
            while page := await reads.payments.after(last, limit=2):
                last = page[-1].id
                pages.append(page)

        assert [len(page) for page in pages] == [2, 2, 1]
        assert [payment.id for page in pages for payment in page] == sorted(payment.id for payment in made)


class TestStoredSums:
    async def test_of_longer_blocks_are_the_same_folded_as_made_of_quarters(
        self, several: SqlDatabase
    ) -> None:
        await append(several, *(delta(number) for number in range(0, 300, 7)))
        await fold(several)
        wanted = select(BLOCKS).order_by(*BLOCKS.primary_key)

        async with several.work() as work:
            folded = list(await work._connection.execute(wanted))
            await work.statistics.summarise()
            summarised = list(await work._connection.execute(wanted))

        assert len(folded) > 50
        assert summarised == folded
