"""`python -m bench`: about five minutes, after the data set was loaded once."""

import argparse
import asyncio
import signal
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.pages import page_latencies, requests
from bench.progress import step
from bench.report import Result, printed, write
from bench.stack import database, postgres_program, questions, stack
from bench.starts import develop_seconds, serve_seconds
from bench.statistics import year_latencies
from bench.turns import compared


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    payments: int
    turns: int
    seconds: float
    """Per turn."""


FULL: Final = Effort(payments=1_000_000, turns=5, seconds=3.0)
QUICK: Final = Effort(payments=10_000, turns=1, seconds=0.5)


def measured(folder: Path, effort: Effort) -> Result:
    with ExitStack() as opened:
        with step("Data set"):
            address = opened.enter_context(database(folder, effort.payments))
        with step("Starts"):
            serve, develop = serve_seconds(folder, address), develop_seconds(folder)
        with stack(folder, address) as running:
            with step("Operations"):
                asked = asyncio.run(questions(running, address, effort.payments))
                comparisons = compared(running, asked, turns=effort.turns, seconds=effort.seconds)
            with step("Pages"):
                pages = asyncio.run(requests(address, effort.payments))
                latencies = page_latencies(
                    running.gateway, postgres_program(folder), pages, turns=effort.turns
                )
            with step("Statistics"):
                years = year_latencies(running.gateway, address)
            resident = running.gateway.resident_bytes() / 2**20
    return Result(
        payments=effort.payments,
        comparisons=comparisons,
        pages=latencies,
        years=years,
        serve_seconds=serve,
        develop_seconds=develop,
        resident_mib=resident,
    )


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    options.add_argument("--quick", action="store_true", help="10,000 payments and short turns")
    options.add_argument("--folder", type=Path, default=Path("var/bench"), help="where the data is kept")
    arguments = options.parse_args()
    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit(143)
    )  # Leave by an exception, which ends every process.
    folder = arguments.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    result = measured(folder, QUICK if arguments.quick else FULL)
    write(result, folder / "result.json")
    print(printed(result))


if __name__ == "__main__":
    main()
