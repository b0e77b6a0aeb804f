import asyncio
from contextlib import suppress
from typing import cast

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from domain.errors import DatabaseUnavailable
from domain.identity import new_id
from domain.ports import Database
from gateway.settings import Settings
from gateway.wiring import Gateway
from persistence.borrowing import holds_connection
from persistence.engine import create_engine, is_reachable
from persistence.unit_of_work import SqlDatabase, SqlReads
from tests.domain.values import a_payment, an_event

pytestmark = pytest.mark.usefixtures("owner")

TIME_OUTS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
COUNT_JOBS = text("SELECT count(*) FROM pgqueuer")


class Undone(Exception):
    """What ends a transaction early."""


class TestWork:
    async def test_that_fails_leaves_nothing_behind(self, database: Database) -> None:
        payment = a_payment()

        with suppress(Undone):
            async with database.work() as work:
                await work.payments.add(payment)
                raise Undone

        async with database.reads() as reads:
            assert await reads.payments.get(payment.id) is None

    async def test_holds_a_row_until_it_ends(self, database: Database) -> None:
        payment = a_payment()
        async with database.work() as work:
            await work.payments.add(payment)

        async def change() -> None:
            async with database.work() as other:
                locked = await other.payments.lock(payment.id)
                assert locked is not None
                assert locked.description == "first"

        async with database.work() as work:
            await work.payments.lock(payment.id)
            waiting = asyncio.create_task(change())
            await asyncio.sleep(0.1)
            assert not waiting.done()
            await work.payments.save(a_payment(id=payment.id, description="first"))
        await waiting

    async def test_is_known_to_hold_a_connection(self, database: Database) -> None:
        assert not holds_connection()
        async with database.work():
            assert holds_connection()
        async with database.reads():
            assert holds_connection()
        assert not holds_connection()

    async def test_the_processor_is_never_called_within_one(self, gateway: Gateway) -> None:
        async with gateway.services.database.work():
            with pytest.raises(AssertionError, match="while a database connection was held"):
                await gateway.processor.create_customer(new_id(), key="cus_1")


class TestReads:
    async def test_see_what_others_commit_meanwhile(self, database: Database) -> None:
        payment = a_payment()

        async with database.reads() as reads:
            before = await reads.payments.get(payment.id)
            async with database.work() as work:
                await work.payments.add(payment)
            after = await reads.payments.get(payment.id)

        assert (before, after) == (None, payment)

    async def test_open_no_transaction(self, database: Database) -> None:
        async with database.reads() as reads:
            await reads.payments.get(new_id())
            pooled = await cast("SqlReads", reads)._connection.get_raw_connection()
            assert pooled.driver_connection is not None
            assert not pooled.driver_connection.is_in_transaction()


class TestSnapshot:
    async def test_waits_for_a_slow_reader(self, database: Database) -> None:
        async with database.snapshot() as reads:
            connection = cast("SqlReads", reads)._connection
            limits = [await connection.scalar(text(f"SHOW {name}")) for name in TIME_OUTS]

        assert limits == ["0", "0", "0"]

    async def test_that_never_ends_gives_its_connection_back(self, gateway: Gateway) -> None:
        engine = create_engine(gateway.settings.database_url, pool_size=1, pool_timeout=0.05)
        database = SqlDatabase(engine, endurance=0.3)

        with pytest.raises(DatabaseUnavailable):
            async with asyncio.timeout(5), database.snapshot() as reads:
                await reads._connection.execute(text("SELECT pg_sleep(60)"))

        assert await is_reachable(engine)
        await database.close()


class TestRecount:
    async def test_that_never_ends_gives_its_connections_back(self, gateway: Gateway) -> None:
        engine = create_engine(gateway.settings.database_url, pool_size=2, pool_timeout=0.05)
        database = SqlDatabase(engine, endurance=0.3)

        with pytest.raises(DatabaseUnavailable):
            async with asyncio.timeout(5), database.recount() as work:
                await work._connection.execute(text("SELECT pg_sleep(60)"))

        assert await is_reachable(engine)
        await database.close()

    async def test_is_possible_with_the_smallest_pool(self, gateway: Gateway) -> None:
        smallest, *_ = Settings.model_fields["database_pool_size"].metadata
        engine = create_engine(gateway.settings.database_url, pool_size=smallest.ge, pool_timeout=0.05)
        database = SqlDatabase(engine)

        async with database.recount() as work:
            payments = await work.payments.after(None, limit=1)

        assert payments == []
        await database.close()


class TestJobs:
    async def test_vanish_with_their_transaction(self, database: Database, gateway: Gateway) -> None:
        event = an_event()

        with suppress(Undone):
            async with database.work() as work:
                await work.inbox.add_all([event])
                await work.jobs.handle_events([event.id])
                raise Undone

        async with gateway.engine.connect() as connection:
            assert await connection.scalar(COUNT_JOBS) == 0

    async def test_appear_with_their_transaction(self, database: Database, gateway: Gateway) -> None:
        event = an_event()

        async with gateway.engine.connect() as connection:
            async with database.work() as work:
                await work.inbox.add_all([event])
                await work.jobs.handle_events([event.id])
                assert await connection.scalar(COUNT_JOBS) == 0
            assert await connection.scalar(COUNT_JOBS) == 1

    async def test_before_the_fact_that_causes_them_are_refused(self, database: Database) -> None:
        async with database.work() as work:
            with pytest.raises(RuntimeError, match="after the fact that causes it"):
                await work.jobs.handle_events([new_id()])


class TestEngine:
    async def test_gives_up_waiting_for_a_connection(self, gateway: Gateway) -> None:
        engine = create_engine(gateway.settings.database_url, pool_size=1, pool_timeout=0.05)

        async with engine.connect():
            with pytest.raises(PoolTimeout):
                await is_reachable(engine)

        assert await is_reachable(engine)
        await SqlDatabase(engine).close()

    async def test_bounds_every_statement(self, gateway: Gateway) -> None:
        async with gateway.engine.connect() as connection:
            limits = {name: await connection.scalar(text(f"SHOW {name}")) for name in TIME_OUTS}

        assert limits == {
            "statement_timeout": "10s",
            "lock_timeout": "5s",
            "idle_in_transaction_session_timeout": "30s",
        }

    async def test_refuses_a_nul_in_text_rather_than_cutting_it(self, database: Database) -> None:
        with pytest.raises(DBAPIError):
            async with database.work() as work:
                await work.payments.add(a_payment(description="cof\0fee"))
