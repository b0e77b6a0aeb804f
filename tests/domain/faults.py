"""Stripe failing in every way it can, and the worker that comes by an hour later."""

import re
from dataclasses import replace
from datetime import timedelta

from gateway.wiring import Gateway
from sandbox import Sandbox
from sandbox.control.faults import Kind, Rule

KINDS = [kind for kind in Kind if kind is not Kind.DELAY]
EXECUTED = [Kind.ERROR_AFTER, Kind.RESET_AFTER, Kind.HALF_BODY, Kind.HANG_AFTER]
"""The faults after which Stripe has done what it was asked."""
HANGING = {Kind.HANG_BEFORE, Kind.HANG_AFTER}
ENDLESS = 10_000


def spoil(
    sandbox: Sandbox, path: str, kind: Kind, *, times: int = ENDLESS, method: str | None = "POST"
) -> None:
    """Until the faults are cleared, or so many times."""
    seconds = 5.0 if kind in HANGING else 0.0
    rule = Rule(path=re.compile(path), kind=kind, method=method, times=times, seconds=seconds)
    sandbox.faults.add([rule])


async def resumed_later(gateway: Gateway) -> int:
    """What the worker does an hour later."""
    commands = gateway.services.commands
    an_hour_later = commands.clock() + timedelta(hours=1)
    return await replace(commands, clock=lambda: an_hour_later).resume_abandoned()
