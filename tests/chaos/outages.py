"""M12: PostgreSQL goes away under load."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from gateway.embedded_postgres import EmbeddedPostgres
from persistence.schema import migrate
from tests.acceptance.world import World
from tests.chaos.finding import Finding
from tests.chaos.fleet import Single
from tests.chaos.laboratory import Laboratory
from tests.chaos.stand import NOTHING, Stand, opened
from tests.chaos.wishes import Kind, Told, Wish
from tests.waiting import until

PATIENCE: Final = 60.0
SPREAD_SECONDS: Final = 6.0
"""Over which the payments come."""
DOWN_AFTER: Final = 2.0


@asynccontextmanager
async def world_of(laboratory: Laboratory, postgres: EmbeddedPostgres) -> AsyncIterator[World]:
    """A world whose PostgreSQL is nobody else's."""
    await asyncio.to_thread(postgres.start)
    try:
        await asyncio.to_thread(postgres.ensure_database, "payments")
        await asyncio.to_thread(migrate, postgres.url("payments"))
        async with laboratory.world_on(postgres.url("payments"), postgres.folder.parent) as made:
            yield made
    finally:
        await asyncio.to_thread(postgres.stop)


async def without_postgres(laboratory: Laboratory) -> list[Finding]:
    """Restarted at once, and away for three seconds."""
    absences = laboratory.of(short=1, usual=2, full=2)
    return [await absent(laboratory, seconds) for seconds in (3.0, 0.0)[:absences]]


async def absent(laboratory: Laboratory, seconds: float) -> Finding:
    postgres = EmbeddedPostgres(laboratory.new_folder() / "postgres")
    async with (
        world_of(laboratory, postgres) as made,
        opened(laboratory, made, f"M12 {seconds}", Single, NOTHING) as at,
    ):
        wishes = await at.shop.wishes(Kind.PAYMENT, laboratory.of(short=20, usual=100, full=400))
        async with asyncio.TaskGroup() as group:
            paying = {wish: group.create_task(later(at, wish)) for wish in wishes}
            health = group.create_task(outage(at, postgres, seconds))
        told: dict[Wish, Told | None] = {wish: task.result() for wish, task in paying.items()}
        await at.referee.judged(told, within=PATIENCE, must_be_told=True)
        verdict = await at.referee.closing()
        lives = not at.world.gateway.has_ended
        failures = at.clients.failures
    asked, expected = health.result(), (200, 503)
    return Finding(
        experiment="M12",
        tried=f"PostgreSQL {f'away for {seconds:.0f} s' if seconds else 'restarted'} under {len(wishes)} payments",
        measured=f"{verdict}; /healthz {asked[0]}, /readyz {asked[1]} meanwhile; {failures} unforeseen answers",
        target="0 of each; 200, 503; no answer but 503; no restart of ours",
        holds=verdict.holds and asked == expected and lives and failures == 0,
    )


async def later(at: Stand, wish: Wish) -> Told | None:
    await asyncio.sleep(at.dice.uniform(0, SPREAD_SECONDS))
    return await at.clients.insist(wish, seconds=PATIENCE)


async def outage(at: Stand, postgres: EmbeddedPostgres, seconds: float) -> tuple[int, int]:
    """The statuses of /healthz and /readyz while it is away."""
    await asyncio.sleep(DOWN_AFTER)
    await asyncio.to_thread(postgres.stop)
    statuses = await at.world.status("/healthz"), await at.world.status("/readyz")
    await asyncio.sleep(seconds)
    await asyncio.to_thread(postgres.start)

    async def is_ready() -> bool:
        return await at.world.status("/readyz") == 200

    await until(is_ready, seconds=PATIENCE)
    return statuses
