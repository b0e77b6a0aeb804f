"""PostgreSQL goes away and comes back under the running server; the worker runs beside it or apart."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import httpx2
import pytest

from domain.actor import Actor, Role
from domain.identity import new_id
from gateway.embedded_postgres import EmbeddedPostgres
from gql.ids import parsed_id
from persistence.schema import migrate
from tests.acceptance.processes import Program, free_port
from tests.acceptance.world import World, world
from tests.api import EURO, Api, fresh_key, mutation_document
from tests.waiting import until

HANDLED = "SELECT count(*) FROM inbox_events WHERE status = 'HANDLED'"
PAID = "SELECT count(*) FROM payments WHERE status = 'COMPLETED' AND captured_amount = 1250"
UNRESOLVED = "SELECT count(*) FROM operations WHERE state IN ('RUNNING', 'OUTCOME_UNKNOWN')"
WAITING = "SELECT count(*) FROM inbox_events WHERE status = 'RECEIVED'"

PAY = mutation_document("createPayment", "payment { id status } errors { code }")
PASSING: Final = {"UNAVAILABLE", "KEY_IN_PROGRESS", "PROVIDER_UNAVAILABLE"}
"""What a client may hear meanwhile."""
PAUSE: Final = 0.2


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

            assert refused.json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
            handled = await made.value(HANDLED)
            assert (await api.pay())["status"] == "COMPLETED"
            await until(lambda: more_handled(made, handled))
            assert not made.gateway.has_ended
            assert not {"http.unforeseen", "graphql.failed"} & set(events_of(made.gateway))


def events_of(program: Program) -> list[str]:
    """The names of what it logged."""
    return [json.loads(line)["event"] for line in program.written.splitlines()]


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


class TestOutageUnderLoad:
    """Clients that pay, and ask with the same key until they know, while PostgreSQL restarts and then stays away."""

    async def test_charges_nobody_twice_and_loses_nothing(
        self, own_postgres: EmbeddedPostgres, tmp_path: Path
    ) -> None:
        async with world(tmp_path, own_postgres.url("payments")) as made:
            await made.serve()
            clients = [PayingClient(api=made.api(Actor(role=Role.USER, user_id=new_id()))) for _ in range(8)]
            await asyncio.gather(*(client.api.add_card() for client in clients))
            paying = [asyncio.create_task(client.pay_until_stopped()) for client in clients]

            await until(lambda: has_paid(clients, 10))
            await away(own_postgres, seconds=0)
            await until(lambda: has_paid(clients, 30))
            await away(own_postgres, seconds=3)
            await until(lambda: has_paid(clients, 50))
            for client in clients:
                client.is_stopping = True
            await asyncio.gather(*paying)

            told = [payment_id for client in clients for payment_id in client.paid]
            assert await captures_per_payment(made) == {parsed_id(payment_id)[1]: 1 for payment_id in told}
            assert await made.value(PAID) == len(told)
            assert await made.value(UNRESOLVED) == 0
            assert not made.gateway.has_ended
            heard = set(chain.from_iterable(client.heard for client in clients))
            assert {"UNAVAILABLE"} <= heard <= PASSING


@dataclass(kw_only=True)
class PayingClient:
    """Keeps each key until it knows what became of it; remembers what it was told, and what it heard before."""

    api: Api
    paid: list[str] = field(default_factory=list)
    heard: set[str] = field(default_factory=set)
    is_stopping: bool = False

    async def pay_until_stopped(self) -> None:
        while not self.is_stopping:
            asked = partial(self._payment, {"idempotencyKey": fresh_key(), "charge": EURO})
            self.paid.append(await until(asked, seconds=40))

    async def _payment(self, given: Mapping[str, Any]) -> str | None:
        """The id of the payment, once it is COMPLETED."""
        answer = (await self.api.post(PAY, {"input": given})).json()
        for error in answer.get("errors", ()):
            self.heard.add(error["extensions"]["code"])
        payload = (answer.get("data") or {}).get("createPayment") or {"payment": None, "errors": []}
        self.heard |= {error["code"] for error in payload["errors"]}
        payment = payload["payment"]
        if payment is None or payment["status"] != "COMPLETED":
            await asyncio.sleep(PAUSE)
            return None
        payment_id: str = payment["id"]
        return payment_id


async def has_paid(clients: Sequence[PayingClient], count: int) -> bool:
    return sum(len(client.paid) for client in clients) >= count


async def away(postgres: EmbeddedPostgres, *, seconds: float) -> None:
    await asyncio.to_thread(postgres.stop)
    await asyncio.sleep(seconds)
    await asyncio.to_thread(postgres.start)


async def captures_per_payment(world: World) -> dict[UUID, int]:
    """By our ids, as Stripe counts."""
    intents = (await world.ledger())["payment_intents"]
    found = {UUID(intent["metadata"]["payment_id"]): intent["captures"] for intent in intents}
    assert len(found) == len(intents)
    return found
