"""`payments-gateway develop`, which `make run` calls, as a process of its own."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import uuid4

import httpx2

from gateway.demo import USER
from gateway.development import DATABASE
from gateway.embedded_postgres import EmbeddedPostgres
from tests.acceptance.processes import COMMAND, Program, free_port, started
from tests.api import Api
from tests.databases import search
from tests.parts import bearer

TOKENS: Final = re.compile(r"^  [\w ]+ eyJ[\w.-]+$", re.MULTILINE)
"""The banner shows tokens of the demo's people, on standard output, to be copied."""
STOP_SECONDS: Final = 5.0
"""How long the end of everything may take."""


@dataclass(frozen=True, kw_only=True)
class Stack:
    program: Program
    folder: Path

    @property
    def url(self) -> str:
        return self._told("GraphiQL").removesuffix("/graphql")

    @property
    def sandbox_url(self) -> str:
        return self._told("Sandbox")

    def token(self, of: str) -> str:
        return self._told(of)

    def _told(self, name: str) -> str:
        """What the banner says after a name."""
        [told] = re.findall(rf"^  {name} +(\S+)$", self.program.written, re.MULTILINE)
        return str(told)

    async def is_ready(self) -> None:
        await self.program.says("Ctrl-C stops everything")

    async def search(self) -> None:
        """Look for secrets in all rows of its database."""
        await search(EmbeddedPostgres(self.folder / "postgres").url(DATABASE))

    @asynccontextmanager
    async def demo_user(self) -> AsyncIterator[Api]:
        async with httpx2.AsyncClient(base_url=self.url, timeout=30) as http:
            yield Api(http=http, headers=bearer(USER))


@contextmanager
def developing(folder: Path, **settings: str) -> Iterator[Stack]:
    """Everything in one folder, on free ports."""
    ports = {"PORT": str(free_port()), "SANDBOX_PORT": str(free_port())}
    environment = {"DATA_FOLDER": str(folder), "DEMO_DAYS": "0", **ports, **settings}
    folder.mkdir(exist_ok=True)
    log = folder.parent / f"{uuid4()}.log"
    with started([COMMAND, "develop"], environment, log, shown=TOKENS) as program:
        try:
            yield Stack(program=program, folder=folder)
        finally:
            if not program.has_ended:
                program.process.terminate()
                program.process.wait(STOP_SECONDS)
