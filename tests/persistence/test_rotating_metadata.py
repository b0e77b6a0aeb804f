"""Metadata under the current key, beside servers that go on reading and writing."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Final
from uuid import UUID

import pytest
from sqlalchemy import text

from domain.account import BillingAccount
from domain.payment import Payment
from domain.ports import Database
from gateway.wiring import Gateway
from persistence.engine import create_engine
from persistence.keyring import Keyring, key_id_of
from persistence.operations import OperationRepository
from persistence.payments import PaymentRepository
from persistence.resealing import HOLDERS, Resealing, Tally
from persistence.sealing import Holder
from persistence.unit_of_work import SqlDatabase
from tests.domain.values import a_payment, an_operation
from tests.persistence.keys import CURRENT, FORMER, LOST, database_with

PAYMENTS: Final = PaymentRepository.holder
BOTH: Final = f"{CURRENT},{FORMER}"
IN_THE_CLEAR = text("UPDATE payments SET details = '{\"n\": 99}', sealed_details = NULL WHERE id = :id")
ROUNDS = 20


@pytest.fixture
async def rotation(gateway: Gateway) -> AsyncIterator[Resealing]:
    """Of two rows at a time, so that a few make many windows."""
    engine = create_engine(gateway.settings.database_url, pool_size=2)
    yield Resealing(engine, Keyring.read(BOTH), window=2, pause=0.01)
    await engine.dispose()


async def rotated(rotation: Resealing, holder: Holder = PAYMENTS) -> Tally:
    tallies = [tally async for tally in rotation.moved(holder)]
    return tallies[-1]


async def some_payments(url: str, keys: str, *, count: int = 5) -> list[Payment]:
    payments = [a_payment(details={"n": number}) for number in range(count)]
    async with database_with(url, keys) as database, database.work() as work:
        for payment in payments:
            await work.payments.add(payment)
    return payments


async def keys_in(gateway: Gateway, table: str = "payments") -> Counter[str]:
    async with gateway.engine.connect() as connection:
        envelopes = await connection.scalars(text(f"SELECT sealed_details FROM {table}"))  # noqa: S608
        return Counter("none" if each is None else key_id_of(each) for each in envelopes)


async def numbers(url: str, payments: list[Payment], keys: str = CURRENT) -> list[object]:
    async with database_with(url, keys) as database, database.reads() as reads:
        found = await reads.payments.by_ids([each.id for each in payments], owner=None)
    return [found[each.id].details["n"] for each in payments]


class TestRotation:
    async def test_brings_everything_under_the_current_key(
        self, gateway: Gateway, owner: BillingAccount, rotation: Resealing
    ) -> None:
        url = gateway.settings.database_url
        payments = await some_payments(url, FORMER)
        async with gateway.engine.begin() as connection:
            await connection.execute(IN_THE_CLEAR, {"id": payments[3].id})

        tally = await rotated(rotation)

        assert (tally.looked_at, tally.moved, tally.left) == (5, 5, {})
        assert await keys_in(gateway) == {"current": 5}
        assert await numbers(url, payments) == [0, 1, 2, 99, 4]

    async def test_of_what_operations_keep_leaves_their_other_arguments(
        self, gateway: Gateway, rotation: Resealing
    ) -> None:
        operation = an_operation(arguments={"subscription_id": "s", "details": {"n": 1}})
        async with database_with(gateway.settings.database_url, FORMER) as before, before.work() as work:
            await work.operations.add(operation)

        tally = await rotated(rotation, OperationRepository.holder)

        async with database_with(gateway.settings.database_url, CURRENT) as now, now.reads() as reads:
            found = await reads.operations.get(operation.id)
        assert (tally.moved, tally.left) == (1, {})
        assert found is not None
        assert found.arguments == operation.arguments

    async def test_takes_in_every_table_that_holds_metadata(self, gateway: Gateway) -> None:
        async with gateway.engine.connect() as connection:
            tables = await connection.scalars(
                text("SELECT table_name FROM information_schema.columns WHERE column_name = 'sealed_details'")
            )

            assert sorted(tables) == sorted(holder.table.name for holder in HOLDERS)

    async def test_that_is_repeated_changes_nothing(
        self, gateway: Gateway, owner: BillingAccount, rotation: Resealing
    ) -> None:
        await some_payments(gateway.settings.database_url, BOTH)

        tally = await rotated(rotation)

        assert (tally.looked_at, tally.moved, tally.left) == (5, 0, {})

    async def test_that_is_cut_short_is_taken_up_by_the_next(
        self, gateway: Gateway, owner: BillingAccount, rotation: Resealing
    ) -> None:
        url = gateway.settings.database_url
        payments = await some_payments(url, FORMER)
        async for _ in rotation.moved(PAYMENTS):
            break
        assert await keys_in(gateway) == {"current": 2, "former": 3}

        tally = await rotated(rotation)

        assert (tally.moved, tally.left) == (3, {})
        assert await numbers(url, payments) == [0, 1, 2, 3, 4]

    async def test_names_the_key_of_what_it_cannot_open_and_leaves_it(
        self, gateway: Gateway, owner: BillingAccount, rotation: Resealing
    ) -> None:
        url = gateway.settings.database_url
        await some_payments(url, FORMER, count=3)
        lost = await some_payments(url, LOST, count=2)

        tally = await rotated(rotation)

        assert (tally.moved, tally.left) == (3, {"lost": 2})
        assert await numbers(url, lost, LOST) == [0, 1]

    async def test_waits_for_nobody_and_counts_what_somebody_holds(
        self, gateway: Gateway, database: Database, owner: BillingAccount, rotation: Resealing
    ) -> None:
        url = gateway.settings.database_url
        held, *_ = await some_payments(url, FORMER)

        async with database.work() as work:
            await work.payments.lock(held.id)
            tally = await rotated(rotation)

        assert (tally.moved, tally.left) == (4, {"former": 1})
        assert (await rotated(rotation)).left == {}


class TestBesideWriters:
    async def test_nothing_is_lost(
        self, gateway: Gateway, owner: BillingAccount, rotation: Resealing
    ) -> None:
        """Servers under both keys change metadata and all else, while it is rotated over and over."""
        url = gateway.settings.database_url
        payments = await some_payments(url, FORMER, count=6)
        done = asyncio.Event()

        async with database_with(url, f"{FORMER},{CURRENT}") as old, database_with(url, BOTH) as new:
            rotating = asyncio.create_task(rotate_until(done, rotation))
            await asyncio.gather(
                *(count_up(old if index % 2 else new, each.id) for index, each in enumerate(payments)),
                *(touch(new if index % 2 else old, each.id) for index, each in enumerate(payments)),
            )
            done.set()
            await rotating
        tally = await rotated(rotation)

        assert tally.left == {}
        assert await numbers(url, payments) == [index + ROUNDS for index in range(6)]
        async with gateway.services.database.reads() as reads:
            found = [await reads.payments.get(each.id) for each in payments]
        assert {each.version for each in found if each} == {1 + 2 * ROUNDS}


async def rotate_until(done: asyncio.Event, rotation: Resealing) -> None:
    while not done.is_set():
        async for _ in rotation.moved(PAYMENTS):
            pass


async def count_up(database: SqlDatabase, payment_id: UUID) -> None:
    """New metadata, made of the one that is there."""
    for _ in range(ROUNDS):
        async with database.work() as work:
            held = await work.payments.lock(payment_id)
            assert held is not None
            number = int(str(held.details["n"]))
            await work.payments.save(replace(held, details={"n": number + 1}, version=held.version + 1))


async def touch(database: SqlDatabase, payment_id: UUID) -> None:
    """Anything but its metadata."""
    for _ in range(ROUNDS):
        async with database.work() as work:
            held = await work.payments.lock(payment_id)
            assert held is not None
            await work.payments.save(replace(held, version=held.version + 1))
