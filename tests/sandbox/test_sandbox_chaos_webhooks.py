import time
from typing import Any

import pytest
from stripe import StripeClient

from sandbox import Sandbox
from sandbox.control import weather
from tests.sandbox.serving import HOOK_PATH, Receiver

MIXED: dict[str, Any] = {"duplicated": 0.1, "reordered": 0.1, "delayed": 0.1, "dropped": 0.2, "seconds": 0.01}


@pytest.fixture(autouse=True)
async def endpoint(client: StripeClient, receiver: Receiver, url: str) -> None:
    await client.v1.webhook_endpoints.create_async({"url": url + HOOK_PATH, "enabled_events": ["*"]})


def begin(sandbox: Sandbox, *, seed: int = 7, **webhooks: Any) -> None:
    sandbox.chaos.begin(weather.read({"seed": seed, "webhooks": webhooks}))


async def create_customers(client: StripeClient, sandbox: Sandbox, names: list[str]) -> None:
    for name in names:
        await client.v1.customers.create_async({"name": name})
    await sandbox.dispatcher.settled()


def names(receiver: Receiver) -> list[str]:
    return [each.event["data"]["object"]["name"] for each in receiver.received]


class TestMishaps:
    async def test_a_duplicated_one_comes_twice(
        self, client: StripeClient, sandbox: Sandbox, receiver: Receiver
    ) -> None:
        begin(sandbox, duplicated=1, seconds=0.01)

        await create_customers(client, sandbox, ["Ada"])

        assert [received.event["id"] for received in receiver.received] == [
            receiver.received[0].event["id"]
        ] * 2

    async def test_a_delayed_one_comes_late(
        self, client: StripeClient, sandbox: Sandbox, receiver: Receiver
    ) -> None:
        begin(sandbox, delayed=1, seconds=0.1)
        asked_at = time.monotonic()

        await create_customers(client, sandbox, ["Ada"])

        assert names(receiver) == ["Ada"]
        assert time.monotonic() - asked_at >= 0.1

    async def test_reordered_ones_are_overtaken(
        self, client: StripeClient, sandbox: Sandbox, receiver: Receiver
    ) -> None:
        begin(sandbox, reordered=1, seconds=0.5)
        created = [f"Ada {number}" for number in range(10)]

        await create_customers(client, sandbox, created)

        assert names(receiver) != created
        assert sorted(names(receiver)) == created

    async def test_a_dropped_one_never_comes_and_is_shown_as_dropped(
        self, client: StripeClient, sandbox: Sandbox, receiver: Receiver
    ) -> None:
        begin(sandbox, dropped=1)

        await create_customers(client, sandbox, ["Ada"])

        [delivery] = sandbox.deliveries.latest(1)
        assert (delivery.state, delivery.attempts, delivery.error) == ("dropped", 0, "dropped by chaos")
        assert receiver.received == []

    async def test_a_dropped_one_can_still_be_read_from_the_log(
        self, client: StripeClient, sandbox: Sandbox
    ) -> None:
        begin(sandbox, dropped=1)

        await create_customers(client, sandbox, ["Ada"])

        assert [event.type for event in (await client.v1.events.list_async()).data] == ["customer.created"]


class TestPause:
    async def test_holds_everything_back_until_it_ends(
        self, client: StripeClient, sandbox: Sandbox, receiver: Receiver
    ) -> None:
        begin(sandbox, paused=True)
        await client.v1.customers.create_async({"name": "Ada"})
        held = sandbox.dispatcher.is_paused, len(receiver.received)

        sandbox.chaos.end()
        await receiver.until(1)

        assert held == (True, 0)
        assert names(receiver) == ["Ada"]

    async def test_that_a_test_asked_for_outlasts_the_weather(self, sandbox: Sandbox) -> None:
        sandbox.dispatcher.pause()
        begin(sandbox, paused=True)

        sandbox.chaos.end()

        assert sandbox.dispatcher.is_paused


class TestSeed:
    async def test_the_same_one_meets_the_same_webhooks(
        self, client: StripeClient, sandbox: Sandbox, receiver: Receiver
    ) -> None:
        created = [f"Ada {number}" for number in range(30)]
        begin(sandbox, **MIXED)
        await create_customers(client, sandbox, created)
        before = sorted(names(receiver))
        receiver.received.clear()

        begin(sandbox, **MIXED)
        await create_customers(client, sandbox, created[::-1])

        assert sorted(names(receiver)) == before
        assert 0 < len(set(before)) < 30

    async def test_the_odds_hold(self, client: StripeClient, sandbox: Sandbox) -> None:
        begin(sandbox, **MIXED)

        await create_customers(client, sandbox, ["Ada"] * 300)

        done = sandbox.chaos.done
        assert done.webhooks == 300
        assert 40 <= done.mishaps[weather.Mishap.DROPPED] <= 80
        assert 15 <= done.mishaps[weather.Mishap.DUPLICATED] <= 45
        assert 15 <= done.mishaps[weather.Mishap.REORDERED] <= 45
        assert 15 <= done.mishaps[weather.Mishap.DELAYED] <= 45

    async def test_every_endpoint_draws_for_itself(
        self, client: StripeClient, sandbox: Sandbox, receiver: Receiver, url: str
    ) -> None:
        await client.v1.webhook_endpoints.create_async({"url": url + HOOK_PATH, "enabled_events": ["*"]})
        begin(sandbox, dropped=0.5)

        await create_customers(client, sandbox, [f"Ada {number}" for number in range(20)])

        come = names(receiver)
        assert {come.count(name) for name in come} == {1, 2}
