import asyncio
from collections.abc import Awaitable, Callable

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from persistence import schema
from persistence.engine import create_engine

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

    def test_end_where_the_program_expects_it(self) -> None:
        scripts = ScriptDirectory.from_config(schema.configuration())

        assert scripts.get_heads() == [schema.wanted_revision()]

    async def test_that_never_ran_leave_no_revision(self, fresh_database: MakeDatabase) -> None:
        engine = create_engine(await fresh_database())
        async with engine.begin() as connection:
            await connection.execute(text("DROP TABLE alembic_version"))

        assert await schema.current_revision(engine) is None

        await engine.dispose()
