import asyncio

from sqlalchemy import text

from domain.paging import Slice
from domain.payment_list import PaymentFilter, PaymentOrder
from domain.ports import Database
from gateway.wiring import Gateway
from persistence.statements import SENT
from tests.domain.values import NOON, OWNER, an_event


async def read(database: Database) -> None:
    async with database.reads() as reads:
        await reads.accounts.get(OWNER)


class TestCounted:
    async def test_are_the_statements_by_the_table_that_each_names(self, gateway: Gateway) -> None:
        database = gateway.services.database

        with database.counted() as statements:
            async with database.work() as work:
                await work.accounts.lock(OWNER)
                await work.operations.drop_expired(at=NOON)
            async with database.reads() as reads:
                await reads.payments.counts_for([OWNER], PaymentFilter())
                await reads.payments.listed_for([OWNER], PaymentFilter(), PaymentOrder(), Slice())
            async with gateway.engine.connect() as connection:
                await connection.execute(text("SELECT 1"))

        assert statements == {"billing_accounts": 1, "operations": 1, "payments": 2, "-": 1}

    async def test_are_those_of_all_tasks_that_began_meanwhile(self, database: Database) -> None:
        with database.counted() as statements:
            await asyncio.gather(read(database), asyncio.create_task(read(database)))

        assert statements == {"billing_accounts": 2}

    async def test_are_nobody_elses(self, database: Database) -> None:
        may_go_on = asyncio.Event()

        async def other() -> None:
            await may_go_on.wait()
            await read(database)

        task = asyncio.create_task(other())
        with database.counted() as statements:
            may_go_on.set()
            await task

        assert statements == {}

    async def test_end_with_the_counting(self, database: Database) -> None:
        with database.counted() as statements:
            await read(database)
        await read(database)

        assert statements == {"billing_accounts": 1}

    async def test_include_jobs_that_go_past_sqlalchemy(self, database: Database) -> None:
        event = an_event()

        with database.counted() as statements:
            async with database.work() as work:
                await work.inbox.add_all([event])
                await work.jobs.handle_events([event.id])

        assert statements == {"inbox_events": 1, "pgqueuer": 1}

    async def test_cost_nothing_before_somebody_asks(self, gateway: Gateway) -> None:
        await read(gateway.services.database)

        assert not list(getattr(gateway.engine.sync_engine.dispatch, SENT))
