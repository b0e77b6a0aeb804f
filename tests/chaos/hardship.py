"""M13: clocks that are wrong by half an hour, and a disk that is full. Either needs what not every machine has."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gateway.embedded_postgres import EmbeddedPostgres
from gateway.settings import DEVELOPMENT_STRIPE_KEY
from tests.acceptance.processes import COMMAND, started
from tests.chaos.finding import Finding
from tests.chaos.fleet import READY_SECONDS, Single
from tests.chaos.kills import LONG, Point, Scene, kill_at, when_executed
from tests.chaos.laboratory import PLAIN, Laboratory
from tests.chaos.outages import PATIENCE, later, world_of
from tests.chaos.stand import NOTHING, Stand, opened, stand
from tests.chaos.wishes import Kind, Told, Wish
from tests.waiting import until

FAKETIME: Final = shutil.which("faketime")
SHIFTS: Final = ("+30m", "-30m", "+2m")
"""The last is nearly right, and so late that nothing is held to be still on its way: see domain/reconciliation."""
WALKS: Final = {"RECONCILE_SECONDS": "2"}
WALKED: Final = "SELECT count(*) FROM reconciliation_runs WHERE kind = 'EVENTS' AND state = 'FINISHED'"
WALK_SECONDS: Final = 30.0
SUCCEEDED: Final = {"type": "payment_intent.succeeded", "limit": "100"}
AS_GATEWAY: Final = {"Authorization": f"Bearer {DEVELOPMENT_STRIPE_KEY}"}
DISK_MEGABYTES: Final = 220
FULL_SECONDS: Final = 6.0
SMALL: Final = {"max_wal_size": "64MB", "min_wal_size": "32MB"}
ANSWERED: Final = Point(name="executed, unanswered", moment=when_executed, fault=("hang_after", LONG))


async def hardship(laboratory: Laboratory) -> list[Finding]:
    return [await wrong_clocks(laboratory), await full_disk(laboratory)]


@dataclass(kw_only=True)
class Skewed(Single):
    """Each server that is started has another wrong clock; Stripe's and PostgreSQL's are right."""

    starts: int = field(default=0, init=False)

    async def start(self) -> None:
        shift = SHIFTS[self.starts % len(SHIFTS)]
        self.starts += 1
        clock = {"LD_PRELOAD": await asyncio.to_thread(preloaded), "FAKETIME": shift}
        environment = {**self.world.environment, **PLAIN, **self.settings, **clock}
        program = started([COMMAND, "serve"], environment, self.world.folder / "serve.log")
        self.world.gateway = self.world.programs.enter_context(program)
        await until(self._is_ready, seconds=READY_SECONDS)

    async def _is_ready(self) -> bool:
        assert not self.world.gateway.has_ended, self.world.gateway.written
        return await self.world.status("/readyz") == 200


def preloaded() -> str:
    """The library by which `faketime` changes clocks. The program itself would stay between us and what is killed."""
    command = [FAKETIME or "faketime", "-f", "+0", "printenv", "LD_PRELOAD"]
    return subprocess.check_output(command, text=True).strip()  # noqa: S603 - nobody else's words


async def wrong_clocks(laboratory: Laboratory) -> Finding:
    """
    Killed half an hour ahead, and started again half an hour behind.

    Webhooks that seem to be that old or that young are refused, so the walk of events has to find them all in the end.
    """
    if FAKETIME is None:
        return skipped("clocks wrong by 30 minutes", "no faketime here (apt-get install faketime)")
    async with stand(laboratory, "M13 clocks", fleet=Skewed, settings=WALKS) as at:
        await until(lambda: at.world.value(WALKED), seconds=WALK_SECONDS)
        wishes = await at.shop.wishes(Kind.PAYMENT, laboratory.of(short=5, usual=20, full=40))
        scene = Scene(
            world=at.world, fleet=at.fleet, kind=Kind.PAYMENT, count=len(wishes), executed=0, dice=at.dice
        )
        await scene.spoil("hang_after", LONG)
        async with asyncio.TaskGroup() as group:
            asking = {wish: group.create_task(at.clients.insist(wish, seconds=PATIENCE)) for wish in wishes}
            await kill_at(ANSWERED, scene)
            await at.fleet.replace_victim()
        told = {wish: task.result() for wish, task in asking.items()}
        await at.referee.judged(told, within=PATIENCE, must_be_told=False)
        verdict = await at.referee.closing()
        heard = sum(word is not None for word in told.values())
        unheard = await never_walked(at)
    return Finding(
        experiment="M13",
        tried=f"{len(wishes)} payments, killed 30 minutes ahead and started again 30 minutes behind",
        measured=f"{verdict}; {heard} told within {PATIENCE:.0f} s; {unheard} of Stripe's events never walked",
        target="nothing charged twice, said but not charged, or charged and denied; 0 never walked",
        holds=not (verdict.charged_twice or verdict.phantom or verdict.denied or unheard),
    )


async def never_walked(at: Stand) -> int:
    """How many events of payments have not come in, though a clock is nearly right again and walks go on."""
    await at.world.hold_webhooks()
    await at.fleet.victim.kill()
    await at.fleet.replace_victim()
    listed = await at.world.control.get("/v1/events", params=SUCCEEDED, headers=AS_GATEWAY)
    told = {event["id"] for event in listed.json()["data"]}

    async def missing() -> int:
        stored = await at.world.rows("SELECT processor_event_id AS id FROM inbox_events")
        return len(told - {row["id"] for row in stored})

    async def none_is_missing() -> bool:
        return await missing() == 0

    assert told, "Stripe has told nothing"
    return 0 if await comes_true(none_is_missing, seconds=WALK_SECONDS) else await missing()


async def full_disk(laboratory: Laboratory) -> Finding:
    """PostgreSQL's disk is full for some seconds under load."""
    if os.geteuid() != 0:
        return skipped("a full disk", "only root can mount a small one")
    async with small_disk(laboratory.new_folder() / "disk") as disk:
        postgres = EmbeddedPostgres(disk / "postgres", settings=SMALL)
        async with (
            world_of(laboratory, postgres) as made,
            opened(laboratory, made, "M13 disk", Single, NOTHING) as at,
        ):
            wishes = await at.shop.wishes(Kind.PAYMENT, laboratory.of(short=10, usual=60, full=200))
            async with asyncio.TaskGroup() as group:
                paying = {wish: group.create_task(later(at, wish)) for wish in wishes}
                filling = group.create_task(filled(at, disk, postgres))
            told: dict[Wish, Told | None] = {wish: task.result() for wish, task in paying.items()}
            await at.referee.judged(told, within=PATIENCE, must_be_told=True)
            verdict = await at.referee.closing()
            lives, failures = not at.world.gateway.has_ended, at.clients.failures
    return Finding(
        experiment="M13",
        tried=f"PostgreSQL's disk full for {FULL_SECONDS:.0f} s under {len(wishes)} payments",
        measured=f"{verdict}; {failures} 5xx or unforeseen answers; PostgreSQL {filling.result()}",
        target="0 of each; heals without a restart of ours",
        holds=verdict.holds and lives,
    )


