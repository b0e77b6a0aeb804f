"""M8 and M9, which are tests of the domain: every order of a life's events."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.chaos.finding import Finding
from tests.chaos.laboratory import Laboratory

ROOT: Final = Path(__file__).parents[2]
PAYMENTS: Final = "tests/domain/test_settlement.py"
SUBSCRIPTIONS: Final = "tests/domain/test_subscription_orders.py"


async def of_payments(_: Laboratory) -> list[Finding]:
    return [await tested("M8", "a payment's life", PAYMENTS)]


async def of_subscriptions(_: Laboratory) -> list[Finding]:
    return [await tested("M9", "a subscription's life", SUBSCRIPTIONS)]


async def tested(experiment: str, life: str, path: str) -> Finding:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", path]
    tests = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdout=subprocess.PIPE, env={**os.environ, "FULL": "1"}
    )
    written, _ = await tests.communicate()
    summary = re.sub(r" in [\d.]+s.*", "", written.decode().strip().splitlines()[-1])
    return Finding(
        experiment=experiment,
        tried=f"{life}, all orders of its events and duplicates: {path}",
        measured=summary.strip("= "),
        target="1 final state",
        holds=tests.returncode == 0,
    )
