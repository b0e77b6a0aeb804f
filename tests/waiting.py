"""Waiting for conditions, never for a length of time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

POLL_SECONDS: Final = 0.02

T = TypeVar("T")


async def until(condition: Callable[[], Awaitable[T | None]], *, seconds: float = 20) -> T:
    """The first true value of the condition; a test that never sees one fails and says what it saw last."""
    deadline = time.monotonic() + seconds
    while not (seen := await condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s; last seen: {seen!r}"
        await asyncio.sleep(POLL_SECONDS)
    return seen
