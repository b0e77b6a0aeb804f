"""Doing much, a little at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Final, TypeVar

T = TypeVar("T")

LOOK_AGAIN: Final = 2.0
"""Seconds after which free slots are offered once more, though nothing has ended."""


async def in_slots(
    take: Callable[[int], Awaitable[Sequence[T]]],
    do: Callable[[T], Coroutine[Any, Any, object]],
    *,
    slots: int,
) -> tuple[int, Sequence[Exception]]:
    """
    Do what `take` hands out for free slots until it has nothing more: how much that was, and which failures it had.

    A slow one keeps its own slot only. Where `take` fails that is the last of the failures, and what is under way
    ends first; where the caller is cancelled it is cut off.
    """
    count, failures = 0, list[Exception]()
    running: set[asyncio.Task[object]] = set()
    try:
        while True:
            taken = await take(slots - len(running))
            count += len(taken)
            running |= {asyncio.create_task(do(each)) for each in taken}
            if not running:
                return count, failures
            running -= await _some_ended(running, failures)
    except Exception as untaken:  # noqa: BLE001 - It is answered.
        while running:
            running -= await _some_ended(running, failures)
        return count, [*failures, untaken]
    finally:
        for each in running:
            each.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _some_ended(
    running: set[asyncio.Task[object]], failures: list[Exception]
) -> set[asyncio.Task[object]]:
    ended, _ = await asyncio.wait(running, timeout=LOOK_AGAIN, return_when=asyncio.FIRST_COMPLETED)
    failures += [
        failure
        for each in ended
        if not each.cancelled() and isinstance(failure := each.exception(), Exception)
    ]
    return ended
