"""What an independent tool makes of our documents, in short; `make schemathesis` is the long form."""

import asyncio
from pathlib import Path
from typing import Final

from tests.acceptance.stack import Stack
from tests.contract.schemathesis_runs import on_graphql, on_rest
from tests.contract.target import prepared

SHORT: Final = ("--seed=7", "--no-shrink")


async def test_schemathesis_finds_nothing(stack: Stack, tmp_path: Path) -> None:
    target = await prepared(stack)

    found = await asyncio.gather(
        on_rest(target, tmp_path, *SHORT, "--max-examples=8", "--phases=examples,coverage,stateful"),
        on_graphql(target, tmp_path, *SHORT, "--max-examples=3"),
    )

    for each in found:
        assert each.status == 0, each.printed
        assert "No issues found" in each.printed
