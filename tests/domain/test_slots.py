import asyncio
from collections.abc import Sequence

import pytest

from domain import slots
from domain.slots import in_slots


class Queue:
    """Of names; who is called `slow` ends after everybody else, and `bad` fails."""

    def __init__(self, *names: str) -> None:
        self.names, self.done = list(names), list[str]()
        self.others = asyncio.Event()

    async def take(self, room: int) -> Sequence[str]:
        taken = self.names[:room]
        del self.names[:room]
        return taken

    async def do(self, name: str) -> None:
        if name == "slow":
            await self.others.wait()
        if name == "bad":
            raise ValueError(name)
        self.done.append(name)
        if not self.names:
            self.others.set()


class TestSlots:
    async def test_are_filled_again_while_a_slow_one_keeps_its_own(self) -> None:
        queue = Queue("slow", "a", "b", "c")

        async with asyncio.timeout(5):
            count, failures = await in_slots(queue.take, queue.do, slots=2)

        assert (count, failures) == (4, [])
        assert queue.done == ["a", "b", "c", "slow"]

    async def test_are_offered_again_though_nothing_ends(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(slots, "LOOK_AGAIN", 0.01)
        queue = Queue("slow")
        asyncio.get_running_loop().call_later(0.05, queue.names.append, "late")

        async with asyncio.timeout(5):
            await in_slots(queue.take, queue.do, slots=2)

        assert queue.done == ["late", "slow"]

    async def test_go_on_after_a_failure_and_tell_it(self) -> None:
        queue = Queue("bad", "a")

        count, [failure] = await in_slots(queue.take, queue.do, slots=1)

        assert (count, str(failure), queue.done) == (2, "bad", ["a"])

    async def test_let_end_what_is_under_way_where_nothing_can_be_taken(self) -> None:
        queue = Queue("slow")

        async def take(room: int) -> Sequence[str]:
            if queue.names:
                return await queue.take(room)
            queue.others.set()
            raise ConnectionError("away")

        count, [failure] = await in_slots(take, queue.do, slots=2)

        assert (count, str(failure), queue.done) == (1, "away", ["slow"])

    async def test_are_cut_off_with_their_caller(self) -> None:
        queue = Queue("slow")
        cut = asyncio.Event()

        async def do(_: str) -> None:
            try:
                await asyncio.sleep(60)
            finally:
                cut.set()

        caller = asyncio.create_task(in_slots(queue.take, do, slots=1))
        await asyncio.sleep(0.01)
        caller.cancel()
        await asyncio.wait([caller])

        assert (caller.cancelled(), cut.is_set()) == (True, True)
