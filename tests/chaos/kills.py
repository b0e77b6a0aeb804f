"""The six points around a call to Stripe at which a process is killed, with as many wishes there as possible."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from tests.acceptance.world import World
from tests.chaos.fleet import Fleet
from tests.chaos.referee import executions
from tests.chaos.wishes import Kind
from tests.waiting import until

LONG: Final = 60.0
"""Seconds that a hanging request hangs: longer than anybody waits."""
TOGETHER: Final = 4.0
"""Seconds that Stripe takes, so that all have come before the first is answered, on a busy machine too."""
RUNNING: Final = "SELECT id FROM operations WHERE state = 'RUNNING' FOR UPDATE"
HOW_MANY: Final = "SELECT count(*) FROM operations WHERE state = 'RUNNING'"
AWHILE: Final = 0.5
"""Seconds, of those that Stripe takes."""
WAITING: Final = """SELECT count(*) FROM pg_stat_activity
WHERE wait_event_type = 'Lock' AND datname = current_database()"""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """`count` wishes of one kind are about to be uttered, and `executed` were carried out before."""

    world: World
    fleet: Fleet
    kind: Kind
    count: int
    executed: int
    dice: random.Random

    async def spoil(self, kind: str, seconds: float) -> None:
        rule = {"path": self.kind.stripe_path, "method": "POST", "kind": kind, "seconds": seconds}
        await self.world.spoil(**rule, times=self.count)

    async def all_have_come(self) -> bool:
        """Every one has met with its fault."""
        return not (await self.world.faults())["rules"]

    async def carried_out(self) -> int:
        return await carried_out(self.world, self.kind) - self.executed


async def carried_out(world: World, kind: Kind) -> int:
    found = await executions(world)
    return sum(number for (each, _), number in found.items() if each is kind)


async def when_received(scene: Scene) -> None:
    """Within the first milliseconds, before most of them are written down."""
    await asyncio.sleep(scene.dice.uniform(0.001, 0.040))


async def when_stripe_was_reached(scene: Scene) -> None:
    """Stripe has them, and carries none of them out."""
    await until(scene.all_have_come)


async def when_executed(scene: Scene) -> None:
    """Stripe has carried out all of them, and answers none."""
    await until(scene.all_have_come)
    await until(lambda: at_least(scene, scene.count))


async def when_answered(scene: Scene) -> None:
    """
    Stripe has answered, and what would be written down waits for a lock.

    Of two replicas, the one that survived an earlier kill may still hold back some, since Stripe hung then.
    """
    await until(lambda: all_are_running(scene))
    async with scene.world.database() as connection, connection.transaction():
        running = await connection.fetch(RUNNING)
        await until(lambda: at_least(scene, len(running)))
        await until(lambda: scene.world.value(WAITING))
        await scene.fleet.victim.kill()


async def soon_after_an_answer(scene: Scene) -> None:
    """Half a millisecond to twenty after one of the answers; others have come long ago, or are to come."""
    wanted = scene.dice.randint(1, scene.count)
    await until(lambda: at_least(scene, wanted))
    await asyncio.sleep(scene.dice.uniform(0.0005, 0.020))


async def at_random(scene: Scene) -> None:
    await asyncio.sleep(scene.dice.uniform(0.0, 1.5))


async def at_least(scene: Scene, number: int) -> bool:
    return await scene.carried_out() >= number


async def all_are_running(scene: Scene) -> bool:
    """Every one, or at least some, and no more of them than a while before."""
    before: int = await scene.world.value(HOW_MANY)
    await asyncio.sleep(AWHILE)
    after: int = await scene.world.value(HOW_MANY)
    return before == scene.count or 0 < before == after


@dataclass(frozen=True, kw_only=True)
class Point:
    """`fault` spoils the calls to Stripe before; `moment` returns when it is time to kill."""

    name: str
    moment: Callable[[Scene], Awaitable[None]]
    fault: tuple[str, float] | None = None


POINTS: Final = (
    Point(name="received", moment=when_received),
    Point(name="Stripe reached", moment=when_stripe_was_reached, fault=("hang_before", LONG)),
    Point(name="executed, unanswered", moment=when_executed, fault=("hang_after", LONG)),
    Point(name="answered", moment=when_answered, fault=("delay", TOGETHER)),
    Point(name="answered + 0.5-20 ms", moment=soon_after_an_answer, fault=("delay", 0.5)),
    Point(name="random", moment=at_random),
)


async def kill_at(point: Point, scene: Scene) -> None:
    """The wishes are uttered meanwhile."""
    await point.moment(scene)
    await scene.fleet.victim.kill()
    await scene.world.control.delete("/_sandbox/faults")
