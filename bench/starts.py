"""How long the gateway takes from the command to the first answer that says *ready*, on prepared data."""

from collections.abc import Mapping
from pathlib import Path
from statistics import median

from bench.programs import python, running
from bench.stack import GATEWAY, settings

TURNS = 3


def serve_seconds(folder: Path, address: str) -> float:
    """`payments-gateway serve`, beside a database that runs anyway."""
    environment = settings(address, "http://127.0.0.1:9")
    return median(_seconds(GATEWAY, folder / "start.log", environment) for _ in range(TURNS))


def develop_seconds(folder: Path) -> float:
    """`make run`: with its own PostgreSQL, the sandbox, migrations and demo data."""
    environment = {"DATA_FOLDER": str(folder / "development"), "PORT": "{port}", "SANDBOX_PORT": "0"}
    command = python("gateway", "develop")
    started = [_seconds(command, folder / "start.log", environment) for _ in range(TURNS + 1)]
    return median(started[1:])  # The first one may have prepared the folder.


def _seconds(command: list[str], log: Path, environment: Mapping[str, str]) -> float:
    with running(command, log=log, environment=environment) as program:
        return program.ready_seconds
