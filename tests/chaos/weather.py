"""A bad day: Stripe fails at random and mislays webhooks, processes are killed, and all kinds of wishes go on."""

import asyncio
import time
from typing import Final

from tests.chaos.finding import Finding
from tests.chaos.laboratory import Laboratory
from tests.chaos.stand import Stand, stand
from tests.chaos.wishes import Kind, Told, Wish

PATIENCE: Final = 120.0
ODDS: Final = {
    "error_before": 0.03,
    "error_after": 0.02,
    "reset_before": 0.02,
    "reset_after": 0.03,
    "half_body": 0.02,
    "html": 0.02,
    "rate_limit": 0.03,
    "lock_timeout": 0.02,
}
LATENCY: Final = {"median": 0.05, "p99": 1.0}
WEBHOOKS: Final = {"dropped": 0.1, "duplicated": 0.2, "delayed": 0.2, "reordered": 0.2}
KILL_EVERY: Final = (8.0, 14.0)


async def bad_day(laboratory: Laboratory) -> list[Finding]:
    seconds = float(laboratory.of(short=6, usual=30, full=600))
    async with stand(laboratory, "weather") as at:
        wishes = await mixed(at, laboratory.of(short=15, usual=90, full=900))
        await begin(at, laboratory.seed)
        told, kills = await through_the_day(at, wishes, seconds)
        faults, mishaps = await end(at)
        result = await at.referee.judged(told, within=PATIENCE, must_be_told=True)
        verdict = await at.referee.closing()
        failures = at.clients.failures
    return [
        Finding(
            experiment="weather",
            tried=f"{len(wishes)} payments, refunds and subscriptions in {seconds:.0f} s of it, {kills} kills, "
            f"{faults} faults, {mishaps} webhooks mislaid",
            measured=f"{verdict}; the last settled {result.seconds:.0f} s later; {failures} unforeseen answers",
            target="0 of each, and some of all that",
            holds=verdict.holds and min(kills, faults, mishaps) > 0,
        )
    ]


async def mixed(at: Stand, number: int) -> list[Wish]:
    each = [await at.shop.wishes(kind, number // len(Kind)) for kind in Kind]
    wishes = [wish for kind in each for wish in kind]
    at.dice.shuffle(wishes)
    return wishes


async def begin(at: Stand, seed: int) -> None:
    weather = {"seed": seed, "faults": ODDS, "latency": LATENCY, "webhooks": WEBHOOKS}
    answer = await at.world.control.post("/_sandbox/chaos", json=weather)
    assert answer.status_code == 200, answer.text


async def end(at: Stand) -> tuple[int, int]:
    """How many requests met with a fault, and how many webhooks with a mishap."""
    done = (await at.world.control.delete("/_sandbox/chaos")).json()["done"]
    return sum(done["faults"].values()), sum(done["mishaps"].values())


async def through_the_day(
    at: Stand, wishes: list[Wish], seconds: float
) -> tuple[dict[Wish, Told | None], int]:
    async def told(wish: Wish, at_second: float) -> Told | None:
        await asyncio.sleep(at_second)
        return await at.clients.insist(wish, seconds=PATIENCE)

    moments = [at.dice.uniform(0, seconds) for _ in wishes]
    async with asyncio.TaskGroup() as group:
        asking = {
            wish: group.create_task(told(wish, moment)) for wish, moment in zip(wishes, moments, strict=True)
        }
        killing = group.create_task(kill_now_and_then(at, seconds))
    return {wish: task.result() for wish, task in asking.items()}, killing.result()


async def kill_now_and_then(at: Stand, seconds: float) -> int:
    """How often."""
    end, kills = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        await asyncio.sleep(min(at.dice.uniform(*KILL_EVERY), seconds / 2))
        await at.fleet.victim.kill()
        await at.fleet.replace_victim()
        kills += 1
    return kills
