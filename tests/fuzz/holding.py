"""How long a request keeps the event loop to itself."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import orjson

from domain.actor import Actor
from gql.context import Context, Services
from gql.execution import Executor, Request
from tests.fuzz.hostile import Hostile

MOST_HELD: Final = 0.5
"""Seconds of the processor, in one turn of the loop: others wait so long at least."""


@dataclass(slots=True)
class Turns:
    """The longest turn of the loop, in seconds of the processor (which a busy machine does not lengthen) and in all."""

    processor: float = 0.0
    wall: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    hostile: Hostile
    turns: Turns
    codes: frozenset[str]
    """Of the errors; empty where all went well."""


@asynccontextmanager
async def turns_watched() -> AsyncIterator[Turns]:
    """A task that runs once in each turn of the loop, and notices how long ago the last one was."""
    turns, is_over = Turns(), False

    async def heartbeat() -> None:
        processor, wall = time.thread_time(), time.perf_counter()
        while not is_over:
            await asyncio.sleep(0)
            turns.processor = max(turns.processor, time.thread_time() - processor)
            turns.wall = max(turns.wall, time.perf_counter() - wall)
            processor, wall = time.thread_time(), time.perf_counter()

    task = asyncio.create_task(heartbeat())
    await asyncio.sleep(0)
    try:
        yield turns
        await asyncio.sleep(0)  # So that the last turn is noticed, too.
        await asyncio.sleep(0)
    finally:
        is_over = True
        await task


async def held_by(hostile: Hostile, executor: Executor, actor: Actor, services: Services) -> Held:
    request = Request(query=hostile.query, variables=hostile.variables)
    async with turns_watched() as turns:
        asked = executor.asked(request, by=actor)
        response = await executor.execute(asked, Context(actor=actor, services=services))
        orjson.dumps(response.body)
    errors = response.body.get("errors", ())
    return Held(
        hostile=hostile, turns=turns, codes=frozenset(str(error["extensions"]["code"]) for error in errors)
    )
