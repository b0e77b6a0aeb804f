"""The pool's own account of its idle connections, by which reads know whether they can have one at once."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.wiring import Gateway
from persistence.engine import create_engine
from persistence.pool import CountingPool
from persistence.unit_of_work import SqlDatabase

SIZE = 3


@pytest.fixture
async def engine(gateway: Gateway) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(gateway.settings.database_url, pool_size=SIZE)
    yield engine
    await engine.dispose()


def pool_of(engine: AsyncEngine) -> CountingPool:
    pool = engine.pool
    assert isinstance(pool, CountingPool)
    return pool


class TestIdleConnections:
    async def test_are_those_that_the_pool_holds_whatever_is_cut_off(self, engine: AsyncEngine) -> None:
        database, dice = SqlDatabase(engine), random.Random(7)  # noqa: S311 - a choice, not a secret

        async def use(*, writes: bool, seconds: float) -> None:
            async with database.work() if writes else database.reads() as opened:
                await opened.accounts._connection.execute(text("SELECT 1"))
                await asyncio.sleep(seconds)

        tasks = [
            asyncio.create_task(use(writes=dice.random() < 0.5, seconds=dice.random() / 100))
            for _ in range(60)
        ]
        for task in dice.sample(tasks, 20):
            await asyncio.sleep(0.002)
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

        pool = pool_of(engine)
        assert len(pool._idle) == pool.checkedin() == SIZE
        assert len({id(entry) for entry in pool._idle}) == SIZE

    async def test_are_ready_while_one_is_open(self, engine: AsyncEngine) -> None:
        async with SqlDatabase(engine).reads() as reads:
            assert not pool_of(engine).is_ready
            await reads.accounts.after(None, limit=1)
        assert pool_of(engine).is_ready

    async def test_are_not_ready_once_the_next_was_closed(self, engine: AsyncEngine) -> None:
        async with engine.connect() as connection:
            pooled = await connection.get_raw_connection()
            driver = pooled.driver_connection
        assert driver is not None

        await driver.close()

        assert not pool_of(engine).is_ready
        async with SqlDatabase(engine).reads() as reads:
            assert await reads.accounts.after(None, limit=1) is not None
