"""What a run found."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, Self

from bench.pages import PageLatency
from bench.turns import Figures

MAIN: Final = 16
"""How many requests are under way where nothing else is said."""
CPU_NAMES: Final = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One operation of one server."""

    operation: str
    server: str
    connections: int
    figures: Figures
    postgres_cpu_ms: float
    """PostgreSQL's processor time per request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """A server's process, after everything was asked of it. Memory in MiB."""

    server: str
    ready_seconds: float
    resident: float
    """All that it holds, counting what it shares with other processes as its own."""
    unshared: float
    """What would be free without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    processor: str
    processors: int
    system: str
    python: str
    node: str
    is_pinned: bool
    """Whether the servers had a processor of their own."""

    @classmethod
    def here(cls, *, node: str, is_pinned: bool) -> Self:
        return cls(
            processor=processor_name(),
            processors=os.cpu_count() or 1,
            system=f"{platform.system()} {platform.machine()}",
            python=platform.python_version(),
            node=node,
            is_pinned=is_pinned,
        )

    def __str__(self) -> str:
        return f"{self.processors} × {self.processor}, {self.system}, Python {self.python}, Node {self.node}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    on: date
    payments: int
    machine: Machine
    measured: Sequence[Measured]
    footprints: Sequence[Footprint]
    pages: Sequence[PageLatency]

    @property
    def operations(self) -> list[str]:
        return list(dict.fromkeys(one.operation for one in self.measured))

    @property
    def servers(self) -> list[str]:
        return [footprint.server for footprint in self.footprints]

    @property
    def connections(self) -> list[int]:
        return sorted({one.connections for one in self.measured})

    def of(self, operation: str, server: str, connections: int = MAIN) -> Measured | None:
        """None where the server does not know the operation."""
        key = (operation, server, connections)
        found = (one for one in self.measured if (one.operation, one.server, one.connections) == key)
        return next(found, None)

    def ratio(self, operation: str, server: str, other: str) -> float | None:
        """A server's processor time per request over another's."""
        one, two = self.of(operation, server), self.of(operation, other)
        return one.figures.cpu_ms / two.figures.cpu_ms if one and two else None

    def footprint(self, server: str) -> Footprint:
        return next(each for each in self.footprints if each.server == server)


def processor_name() -> str:
    if CPU_NAMES.exists():
        for line in CPU_NAMES.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
