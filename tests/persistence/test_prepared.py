"""Reads that go straight to the driver."""

import asyncio
from contextlib import suppress
from typing import cast

import pytest
from sqlalchemy import bindparam, select, text

from domain.payment import Payment
from domain.ports import ALL, Database, Glance, Related, Shown
from persistence.joined import joined_with
from persistence.keyring import NO_KEYS
from persistence.payments import TABLE as PAYMENTS
from persistence.prepared import Prepared, prepared
from persistence.tables import OperationRow, PlanRow, table_of
from persistence.unit_of_work import NAMED, SqlDatabase
from tests.domain.values import a_payment
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("owner")

SLEEP = Prepared(text="SELECT pg_sleep(8)", parameters=())
SLEEPING = text(
    "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query = 'SELECT pg_sleep(8)'"
)


class TestPrepared:
    def test_misses_a_value_that_is_not_given(self) -> None:
        """SQLAlchemy would say so; the driver would take NULL for it, and find nothing or everything."""
        statement = prepared(select(PAYMENTS.c.id).where(PAYMENTS.c.user_id == bindparam("owner")).limit(3))

        assert statement is not None
        assert statement.values({"owner": None})[0] is None
        with pytest.raises(KeyError, match="owner"):
            statement.values({})


class TestJoined:
    def test_is_nothing_whose_owner_the_row_does_not_tell(self) -> None:
        operations, plans = table_of(OperationRow), table_of(PlanRow)
        related = [Related("object_id", Payment, frozenset({"amount"}))]

        _, of_operations = joined_with(select(operations.c.id), operations, related, NAMED, NO_KEYS)
        _, of_plans = joined_with(select(plans.c.id), plans, related, NAMED, NO_KEYS)

        assert (list(of_operations), list(of_plans)) == ([], [])


class TestShown:
    async def test_is_all_that_there_is_of_what_was_read(self, database: Database) -> None:
        payment = a_payment()
        async with database.work() as work:
            await work.payments.add(payment)
        shown = Shown({Payment: Glance(frozenset({"amount"}))})

        async with database.reads(shown) as reads:
            found = await reads.payments.by_ids([payment.id], owner=payment.user_id)

        assert (found[payment.id].id, found[payment.id].amount) == (payment.id, payment.amount)
        with pytest.raises(AttributeError):
            _ = found[payment.id].currency

    async def test_where_it_is_all_equals_what_was_written(self, database: Database) -> None:
        payment = a_payment()
        async with database.work() as work:
            await work.payments.add(payment)
            written = await work.payments.get(payment.id)

        async with database.reads(ALL) as reads:
            assert await reads.payments.get(payment.id) == written


class TestCutOff:
    async def test_statement_ends_in_the_database_too(self, database: Database) -> None:
        made = cast("SqlDatabase", database)

        async def sleep() -> None:
            async with made.reads() as reads:
                connection = reads.payments._connection
                await connection.fetch(SLEEP, {})  # type: ignore[attr-defined]  # Of reads it has it.

        async def sleeping() -> int:
            async with made.reads() as reads:
                found: int = await reads._connection.scalar(SLEEPING)
                return found

        async def nobody_sleeps() -> bool:
            return await sleeping() == 0

        task = asyncio.create_task(sleep())
        await until(sleeping)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

        await until(nobody_sleeps, seconds=4)
