"""What an independent tool makes of our documents, in short; `make schemathesis` is the long form."""

import asyncio
import re
from pathlib import Path
from typing import Final

from tests.acceptance.stack import Stack
from tests.contract.schemathesis_runs import on_graphql, on_rest
from tests.contract.target import prepared

SHORT: Final = ("--seed=7", "--no-shrink")


async def test_schemathesis_finds_nothing(stack: Stack, tmp_path: Path) -> None:
    target = await prepared(stack)

    found = await asyncio.gather(
        on_rest(target, tmp_path, *SHORT, "--max-examples=5", "--phases=examples,fuzzing,stateful"),
        on_graphql(target, tmp_path, *SHORT, "--max-examples=2"),
    )

    for each in found:
        assert each.status == 0, each.printed
        [generated, passed] = re.findall(r"(\d+) generated, (\d+) passed", each.printed)[0]
        assert int(generated) == int(passed) > 90
