"""The server dies between Stripe's answer and our commit; afterwards there is one capture, and it is told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest

from domain.actor import Actor
from tests.acceptance.world import World
from tests.api import EURO, Api, fresh_key, mutation_document
from tests.waiting import until

CREATE_PATH = "/v1/payment_intents$"
PAY = mutation_document("createPayment", "payment { id status }")
SLOW = 1.0
"""Seconds that the sandbox takes to charge, so that there is time to lock the payment first."""


@pytest.fixture
async def world(fresh_world: World) -> World:
    await fresh_world.serve()
    return fresh_world


@pytest.fixture
async def caller(world: World, user: Actor) -> Api:
    api = world.api(user)
    await api.add_card()
    return api


@asynccontextmanager
async def settling_held_up(world: World) -> AsyncIterator[None]:
    """Meanwhile the payment's row is locked, so that nobody can write down what became of it."""
    async with world.database() as connection, connection.transaction():

        async def locked() -> Any:
            return await connection.fetchval("SELECT id FROM payments FOR UPDATE")

        await until(locked)
        yield


async def kill_between_answer_and_commit(world: World, paying: Awaitable[Any]) -> None:
    """Deterministic: the charge has happened, and the transaction that would say so waits for our lock."""
    await world.spoil(path=CREATE_PATH, method="POST", kind="delay", seconds=SLOW)
    running = asyncio.ensure_future(paying)
    async with settling_held_up(world):
        await until(lambda: captured(world))
        await until(lambda: waits_for_lock(world))
        await world.gateway.kill()
    await asyncio.gather(running, return_exceptions=True)


async def captured(world: World) -> bool:
    return await world.captures() == 1


