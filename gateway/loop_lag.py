"""How late the event loop is: the time that something else has kept everybody waiting."""

import asyncio
from typing import Final

from prometheus_client import Histogram

EVERY: Final = 0.5
"""Seconds; two wake-ups a second cost nothing that could be measured."""
LAG: Final = Histogram(
    "payments_event_loop_lag_seconds",
    "How much later than it should the event loop has come back, looked at twice a second.",
    buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
)


async def watch_lag() -> None:
    """Until it is cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + EVERY
        await asyncio.sleep(EVERY)
        LAG.observe(max(0.0, loop.time() - due))
