"""The whole program as its users run it: a sandbox, a server, a database of its own, and a referee."""

import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx2

from domain.actor import Actor
from gateway.app import STRIPE_WEBHOOK
from gateway.settings import DEVELOPMENT_JWT_SECRET, DEVELOPMENT_STRIPE_KEY, DEVELOPMENT_WEBHOOK_SECRET
from persistence.address import asyncpg_dsn
from tests.acceptance.processes import COMMAND, Program, free_port, started
from tests.api import Api
from tests.parts import bearer
from tests.waiting import until

PATIENCE: Final = httpx2.Timeout(40)


@dataclass(kw_only=True)
class World:
    """`gateway` is the server that runs now; the one before it may have been killed."""

    folder: Path
    database_url: str
    port: int
    sandbox_url: str
    http: httpx2.AsyncClient
    control: httpx2.AsyncClient
    programs: AsyncExitStack
    gateway: Program = field(init=False)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "ENVIRONMENT": "development",
            "PORT": str(self.port),
            "DATABASE_URL": self.database_url,
            "STRIPE_SECRET_KEY": DEVELOPMENT_STRIPE_KEY,
            "STRIPE_WEBHOOK_SECRET": DEVELOPMENT_WEBHOOK_SECRET,
            "STRIPE_API_BASE": self.sandbox_url,
            "JWT_SECRET": DEVELOPMENT_JWT_SECRET,
            "OPERATION_LEASE_SECONDS": "2",
            "RESUME_SECONDS": "1",
            "DEBUG_EXTENSION": "true",
            "LOG_LEVEL": "DEBUG",
        }

    def api(self, actor: Actor) -> Api:
        return Api(http=self.http, headers=bearer(actor))

    def start(self, command: str, **settings: str) -> Program:
        """One of our commands, with its output in `<command>.log`."""
        program = started(
            [COMMAND, command], {**self.environment, **settings}, self.folder / f"{command}.log"
        )
        return self.programs.enter_context(program)

    async def serve(self, **settings: str) -> None:
        """Start the server (again), and return when it is ready."""
        self.gateway = self.start("serve", **settings)
        await until(self._is_ready, seconds=60)

    async def _is_ready(self) -> bool:
        assert not self.gateway.has_ended, self.gateway.written
        return await self.status("/readyz") == 200

    async def status(self, path: str) -> int:
        """0 where nobody answers."""
        try:
            return (await self.http.get(path)).status_code
        except httpx2.TransportError:
            return 0

    async def ledger(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.control.get("/_sandbox/ledger")).json()
        return found

    async def captures(self) -> int:
        count: int = (await self.ledger())["totals"]["captures"]
        return count

    async def spoil(self, **rule: Any) -> None:
        """The next request to Stripe that fits meets with this fault."""
        answer = await self.control.post("/_sandbox/faults", json={"rules": [rule]})
        assert answer.status_code == 200, answer.text

    async def faults(self) -> dict[str, Any]:
        """The rules that have not been met yet, and how many requests are still to be carried out."""
        found: dict[str, Any] = (await self.control.get("/_sandbox/faults")).json()
        return found

    async def hold_webhooks(self) -> None:
        await self.control.post("/_sandbox/webhooks", json={"paused": True})

    @asynccontextmanager
    async def database(self) -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(asyncpg_dsn(self.database_url))
        try:
            yield connection
        finally:
            await connection.close()

    async def rows(self, statement: str, *values: Any) -> list[Mapping[str, Any]]:
        async with self.database() as connection:
            return [dict(row) for row in await connection.fetch(statement, *values)]

    async def value(self, statement: str, *values: Any) -> Any:
        async with self.database() as connection:
            return await connection.fetchval(statement, *values)


@asynccontextmanager
async def world(folder: Path, database_url: str) -> AsyncIterator[World]:
    """Everything but the server, which the test starts."""
    port = free_port()
    async with AsyncExitStack() as programs:
        sandbox = programs.enter_context(started(sandbox_command(folder, port), {}, folder / "sandbox.log"))
        sandbox_url = (await sandbox.says("sandbox ready on")).split()[-1]
        yield World(
            folder=folder,
            database_url=database_url,
            port=port,
            sandbox_url=sandbox_url,
            http=await programs.enter_async_context(
                httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE)
            ),
            control=await programs.enter_async_context(
                httpx2.AsyncClient(base_url=sandbox_url, timeout=PATIENCE)
            ),
            programs=programs,
        )


def sandbox_command(folder: Path, port: int) -> list[str]:
    state, hook = str(folder / "sandbox.sqlite"), f"http://127.0.0.1:{port}{STRIPE_WEBHOOK}"
    return [
        *(sys.executable, "-m", "sandbox", "--port", "0", "--state", state),
        *("--webhook-url", hook, "--webhook-secret", DEVELOPMENT_WEBHOOK_SECRET),
        *("--webhook-backoff", ",".join(["0.2"] * 200)),
    ]
