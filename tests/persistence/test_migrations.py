import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Uuid, bindparam, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.account import BillingAccount
from domain.identity import new_id
from domain.operation import ObjectKind
from domain.payment_status import PaymentStatus
from persistence import schema
from persistence.engine import create_engine
from persistence.unit_of_work import SqlDatabase
from tests.audit import verified
from tests.domain.values import NOON, OWNER, a_payment
from tests.waiting import until

OLD_RECORD = text(
    """
    INSERT INTO audit_records (id, at, actor_role, actor_id, request_id, action, object_kind, object_id, changes)
    VALUES (:id, :at, 'USER', gen_random_uuid(), 'request ☕',
        'test.' || CAST(:number AS integer), 'PAYMENT', :thing,
        '{"amount": [null, 1.0], "note": "é \\"☕\\" \\\\", "b": [1e16, 18446744073709551615], "a": [5e-324, {}]}')
    """
).bindparams(bindparam("id", type_=Uuid()), bindparam("thing", type_=Uuid()))
NEW_RECORD = text(
    """
    INSERT INTO audit_records (id, at, actor_role, request_id, action, object_kind, object_id, changes)
    VALUES (gen_random_uuid(), now(), 'SYSTEM', 'request', 'subscription.started', 'SUBSCRIPTION',
        gen_random_uuid(), '{}')
    """
)
EVENT_OF_SERVERS_BEFORE_0008 = text(
    """
    INSERT INTO inbox_events (id, processor_event_id, type, livemode, api_version, payload, status, attempts,
        last_error, occurred_at, received_at, handled_at)
    VALUES (gen_random_uuid(), 'evt_1', 'charge.updated', false, 'x', '{}', 'RECEIVED', 0, NULL, now(), now(), NULL)
    RETURNING via
    """
)

ONLY_ALEMBICS_OWN = 1
MakeDatabase = Callable[[], Awaitable[str]]
LEFT = text(
    "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'"
)
WAITERS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
)
LEFT_FUNCTIONS = text("SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace")


