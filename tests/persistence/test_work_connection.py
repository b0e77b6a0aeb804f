"""Transactions whose statements go past SQLAlchemy."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import cast

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.actor import SYSTEM
from domain.audit import audit_record
from domain.errors import DatabaseUnavailable
from domain.identity import new_id
from domain.ports import Database, Work
from gateway.wiring import Gateway
from persistence.engine import create_engine
from persistence.prepared import Parameter, Prepared
from persistence.unit_of_work import SqlDatabase, SqlReads
from persistence.work_connection import WorkConnection, together
from tests.audit import verified
from tests.domain.values import NOON, a_payment

pytestmark = pytest.mark.usefixtures("owner")


class Quit(BaseException):
    """Nobody catches it."""


@pytest.fixture
async def engine(gateway: Gateway) -> AsyncIterator[AsyncEngine]:
    """Of a single connection, which nobody waits for."""
    engine = create_engine(gateway.settings.database_url, pool_size=1, pool_timeout=0.05)
    yield engine
    await engine.dispose()


def connection_of(work: Work) -> WorkConnection:
    return cast("WorkConnection", cast("SqlReads", work)._connection)


async def is_in_transaction(database: Database) -> bool:
    async with database.reads() as reads:
        pooled = await cast("SqlReads", reads)._connection.get_raw_connection()
        return bool(pooled.driver_connection.is_in_transaction())  # type: ignore[union-attr]  # It is open.


class TestEnd:
    @pytest.mark.parametrize("why", [ValueError, Quit])
    async def test_by_an_exception_undoes_what_went_either_way(
        self, engine: AsyncEngine, why: type[BaseException]
    ) -> None:
        database, payment = SqlDatabase(engine), a_payment()

        async def fail() -> None:
            async with database.work() as work:
                await work.payments.add(payment)
                await connection_of(work).execute(text("UPDATE billing_accounts SET forgotten_at = now()"))
                await work.payments.save(payment)
                raise why

        with suppress(ValueError, Quit):
            await fail()

        async with database.reads() as reads:
            assert await reads.payments.get(payment.id) is None
            [account] = await reads.accounts.after(None, limit=2)
        assert account.forgotten_at is None
        assert not await is_in_transaction(database)

    async def test_never_leaves_a_transaction_to_others(
        self, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whatever kept it from ending."""
        database, payment = SqlDatabase(engine), a_payment()

        async def nothing(_: WorkConnection) -> None:
            return

        with monkeypatch.context() as broken, suppress(ValueError):
            broken.setattr(WorkConnection, "rollback", nothing)
            async with database.work() as work:
                await work.payments.add(payment)
                await work.payments.save(payment)
                raise ValueError

        assert not await is_in_transaction(database)

    async def test_by_being_cut_off_gives_the_connection_up(self, engine: AsyncEngine) -> None:
        database, payment = SqlDatabase(engine), a_payment()

        async def sleep() -> None:
            async with database.work() as work:
                await work.payments.add(payment)
                await connection_of(work).fetch(Prepared(text="SELECT pg_sleep(9)", parameters=()), {})

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(sleep(), 0.1)

        assert not await is_in_transaction(database)
        async with database.reads() as reads:
            assert await reads.payments.get(payment.id) is None

    async def test_by_a_refusal_of_what_waited_keeps_the_connection(self, engine: AsyncEngine) -> None:
        database, payment = SqlDatabase(engine), a_payment()
        async with database.work() as work:
            await work.payments.add(payment)
        before = engine.pool.checkedin()  # type: ignore[attr-defined]  # Of a pool with a queue.

        with pytest.raises(IntegrityError):
            async with database.work() as work:
                await work.payments.add(payment)

        assert engine.pool.checkedin() == before == 1  # type: ignore[attr-defined]  # As above.
        assert not await is_in_transaction(database)

    @pytest.mark.parametrize("way", ["exec_driver_sql", "stream", "begin", "begin_nested", "run_sync"])
    async def test_is_not_passed_by(self, database: Database, way: str) -> None:
        """What went another way would stay where the transaction is undone."""
        async with database.work() as work:
            with pytest.raises(RuntimeError, match="outside of the transaction"):
                getattr(connection_of(work), way)("UPDATE billing_accounts SET forgotten_at = now()")

    async def test_is_an_error_where_one_was_passed_over(self, database: Database) -> None:
        """PostgreSQL answers such a COMMIT with ROLLBACK, as if that were no failure."""
        payment = a_payment()
        async with database.work() as work:
            await work.payments.add(payment)

        async def pass_over() -> None:
            async with database.work() as work:
                with suppress(IntegrityError):
                    await work.payments.save(a_payment(id=payment.id, payment_method_id=new_id()))

        with pytest.raises(DBAPIError, match="rolled back"):
            await pass_over()

    async def test_of_a_transaction_that_was_lost_is_an_outage(self, engine: AsyncEngine) -> None:
        database = SqlDatabase(engine)

        async def lose() -> None:
            async with database.work() as work:
                await work.payments.get(new_id())
                connection_of(work)._driver.terminate()

        with pytest.raises(DatabaseUnavailable):
            await lose()


