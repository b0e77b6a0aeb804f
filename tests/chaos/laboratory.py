"""Where experiments are made: a PostgreSQL of its own, and for each experiment a database, a sandbox and dice."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from gateway.embedded_postgres import EmbeddedPostgres
from persistence.schema import migrate
from tests.acceptance.world import World, world
from tests.databases import Server, database

PLAIN: Final = {"DEBUG_EXTENSION": "false", "LOG_LEVEL": "INFO"}
"""As in production: nothing is counted for a test, and the log is short."""


class Effort(StrEnum):
    """SHORT is what tests take, USUAL what `make chaos` does, FULL the counts that docs/reliability.md names."""

    SHORT = "short"
    USUAL = "usual"
    FULL = "full"


@dataclass(slots=True, kw_only=True)
class Tally:
    """What the sandboxes of all worlds were asked."""

    worlds: int = 0
    keys: int = 0
    without_key: int = 0

    def add(self, requests: Mapping[str, Any]) -> None:
        self.worlds += 1
        self.keys += requests["keys_executed"]
        self.without_key += requests["posts_without_key"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Laboratory:
    """`template` is a database with our schema that nobody connects to."""

    folder: Path
    postgres: Server
    template: str
    seed: int
    effort: Effort
    tally: Tally = field(default_factory=Tally)

    def dice(self, name: str) -> random.Random:
        """All that is left to chance in one experiment, whichever others ran before it."""
        return random.Random(f"{self.seed} {name}")  # noqa: S311 - a schedule, not a secret

    def of(self, *, short: int, usual: int, full: int) -> int:
        return {Effort.SHORT: short, Effort.USUAL: usual, Effort.FULL: full}[self.effort]

    @asynccontextmanager
    async def world(self) -> AsyncIterator[World]:
        """A sandbox and an empty database; the experiment starts the servers."""
        async with (
            database(self.postgres, template=self.template) as name,
            self.world_on(self.postgres.url(name), self.new_folder()) as made,
        ):
            yield made

    @asynccontextmanager
    async def world_on(self, database_url: str, folder: Path) -> AsyncIterator[World]:
        """A sandbox beside a database that has our schema. What it was asked is told to the tally in the end."""
        async with world(folder, database_url) as made:
            yield made
            self.tally.add((await made.ledger())["requests"])

    def new_folder(self) -> Path:
        folder = self.folder / uuid4().hex[:8]
        folder.mkdir()
        return folder


@asynccontextmanager
async def laboratory(folder: Path, *, seed: int, effort: Effort) -> AsyncIterator[Laboratory]:
    postgres = EmbeddedPostgres(folder / "postgres")
    await asyncio.to_thread(postgres.start)
    try:
        async with database(postgres) as template:
            await asyncio.to_thread(migrate, postgres.url(template))
            yield Laboratory(folder=folder, postgres=postgres, template=template, seed=seed, effort=effort)
    finally:
        await asyncio.to_thread(postgres.stop)
