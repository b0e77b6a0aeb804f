import asyncio
from collections.abc import Awaitable, Callable

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.account import BillingAccount
from domain.payment_status import PaymentStatus
from persistence import schema
from persistence.engine import create_engine
from persistence.unit_of_work import SqlDatabase
from tests.domain.values import NOON, OWNER, a_payment

ONLY_ALEMBICS_OWN = 1
MakeDatabase = Callable[[], Awaitable[str]]
LEFT = text(
    "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'"
)
LEFT_FUNCTIONS = text("SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace")


async def left_in(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        relations = await connection.scalar(LEFT)
        return int(relations or 0) + int(await connection.scalar(LEFT_FUNCTIONS) or 0)


class TestMigrations:
    async def test_lead_down_to_nothing_and_up_again(self, fresh_database: MakeDatabase) -> None:
        address = await fresh_database()
        engine = create_engine(address)
        assert await schema.current_revision(engine) == schema.wanted_revision()

        await asyncio.to_thread(command.downgrade, schema.configuration(address), "base")
        assert (await schema.current_revision(engine), await left_in(engine)) == (None, ONLY_ALEMBICS_OWN)
        await asyncio.to_thread(schema.migrate, address)

        await asyncio.to_thread(schema.migrate, address)
        assert await schema.current_revision(engine) == schema.wanted_revision()
        await asyncio.to_thread(command.check, schema.configuration(address))
        await engine.dispose()

    async def test_remember_why_payments_failed_and_have_what_is_there_counted(
        self, fresh_database: MakeDatabase
    ) -> None:
        address = await fresh_database()
        database = SqlDatabase(create_engine(address))
        failed = a_payment(status=PaymentStatus.FAILED, decline_code="expired_card", method_brand="visa")
        async with database.work() as work:
            await work.accounts.ensure(BillingAccount(user_id=OWNER, created_at=NOON, updated_at=NOON))
            await work.payments.add(failed)

        await asyncio.to_thread(command.downgrade, schema.configuration(address), "0003")
        await asyncio.to_thread(schema.migrate, address)

        async with database.reads() as reads:
            payment = await reads.payments.get(failed.id)
            jobs = await reads._connection.scalar(text("SELECT string_agg(entrypoint, ' ') FROM pgqueuer"))
        await database.close()
        assert payment is not None
        [failure] = payment.failed_attempts
        assert (failure.at, failure.code, failure.brand) == (NOON, "expired_card", "visa")
        assert jobs == "rebuild_statistics"

    def test_end_where_the_program_expects_it(self) -> None:
        scripts = ScriptDirectory.from_config(schema.configuration())

        assert scripts.get_heads() == [schema.wanted_revision()]

    async def test_that_never_ran_leave_no_revision(self, fresh_database: MakeDatabase) -> None:
        engine = create_engine(await fresh_database())
        async with engine.begin() as connection:
            await connection.execute(text("DROP TABLE alembic_version"))

        assert await schema.current_revision(engine) is None

        await engine.dispose()
