"""`python -m tests.contract`: schemathesis at length, against a development stack of its own."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path
from random import randrange
from typing import Final

from tests.acceptance.stack import developing
from tests.contract.schemathesis_runs import on_graphql, on_rest
from tests.contract.target import prepared

EXAMPLES: Final = 40
"""How many requests are made up per operation, in each phase."""


async def main(seed: int, examples: int) -> int:
    """The worse status of both runs."""
    folder = Path(tempfile.mkdtemp(prefix="schemathesis-"))
    choices = (f"--seed={seed}", f"--max-examples={examples}")
    with developing(folder / "stack") as stack:
        await stack.is_ready()
        target = await prepared(stack)
        found = [await on_rest(target, folder, *choices), await on_graphql(target, folder, *choices)]
    sys.stdout.write("\n".join(each.printed for each in found))
    return max(each.status for each in found)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=randrange(2**32))  # noqa: S311  # Not for secrets.
    parser.add_argument("--examples", type=int, default=EXAMPLES)
    return parser.parse_args()


if __name__ == "__main__":
    asked = arguments()
    sys.exit(asyncio.run(main(asked.seed, asked.examples)))
