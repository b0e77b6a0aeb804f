"""`python -m tests.differential --seed 7`: plans and graphql-core give the same answers to random documents."""

import argparse
import asyncio
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import uvloop

from tests.differential.trial import Difference, Tally, trial
from web.logs import configure_logs


async def run(folder: Path, seed: int, documents: int) -> Tally:
    async with trial(folder) as made:
        return await made.run(seed, documents)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.differential", description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--documents", type=int, default=20_000)
    arguments = parser.parse_args()
    configure_logs(as_json=False, level="CRITICAL")
    with (
        TemporaryDirectory(prefix="payments-differential-") as folder,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        try:
            tally = runner.run(run(Path(folder), arguments.seed, arguments.documents))
        except Difference as difference:
            sys.exit(str(difference))
    sys.stdout.write(
        f"{tally.documents} documents, seed {arguments.seed}: no difference. "
        f"{tally.refused} were refused, {tally.with_errors} had errors, {tally.without_plan} have no plan; "
        f"{tally.planned_share:.2%} of the others took it.\n"
    )


if __name__ == "__main__":
    main()
