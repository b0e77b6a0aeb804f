"""Loads the demo, once."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Final

import orjson

from gateway.demo.catalogue import plans_on_sale
from gateway.demo.season import CaughtUp, Season
from gateway.demo.showcase import Showcase
from gateway.wiring import Gateway
from sandbox import Sandbox

__all__ = ["CaughtUp", "caught_up_with", "load_demo", "remember", "remembered"]

PATIENCE: Final = 60.0
PAUSE: Final = 0.02
SINCE_TRIAL_BEGAN: Final = timedelta(days=16)
"""Two more than the trial: its first renewal has failed by then, and will be tried again."""


async def load_demo(gateway: Gateway, sandbox: Sandbox, caught_up: CaughtUp) -> dict[str, str]:
    """
    The API's ids of what the stories are about, by their placeholders.

    A sandbox that begins in the past lives through a season first; one that is in the present is moved on to the
    end of one trial.
    """
    plans = await plans_on_sale(gateway, sandbox)
    showcase = Showcase(gateway=gateway, plans=plans)
    season = Season(gateway=gateway, sandbox=sandbox, plans=plans, caught_up=caught_up)
    told = await showcase.before_the_season()
    await season.live_until(SINCE_TRIAL_BEGAN)
    told |= await showcase.with_failing_trial(told)
    await season.live_on(SINCE_TRIAL_BEGAN)
    told |= await showcase.at_present(told)
    await caught_up()
    return told


def remembered(file: Path) -> dict[str, str] | None:
    """What an earlier start has made, so that it need not be made again."""
    return orjson.loads(file.read_bytes()) if file.exists() else None


def remember(told: dict[str, str], file: Path) -> None:
    file.write_bytes(orjson.dumps(told))


def caught_up_with(gateway: Gateway, sandbox: Sandbox) -> CaughtUp:
    """Waits until the sandbox has told everything, and the worker has applied it."""

    async def caught_up() -> None:
        async with asyncio.timeout(PATIENCE):
            await sandbox.dispatcher.settled()
            while await _has_waiting(gateway):  # noqa: ASYNC110  # The worker may be another process.
                await asyncio.sleep(PAUSE)

    return caught_up


async def _has_waiting(gateway: Gateway) -> bool:
    async with gateway.services.database.reads() as reads:
        return await reads.inbox.has_waiting()
