"""M13: clocks that are wrong by half an hour, and a disk that is full. Either needs what not every machine has."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gateway.embedded_postgres import EmbeddedPostgres
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
SHIFTS: Final = ("+30m", "-30m")
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
        command = [FAKETIME or "faketime", "-f", shift, COMMAND, "serve"]
        environment = {**self.world.environment, **PLAIN, **self.settings}
        program = started(command, environment, self.world.folder / "serve.log")
        self.world.gateway = self.world.programs.enter_context(program)
        await until(self._is_ready, seconds=READY_SECONDS)

    async def _is_ready(self) -> bool:
        assert not self.world.gateway.has_ended, self.world.gateway.written
        return await self.world.status("/readyz") == 200


async def wrong_clocks(laboratory: Laboratory) -> Finding:
    """Killed half an hour ahead, and started again half an hour behind."""
    if FAKETIME is None:
        return skipped("clocks wrong by 30 minutes", "no faketime here (apt-get install faketime)")
    async with stand(laboratory, "M13 clocks", fleet=Skewed) as at:
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
    return Finding(
        experiment="M13",
        tried=f"{len(wishes)} payments, killed 30 minutes ahead and started again 30 minutes behind",
        measured=f"{verdict}; {heard} told within {PATIENCE:.0f} s",
        target="nothing charged twice, said but not charged, or charged and denied",
        holds=not (verdict.charged_twice or verdict.phantom or verdict.denied),
    )


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

    try:
        await until(is_ready, seconds=15)
    except AssertionError:
        return False
    return True


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