@asynccontextmanager
async def small_disk(folder: Path) -> AsyncIterator[Path]:
    await run("mkdir", str(folder))
    await run("mount", "-t", "tmpfs", "-o", f"size={DISK_MEGABYTES}m,mode=755", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        await run("umount", "--lazy", str(folder))


async def filled(at: Stand, disk: Path, postgres: EmbeddedPostgres) -> str:
    """Nothing is left for some seconds; then whether PostgreSQL went on by itself."""
    await asyncio.sleep(1)
    ballast = disk / "ballast"
    await asyncio.to_thread(fill, ballast)
    await asyncio.sleep(FULL_SECONDS)
    await asyncio.to_thread(ballast.unlink)
    if await comes_back(at):
        return "went on by itself"
    await asyncio.to_thread(postgres.stop)
    await asyncio.to_thread(postgres.start)
    assert await comes_back(at)
    return "was started again"


async def comes_back(at: Stand) -> bool:
    async def is_ready() -> bool:
        return await at.world.status("/readyz") == 200

    return await comes_true(is_ready, seconds=15)


async def comes_true(condition: Callable[[], Awaitable[bool]], *, seconds: float) -> bool:
    try:
        return await until(condition, seconds=seconds)
    except AssertionError:
        return False


def fill(ballast: Path) -> None:
    """To the last byte."""
    block = bytes(1 << 16)
    try:
        with ballast.open("wb", buffering=0) as file:
            while True:
                file.write(block)
    except OSError:
        return


async def run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(*command)
    assert await process.wait() == 0, command


def skipped(tried: str, why: str) -> Finding:
    return Finding(experiment="M13", tried=tried, measured=f"skipped: {why}", target="", holds=True)
