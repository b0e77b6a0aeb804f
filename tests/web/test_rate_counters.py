"""Counting in memory, and what happens to a store that does not answer."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from prometheus_client import REGISTRY

from gateway.server import listening_socket
from tests.clocks import MonotonicClock
from tests.web.in_process import Events
from web.rates.counters import ANSWER_SECONDS, PAUSE_SECONDS, Counters, SharedStore
from web.rates.memory import BoundedMemory
from web.rates.rules import Limit

REQUESTS = Limit.REQUESTS


async def taken(counters: Counters, name: str, *, quota: int, times: int) -> int:
    """How many of so many were there."""
    return sum([(await counters.take(REQUESTS, name, quota=quota)).is_taken for _ in range(times)])


class TestMemory:
    async def test_gives_as_much_as_the_quota_has_to_each_of_many_who_ask_at_once(self) -> None:
        counters = Counters()

        standings = await asyncio.gather(*(counters.take(REQUESTS, "a", quota=10) for _ in range(50)))

        assert sum(standing.is_taken for standing in standings) == 10
        assert (await counters.take(REQUESTS, "b", quota=10)).is_taken

    async def test_takes_nothing_where_there_is_not_enough(self) -> None:
        counters = Counters()
        await counters.take(Limit.COST, "a", quota=100, amount=60)

        refused = await counters.take(Limit.COST, "a", quota=100, amount=60)

        assert (refused.is_taken, refused.remaining) == (False, 40)
        assert (await counters.take(Limit.COST, "a", quota=100, amount=40)).is_taken

    async def test_of_one_limit_is_none_of_another(self) -> None:
        counters = Counters()
        await counters.take(Limit.WRITES, "a", quota=1)

        assert (await counters.take(Limit.PAYMENTS, "a", quota=1)).is_taken

    async def test_is_bounded_and_forgets_the_oldest_first(self) -> None:
        memory = BoundedMemory(most=100)
        counters = Counters(memory=memory)
        await counters.take(REQUESTS, "first", quota=1)

        for number in range(1000):
            await counters.take(REQUESTS, f"address-{number}", quota=1)

        assert len(memory.storage) == len(memory.expirations) == 100
        assert not (await counters.take(REQUESTS, "address-999", quota=1)).is_taken
        assert (await counters.take(REQUESTS, "first", quota=1)).is_taken

    async def test_forgets_what_counts_no_more(self, monkeypatch: pytest.MonkeyPatch) -> None:
        memory = BoundedMemory()
        counters = Counters(memory=memory)
        monkeypatch.setattr("time.time", lambda: 1_000_000.0)
        for number in range(100):
            await counters.take(REQUESTS, f"address-{number}", quota=1)

        monkeypatch.setattr("time.time", lambda: 1_000_000.0 + 121)
        await counters.take(REQUESTS, "later", quota=1)

        assert len(memory.storage) == len(memory.expirations) == 1


@pytest.fixture
async def silence() -> AsyncIterator[str]:
    """The address of somebody who listens and never says a word."""
    connected = []

    def listen(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.append(writer)

    with listening_socket("127.0.0.1", 0) as listener:
        async with await asyncio.start_server(listen, sock=listener):
            yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
            for writer in connected:
                writer.close()


@pytest.fixture
def nobody() -> str:
    """An address where nobody listens."""
    with listening_socket("127.0.0.1", 0) as listener:
        return f"redis://127.0.0.1:{listener.getsockname()[1]}/0"


def is_away() -> bool:
    return REGISTRY.get_sample_value("payments_rate_limit_store_away") == 1


class TestStoreThatIsAway:
    async def test_leaves_each_process_to_count_for_itself(self, nobody: str, events: Events) -> None:
        store = SharedStore(nobody)

        assert await taken(Counters(store), "a", quota=3, times=5) == 3
        assert is_away()
        assert [event["event"] for event in events] == ["rate_limits.store_lost"]
        await store.close()

    async def test_holds_up_one_request_for_a_moment_and_the_next_ones_not_at_all(self, silence: str) -> None:
        clock = MonotonicClock()
        store = SharedStore(silence, clock=clock)
        loop = asyncio.get_running_loop()

        began = loop.time()
        assert await store.take(REQUESTS, "a", quota=3, amount=1) is None
        first = loop.time() - began
        assert await taken(Counters(store), "a", quota=100, times=100) == 100
        rest = loop.time() - began - first

        assert first >= ANSWER_SECONDS * 0.9
        assert rest < 100 * ANSWER_SECONDS
        clock.seconds += PAUSE_SECONDS + 1
        assert await store.take(REQUESTS, "a", quota=3, amount=1) is None
        await store.close()
