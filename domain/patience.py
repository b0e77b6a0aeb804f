"""How long a reader waits for the processor."""

import asyncio
from collections.abc import Awaitable
from typing import Final, TypeVar

from domain.errors import ProcessorUnavailable

T = TypeVar("T")

PATIENCE: Final = 5.0
"""Seconds."""


async def in_time(answer: Awaitable[T]) -> T:
    """The processor's answer. Raises ProcessorUnavailable where it does not come in time."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await answer
    except TimeoutError as late:
        raise ProcessorUnavailable("Stripe does not answer now.") from late
