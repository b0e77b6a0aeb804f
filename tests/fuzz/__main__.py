"""`python -m tests.fuzz --seed 7`: no GraphQL document of 100 KB or less keeps the event loop to itself."""

import argparse
import asyncio
import random
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import uvloop

from gateway.graphql import policy_of
from gateway.server import spare_the_collector
from gateway.wiring import Gateway
from gql.documents import Documents
from gql.execution import Executor
from gql.executor import SCHEMA
from gql.explorer.page import stories
from gql.limits import Limits
from tests.fuzz.holding import MOST_HELD, Held, held_by
from tests.fuzz.hostile import DEAR, KINDS, Hostile, sizes
from tests.fuzz.mutating import mutations
from tests.fuzz.stage import furnished_gateway
from web.logs import configure_logs

SHOWN = 15


def hostile_documents(seed: int, rounds: int) -> Iterable[Hostile]:
    """Every kind in every size, what is dear though allowed, and so many mutations of both and of the stories."""
    documents, limits = Documents(SCHEMA, Limits()), Limits()
    known = [
        each for kind in KINDS for each in sizes(kind, limits, lambda text: not documents.read(text).errors)
    ]
    known += DEAR.values()
    yield from known
    texts = [each.query for each in known if len(each.query) < 10_000] + [story.query for story in stories()]
    yield from mutations(texts, random.Random(seed), rounds)  # noqa: S311 - a schedule, not a secret


async def run(folder: Path, *, seed: int, rounds: int) -> Sequence[Held]:
    found: list[Held] = []
    async with furnished_gateway(folder) as (gateway, admin):
        spare_the_collector()  # As `payments-gateway serve` does.
        for number, hostile in enumerate(hostile_documents(seed, rounds)):
            if number % 200 == 0:
                sys.stderr.write(f"{number} documents …\n")
            found.append(await held_by(hostile, executor_of(gateway), admin, gateway.services))
    return found


def executor_of(gateway: Gateway) -> Executor:
    """A new one, which knows no document yet."""
    return Executor(policy_of(gateway.settings))


def table(found: Sequence[Held]) -> str:
    longest = sorted(found, key=lambda held: held.turns.processor, reverse=True)[:SHOWN]
    lines = [
        f"{each.turns.processor * 1000:6.0f}  {each.turns.wall * 1000:6.0f}  {len(each.hostile.query):6}  "
        f"{each.hostile.kind}: {', '.join(sorted(each.codes)) or 'executed'}"
        for each in longest
    ]
    return "\n".join(["    ms      ms   bytes  (of the processor, in all)", *lines])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=7, help="decides how documents are spoilt")
    parser.add_argument("--rounds", type=int, default=2000, help="how many spoilt documents")
    arguments = parser.parse_args()
    configure_logs(as_json=False, level="CRITICAL")
    with (
        TemporaryDirectory(prefix="payments-fuzz-") as folder,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        found = runner.run(run(Path(folder), seed=arguments.seed, rounds=arguments.rounds))
    late = [each for each in found if each.turns.processor > MOST_HELD]
    surprises = [each for each in found if "INTERNAL_ERROR" in each.codes]
    sys.stdout.write(f"{table(found)}\n\n{len(found)} documents, seed {arguments.seed}.\n")
    for each in surprises:
        sys.stdout.write(f"A surprise: {each.hostile.query[:2000]!r}\n")
    for each in late:
        sys.stdout.write(f"Held longer than {MOST_HELD * 1000:.0f} ms by {each.hostile.query[:2000]!r}\n")
    sys.exit(1 if late or surprises else 0)


if __name__ == "__main__":
    main()
