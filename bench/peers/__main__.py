"""`python -m bench.peers`: about a quarter of an hour, after the data set was loaded once."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bench.pages import page_latencies, requests
from bench.peers import node_programs
from bench.peers.answers import OtherAnswer, compare
from bench.peers.measuring import Contest, Rounds, footprint, measured
from bench.peers.processors import IS_PINNED, beside_the_servers
from bench.peers.published import publish, write
from bench.peers.questions import questions
from bench.peers.result import Machine, Result
from bench.peers.servers import GATEWAY_NAME, SERVERS, node_environment, started
from bench.peers.table import printed
from bench.peers.targets import verdicts
from bench.programs import NotReady, python, running
from bench.progress import step
from bench.stack import database, postgres_program, settings

ROOT: Final = Path(__file__).resolve().parents[2]
STRIPE: Final = python("bench.peers.instant_stripe")


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    payments: int
    warm_up: float
    """Seconds per server and operation."""
    rounds: Sequence[Rounds]
    page_turns: int


FULL: Final = Effort(
    payments=1_000_000,
    warm_up=2.0,
    rounds=[
        Rounds(connections=16, turns=5, seconds=2.0),
        Rounds(connections=1, turns=3, seconds=1.0),
        Rounds(connections=64, turns=3, seconds=1.0),
    ],
    page_turns=5,
)
QUICK: Final = Effort(
    payments=10_000,
    warm_up=0.4,
    rounds=[
        Rounds(connections=16, turns=1, seconds=0.4),
        Rounds(connections=1, turns=1, seconds=0.2),
        Rounds(connections=64, turns=1, seconds=0.2),
    ],
    page_turns=1,
)


def run(folder: Path, effort: Effort) -> Result:
    node = node_programs.version(node_programs.installed())
    with contest(folder, effort.payments) as (address, entered):
        with step("The same answers from all"):
            asyncio.run(compare(entered.servers, entered.programs, entered.questions))
        with step("Warm-up"):
            entered.warm_up(seconds=effort.warm_up)
        found = []
        for rounds in effort.rounds:
            with step(f"{rounds.connections} at once"):
                found += measured(entered, rounds)
        with step("Pages"):
            asked = asyncio.run(requests(address, effort.payments))
            gateway = entered.programs[GATEWAY_NAME]
            pages = page_latencies(gateway, entered.postgres, asked, turns=effort.page_turns)
        return Result(
            on=datetime.now(UTC).date(),
            payments=effort.payments,
            machine=Machine.here(node=node, is_pinned=IS_PINNED),
            measured=found,
            footprints=[footprint(name, program) for name, program in entered.programs.items()],
            pages=pages,
        )


@contextmanager
def contest(folder: Path, payments: int) -> Iterator[tuple[str, Contest]]:
    """Everything running, and the address of the data."""
    with ExitStack() as opened:
        opened.enter_context(beside_the_servers())
        with step("Data set"):
            address = opened.enter_context(database(folder, payments))
        log = folder / "stripe.log"
        stripe = opened.enter_context(running(STRIPE, log=log, environment={"PORT": "{port}"}))
        with step("Servers"):
            environment = {**settings(address, stripe.url), **node_environment(address)}
            programs = opened.enter_context(started(SERVERS, folder, environment))
        asked = asyncio.run(questions(address, payments))
        yield (
            address,
            Contest(servers=SERVERS, programs=programs, questions=asked, postgres=postgres_program(folder)),
        )


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    options.add_argument(
        "--quick", action="store_true", help="10,000 payments and short turns; publishes nothing"
    )
    options.add_argument("--folder", type=Path, default=Path("var/bench"), help="where the data is kept")
    arguments = options.parse_args()
    # Leave by an exception, which ends every process.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = arguments.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        result = run(folder, QUICK if arguments.quick else FULL)
    except (node_programs.NoNode, NotReady, OtherAnswer) as hindrance:
        sys.exit(str(hindrance))
    judged = verdicts(result)
    write(result, judged, folder / "peers.json")
    if not arguments.quick:
        publish(result, judged, root=ROOT)
    print(printed(result, judged))


if __name__ == "__main__":
    main()
