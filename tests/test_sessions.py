"""The tests of the check that all tests with a gateway undergo (tests/parts.py)."""

from collections.abc import Sequence

import pytest
from sqlalchemy import text

from domain.identity import new_id
from gateway.wiring import Gateway
from tests.sessions import left_behind


class TestLeftBehind:
    async def test_is_nothing_by_reads_and_work(self, gateway: Gateway) -> None:
        async with gateway.services.database.work() as work:
            await work.payments.lock(new_id())
        async with gateway.services.database.reads() as reads:
            await reads.payments.get(new_id())

        assert await left_behind(gateway.engine) == []

    @pytest.mark.parametrize(
        ("statement", "undone", "told"),
        [
            ("SET work_mem = '5MB'", "RESET work_mem", ["setting work_mem = 5120"]),
            ("SET lock_timeout = 0", "RESET lock_timeout", ["setting lock_timeout = 0"]),
            ("SELECT pg_advisory_lock(7)", "SELECT pg_advisory_unlock(7)", ["lock 7"]),
            ("LISTEN news", "UNLISTEN news", ["channel news"]),
            ("CREATE TEMPORARY TABLE heap ()", "DROP TABLE heap", ["temporary heap"]),
        ],
    )
    async def test_is_told(self, gateway: Gateway, statement: str, undone: str, told: Sequence[str]) -> None:
        engine = gateway.engine.execution_options(isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            await connection.execute(text(statement))

        found = await left_behind(gateway.engine)

        async with engine.connect() as connection:
            await connection.execute(text(undone))
        assert found == told