async def waits_for_lock(world: World) -> bool:
    """The settling transaction has come to the locked row."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    return bool(await world.value(waiting))


async def completed(world: World) -> bool:
    statuses = [row["status"] for row in await world.rows("SELECT status FROM payments")]
    return statuses == ["COMPLETED"]


async def must_be_charged_once(world: World) -> None:
    operation = await world.rows("SELECT state, error FROM operations WHERE mutation = 'createPayment'")
    assert operation == [{"state": "SUCCEEDED", "error": None}]
    [intent] = (await world.ledger())["payment_intents"]
    assert (intent["captures"], intent["amount_captured"]) == (1, 1250)
    assert await world.rows("SELECT status, captured_amount FROM payments") == [
        {"status": "COMPLETED", "captured_amount": 1250}
    ]


async def ended(world: World) -> bool:
    states = await world.rows("SELECT state FROM operations WHERE mutation = 'createPayment'")
    return [row["state"] for row in states] == ["SUCCEEDED"]


class TestKilledBetweenAnswerAndCommit:
    async def test_with_a_client_that_tries_again_gives_it_the_one_payment(
        self, world: World, caller: Api
    ) -> None:
        given: dict[str, Any] = {"idempotencyKey": fresh_key(), "charge": EURO}
        await kill_between_answer_and_commit(world, caller.pay(**given))
        assert not await completed(world)

        await world.serve()

        async def tried_again() -> dict[str, Any] | None:
            payload = await caller.mutate(
                "createPayment", given, "payment { id status } errors { code retry }"
            )
            assert {error["code"] for error in payload["errors"]} <= {"KEY_IN_PROGRESS"}
            payment: dict[str, Any] | None = payload["payment"]
            return payment

        payment = await until(tried_again)
        assert payment["status"] == "COMPLETED"
        await must_be_charged_once(world)

    @pytest.mark.parametrize("webhooks", ["with_webhooks", "without_webhooks"])
    async def test_without_any_client_is_settled_by_the_worker(
        self, world: World, caller: Api, webhooks: str
    ) -> None:
        if webhooks == "without_webhooks":
            await world.hold_webhooks()
        await kill_between_answer_and_commit(world, caller.pay())
        assert not await completed(world)

        await world.serve()

        await until(lambda: ended(world))
        await must_be_charged_once(world)


class TestKilledWhileStripeIsSilent:
    @pytest.mark.parametrize(
        ("kind", "captures"), [("hang_after", 1), ("hang_before", 0)], ids=["charged", "not charged yet"]
    )
    async def test_is_settled_by_the_worker(
        self, world: World, caller: Api, kind: str, captures: int
    ) -> None:
        await world.hold_webhooks()
        await world.spoil(path=CREATE_PATH, method="POST", kind=kind, seconds=60)
        running = asyncio.ensure_future(caller.pay())
        await until(lambda: is_used_up(world))
        await until(lambda: has_captured(world, captures))

        await world.gateway.kill()
        await asyncio.gather(running, return_exceptions=True)
        await world.serve()

        await until(lambda: ended(world))
        await must_be_charged_once(world)


async def is_used_up(world: World) -> bool:
    """The fault has met its request."""
    rules: list[Any] = (await world.faults())["rules"]
    return not rules


async def has_captured(world: World, count: int) -> bool:
    return await world.captures() == count


class TestTerminated:
    async def test_during_a_payment_still_answers_it_and_ends_well(self, world: World, caller: Api) -> None:
        await world.spoil(path=CREATE_PATH, method="POST", kind="delay", seconds=SLOW)
        paying = asyncio.ensure_future(caller.pay())
        await until(lambda: world.rows("SELECT id FROM payments"))

        world.gateway.process.terminate()
        payment = await paying
        code = await world.gateway.ended(seconds=10)

        assert payment["status"] == "COMPLETED"
        assert code == 0
        await must_be_charged_once(world)

    async def test_takes_no_new_requests(self, world: World, caller: Api) -> None:
        await world.spoil(path=CREATE_PATH, method="POST", kind="delay", seconds=SLOW)
        paying = asyncio.ensure_future(caller.pay())
        await until(lambda: world.rows("SELECT id FROM payments"))

        world.gateway.process.terminate()

        async def is_closed() -> bool:
            return await world.status("/healthz") == 0

        await until(is_closed)
        assert (await paying)["status"] == "COMPLETED"


class TestCutOff:
    """Stripe is silent for longer than a shutdown may take, and the lease lasts longer than the test."""

    LONG_LEASE: Final = {"OPERATION_LEASE_SECONDS": "60", "SHUTDOWN_SECONDS": "1"}

    async def test_payment_is_told_to_come_back_and_resumed_by_another_process_at_once(
        self, fresh_world: World, user: Actor
    ) -> None:
        world, api = fresh_world, fresh_world.api(user)
        await world.serve(**self.LONG_LEASE)
        await api.add_card()
        await world.hold_webhooks()
        world.start("worker", **self.LONG_LEASE)
        await world.spoil(path=CREATE_PATH, method="POST", kind="hang_after", seconds=60)
        paying = asyncio.ensure_future(
            api.post(PAY, {"input": {"idempotencyKey": fresh_key(), "charge": EURO}})
        )
        await until(lambda: captured(world))

        world.gateway.process.terminate()
        answer, code = await paying, await world.gateway.ended(seconds=10)

        assert code == 0
        assert (answer.status_code, answer.json()["error"]["retry"]) == (503, "LATER_SAME_KEY")
        assert "Traceback" not in world.gateway.written
        await until(lambda: ended(world))
        await must_be_charged_once(world)

    async def test_worker_leaves_its_operation_to_another_at_once(
        self, fresh_world: World, user: Actor
    ) -> None:
        world, api = fresh_world, fresh_world.api(user)
        await world.serve(RUN_WORKER="false")
        await api.add_card()
        await world.hold_webhooks()
        await world.spoil(path=CREATE_PATH, method="POST", kind="hang_after", seconds=60)
        running = asyncio.ensure_future(api.pay())
        await until(lambda: captured(world))
        await world.gateway.kill()
        await asyncio.gather(running, return_exceptions=True)
        await world.spoil(path="/v1/payment_intents", method="GET", kind="hang_before", seconds=60)
        worker = world.start("worker", **self.LONG_LEASE)
        await until(lambda: is_used_up(world))

        worker.process.terminate()
        code = await worker.ended(seconds=10)
        world.start("worker", **self.LONG_LEASE)

        assert code == 0
        await until(lambda: ended(world))
        await must_be_charged_once(world)