async def left_in(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        relations = await connection.scalar(LEFT)
        return int(relations or 0) + int(await connection.scalar(LEFT_FUNCTIONS) or 0)


async def upgraded(address: str) -> int:
    """The exit code of a process of its own, since alembic knows one migration per process."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "alembic", "upgrade", "head"),
        cwd=schema.MIGRATIONS.parent,
        env={**os.environ, "DATABASE_URL": address},
    )
    return await process.wait()


async def is_waited_for(engine: AsyncEngine, *, is_waiting: bool = True) -> bool:
    """Whether somebody waits for a lock."""
    async with engine.connect() as connection:
        return bool(await connection.scalar(WAITERS)) is is_waiting


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

    async def test_that_fail_leave_those_before_them_done(self, fresh_database: MakeDatabase) -> None:
        address = await fresh_database()
        engine = create_engine(address)
        await asyncio.to_thread(command.downgrade, schema.configuration(address), "0003")
        async with engine.begin() as connection:
            await connection.execute(text("CREATE TABLE statistics_deltas ()"))

        with pytest.raises(ProgrammingError, match="statistics_deltas"):
            await asyncio.to_thread(schema.migrate, address)

        assert await schema.current_revision(engine) == "0004"
        async with engine.begin() as connection:
            await connection.execute(text("DROP TABLE statistics_deltas"))
        await asyncio.to_thread(schema.migrate, address)
        assert await schema.current_revision(engine) == schema.wanted_revision()
        await engine.dispose()

    async def test_let_others_through_and_try_again_where_a_table_is_in_use(
        self, fresh_database: MakeDatabase
    ) -> None:
        address = await fresh_database()
        engine = create_engine(address)
        await asyncio.to_thread(command.downgrade, schema.configuration(address), "0006")

        async with engine.begin() as user:
            await user.execute(text("LOCK TABLE entitlements IN ROW EXCLUSIVE MODE"))
            migrating = asyncio.create_task(asyncio.to_thread(schema.migrate, address))
            await until(lambda: is_waited_for(engine))
            await until(lambda: is_waited_for(engine, is_waiting=False))
            assert not migrating.done()
        await migrating

        assert await schema.current_revision(engine) == schema.wanted_revision()
        await engine.dispose()

    async def test_try_again_where_a_server_wants_what_they_have_and_they_what_it_has(
        self, fresh_database: MakeDatabase
    ) -> None:
        address = await fresh_database()
        engine = create_engine(address)
        await asyncio.to_thread(command.downgrade, schema.configuration(address), "0009")

        async with engine.begin() as server:
            await server.execute(text("SET LOCAL deadlock_timeout = '1min'"))
            await server.execute(text("LOCK TABLE operations IN ROW EXCLUSIVE MODE"))
            migrating = asyncio.create_task(asyncio.to_thread(schema.migrate, address))
            await until(lambda: is_waited_for(engine))
            await server.execute(text("LOCK TABLE audit_records IN ROW EXCLUSIVE MODE"))
        await migrating

        assert await schema.current_revision(engine) == schema.wanted_revision()
        await engine.dispose()

    async def test_let_who_adds_an_audit_record_go_on_to_the_account(
        self, fresh_database: MakeDatabase
    ) -> None:
        address = await fresh_database()
        engine = create_engine(address)
        await asyncio.to_thread(command.downgrade, schema.configuration(address), "0015")

        async with engine.begin() as server:
            await server.execute(text("LOCK TABLE audit_records IN ROW EXCLUSIVE MODE"))
            migrating = asyncio.create_task(asyncio.to_thread(schema.migrate, address))
            await until(lambda: is_waited_for(engine))
            await server.execute(text("SET LOCAL lock_timeout = '100ms'"))
            await server.execute(text("LOCK TABLE billing_accounts IN ROW EXCLUSIVE MODE"))
            assert not migrating.done()
        await migrating

        assert await schema.current_revision(engine) == schema.wanted_revision()
        await engine.dispose()

    async def test_of_two_at_once_run_one_after_the_other(self, fresh_database: MakeDatabase) -> None:
        address = await fresh_database()
        await asyncio.to_thread(command.downgrade, schema.configuration(address), "base")

        codes = await asyncio.gather(upgraded(address), upgraded(address))

        assert list(codes) == [0, 0]

    async def test_chain_the_records_that_are_there_already_in_the_order_of_their_time(
        self, fresh_database: MakeDatabase
    ) -> None:
        address = await fresh_database()
        engine = create_engine(address)
        await asyncio.to_thread(command.downgrade, schema.configuration(address), "0003")
        async with engine.begin() as connection:
            for number in (3, 0, 4, 2, 1):
                at = NOON + timedelta(microseconds=123456 + number // 3)
                record = {"id": UUID(int=number), "at": at, "thing": UUID(int=number % 2), "number": number}
                await connection.execute(OLD_RECORD, record)

        await asyncio.to_thread(schema.migrate, address)

        database = SqlDatabase(engine)
        verification, wrong = await verified(database)
        assert (verification.records, verification.chains, wrong) == (5, 2, [])
        async with database.work() as work:
            first, second, third = await work.audit.of_object(ObjectKind.PAYMENT, UUID(int=0))
            await work.audit.add(replace(third, id=new_id()))
        assert [each.action for each in (first, second, third)] == ["test.0", "test.2", "test.4"]
        async with database.snapshot() as reads:
            numbers = [(each.sequence, each.action) async for each in reads.audit.in_chains()]
        assert sorted(numbers) == [
            (1, "test.0"),
            (2, "test.1"),
            (3, "test.2"),
            (4, "test.3"),
            (5, "test.4"),
            (6, "test.4"),
        ]
        assert (await verified(database))[1] == []
        await engine.dispose()

    async def test_do_not_lead_down_where_the_former_tables_have_no_room_for_what_is_there(
        self, fresh_database: MakeDatabase
    ) -> None:
        address = await fresh_database()
        engine = create_engine(address)
        await asyncio.to_thread(command.downgrade, schema.configuration(address), "0003")
        async with engine.begin() as connection:
            await connection.execute(NEW_RECORD)

        with pytest.raises(CommandError, match="restore a backup"):
            await asyncio.to_thread(command.downgrade, schema.configuration(address), "0002")

        assert await schema.current_revision(engine) == "0003"
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

    async def test_let_servers_of_the_version_before_go_on_storing_webhooks(
        self, fresh_database: MakeDatabase
    ) -> None:
        engine = create_engine(await fresh_database())

        async with engine.begin() as connection:
            via = await connection.scalar(EVENT_OF_SERVERS_BEFORE_0008)

        assert via == "WEBHOOK"
        await engine.dispose()

    def test_end_where_the_program_expects_it(self) -> None:
        scripts = ScriptDirectory.from_config(schema.configuration())

        assert scripts.get_heads() == [schema.wanted_revision()]

    async def test_that_never_ran_leave_no_revision(self, fresh_database: MakeDatabase) -> None:
        engine = create_engine(await fresh_database())
        async with engine.begin() as connection:
            await connection.execute(text("DROP TABLE alembic_version"))

        assert await schema.current_revision(engine) is None

        await engine.dispose()