class TestAddedRows:
    async def test_wait_for_the_next_statement_and_go_with_it(self, database: Database) -> None:
        payment = a_payment()
        record = audit_record("payment.created", None, payment, at=NOON, by=SYSTEM)

        with database.counted() as statements:
            async with database.work() as work:
                await work.payments.add(payment)
                await work.audit.add(record)
                assert statements == {}
                assert await work.payments.get(payment.id) == payment
                assert statements == {"audit_records": 1, "payments": 1}

    async def test_wait_for_the_end_where_nothing_else_comes(self, database: Database) -> None:
        payment = a_payment()

        async with database.work() as work:
            await work.payments.add(payment)

        async with database.reads() as reads:
            assert await reads.payments.get(payment.id) == payment

    async def test_wait_on_where_what_came_next_could_not_be_sent(self, database: Database) -> None:
        payment, unfit = a_payment(), Parameter(name="id", is_constant=False, constant=None, convert=None)
        async with database.work() as work:
            await work.payments.add(payment)
            with suppress(KeyError):
                await connection_of(work).write_together(Prepared(text="SELECT $1", parameters=[unfit]), {})

        async with database.reads() as reads:
            assert await reads.payments.get(payment.id) == payment

    async def test_are_there_before_a_job_about_them_is(self, database: Database, gateway: Gateway) -> None:
        async with database.work() as work:
            await work.payments.add(a_payment())
            await work.jobs.keep_default_in_step(new_id())

        async with gateway.engine.connect() as connection:
            assert await connection.scalar(text("SELECT count(*) FROM pgqueuer")) == 1

    async def test_of_one_chain_follow_each_other(self, database: Database) -> None:
        payment = a_payment()

        async with database.work() as work:
            for action in ("payment.created", "payment.completed", "payment.refunded"):
                await work.audit.add(audit_record(action, None, payment, at=NOON, by=SYSTEM))

        assert (await verified(database))[1] == []

    async def test_that_are_refused_take_all_with_them(self, database: Database) -> None:
        good, bad = a_payment(), a_payment(payment_method_id=new_id())

        async def add() -> None:
            async with database.work() as work:
                await work.payments.add(good)
                await work.payments.add(bad)

        with pytest.raises(IntegrityError, match="fk_payments_payment_method_id"):
            await add()

        async with database.reads() as reads:
            assert await reads.payments.get(good.id) is None


class TestTogether:
    def test_numbers_the_parameters_of_each_statement_after_those_before_it(self) -> None:
        parameter = Parameter(name="x", is_constant=True, constant=1, convert=None)
        one = Prepared(text="INSERT INTO a VALUES ($1, $2)", parameters=[parameter] * 2)
        two = Prepared(text="WITH x AS (SELECT $1) INSERT INTO b SELECT * FROM x", parameters=())

        assert together(two) == two.text
        assert together(one, two) == (
            "WITH written_0 AS (INSERT INTO a VALUES ($1, $2)), x AS (SELECT $3) INSERT INTO b SELECT * FROM x"
        )
        assert together(one, one) == (
            "WITH written_0 AS (INSERT INTO a VALUES ($1, $2)) INSERT INTO a VALUES ($3, $4)"
        )
