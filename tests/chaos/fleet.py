"""The processes of one gateway: a server with its worker, or two replicas and a worker apart."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from tests.acceptance.processes import Program, free_port
from tests.acceptance.world import World
from tests.chaos.laboratory import PLAIN
from tests.waiting import until

READY_SECONDS: Final = 60.0
APART: Final = {"RUN_WORKER": "false"}


class Fleet(Protocol):
    """`victim` is the process that an experiment kills; `replace_victim` is what happens then."""

    @property
    def urls(self) -> list[str]: ...

    @property
    def victim(self) -> Program: ...

    async def start(self) -> None: ...

    async def replace_victim(self) -> None:
        """As its operator does after the kill."""
        ...

    async def complete(self) -> None:
        """Have everything run again, before the next kill."""
        ...


@dataclass(kw_only=True)
class Single:
    """One server with its worker, which is started again at once."""

    world: World
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def urls(self) -> list[str]:
        return [f"http://127.0.0.1:{self.world.port}"]

    @property
    def victim(self) -> Program:
        return self.world.gateway

    async def start(self) -> None:
        await self.world.serve(**PLAIN, **self.settings)

    async def replace_victim(self) -> None:
        await self.start()

    async def complete(self) -> None:
        assert not self.world.gateway.has_ended, self.world.gateway.written


@dataclass(kw_only=True)
class Replicas:
    """Two servers and a worker; the first of them is killed, and the others go on alone."""

    world: World
    settings: Mapping[str, str] = field(default_factory=dict)
    second_port: int = field(default_factory=free_port)
    second: Program = field(init=False)

    @property
    def urls(self) -> list[str]:
        return [f"http://127.0.0.1:{port}" for port in (self.world.port, self.second_port)]

    @property
    def victim(self) -> Program:
        return self.world.gateway

    async def start(self) -> None:
        given = {**PLAIN, **self.settings}
        self.second = self.world.start("serve", **given, **APART, PORT=str(self.second_port))
        self.world.start("worker", **given)
        await self.complete()
        await until(self._second_is_ready, seconds=READY_SECONDS)

    async def replace_victim(self) -> None:
        """The others go on."""

    async def complete(self) -> None:
        await self.world.serve(**PLAIN, **self.settings, **APART)

    async def _second_is_ready(self) -> bool:
        assert not self.second.has_ended, self.second.written
        return await self.world.status(f"http://127.0.0.1:{self.second_port}/readyz") == 200
