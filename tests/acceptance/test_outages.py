"""PostgreSQL goes away and comes back under the running server; the worker runs beside it or apart."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from domain.actor import Actor
from gateway.embedded_postgres import EmbeddedPostgres
from persistence.schema import migrate
from tests.acceptance.processes import free_port
from tests.acceptance.world import World, world
from tests.waiting import until

HANDLED = "SELECT count(*) FROM inbox_events WHERE status = 'HANDLED'"
WAITING = "SELECT count(*) FROM inbox_events WHERE status = 'RECEIVED'"


@pytest.fixture
async def own_postgres(tmp_path: Path) -> AsyncIterator[EmbeddedPostgres]:
    """A server that a test may stop."""
    postgres = EmbeddedPostgres(tmp_path / "postgres", durable=False)
    await asyncio.to_thread(postgres.start)
    try:
        await asyncio.to_thread(postgres.ensure_database, "payments")
        await asyncio.to_thread(migrate, postgres.url("payments"))
        yield postgres
    finally:
        await asyncio.to_thread(postgres.stop)


class TestRestartOfPostgres:
    async def test_is_survived_by_server_and_worker(
        self, own_postgres: EmbeddedPostgres, tmp_path: Path, user: Actor
    ) -> None:
        async with world(tmp_path, own_postgres.url("payments")) as made:
            await made.serve()
            api = made.api(user)
            await api.add_card()

            await asyncio.to_thread(own_postgres.stop)
            await until(lambda: has_status(made, "/readyz", 503))
            refused = await api.post("{ viewer { id } }")
            assert await made.status("/healthz") == 200
            await asyncio.to_thread(own_postgres.start)
            await until(lambda: has_status(made, "/readyz", 200))

            assert refused.status_code in {200, 503}
            assert refused.json()["errors"][0]["extensions"]["code"] == "INTERNAL_ERROR"
            handled = await made.value(HANDLED)
            assert (await api.pay())["status"] == "COMPLETED"
            await until(lambda: more_handled(made, handled))
            assert not made.gateway.has_ended


async def has_status(world: World, path: str, status: int) -> bool:
    assert await world.status("/healthz") == 200
    return await world.status(path) == status


async def more_handled(world: World, than: int) -> bool:
    count: int = await world.value(HANDLED)
    return count > than


class TestWorkerApart:
    async def test_handles_what_a_server_without_one_has_stored(
        self, fresh_world: World, user: Actor
    ) -> None:
        await fresh_world.serve(RUN_WORKER="false")
        api = fresh_world.api(user)
        await api.add_card()
        await api.pay()
        await until(lambda: fresh_world.value(WAITING))
        assert await fresh_world.value(HANDLED) == 0

        worker = fresh_world.start("worker")

        await until(lambda: fresh_world.value(HANDLED))
        worker.process.terminate()
        assert await worker.ended() == 0

    async def test_tells_its_metrics(self, fresh_world: World) -> None:
        port = free_port()
        fresh_world.start("worker", METRICS_PORT=str(port))

        async def told() -> bool:
            try:
                answer = await fresh_world.http.get(f"http://127.0.0.1:{port}/metrics")
            except httpx2.TransportError:
                return False
            return "payments_database_up 1.0" in answer.text

        await until(told)


class TestTerminationWithoutPostgres:
    async def test_does_not_wait_for_it(self, own_postgres: EmbeddedPostgres, tmp_path: Path) -> None:
        async with world(tmp_path, own_postgres.url("payments")) as made:
            await made.serve()
            await asyncio.to_thread(own_postgres.stop)
            await until(lambda: has_status(made, "/readyz", 503))

            made.gateway.process.terminate()

            assert await made.gateway.ended(seconds=10) == 0
