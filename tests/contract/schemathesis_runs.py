"""The two runs, as processes: what schemathesis finds is in what they print."""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.app import GRAPHQL
from tests.contract.target import Target

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[1]
PROGRAM: Final = str(Path(sys.executable).with_name("schemathesis"))
ALWAYS: Final = ("--checks=all", "--no-color", "--continue-on-failure", "--generation-database=none")
EVERY_ERROR_IS_A_FAULT: Final = ("not_a_server_error", "positive_data_acceptance")
"""
To these an entry of GraphQL's `errors` is a fault of the server. But NOT_FOUND for an id that was made up, and a
document that is refused for its cost, are answers: the check errors_are_answers tells them from what is unforeseen.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    status: int
    printed: str


async def on_rest(target: Target, folder: Path, *choices: str) -> Found:
    """`choices` are options of `schemathesis run`."""
    document = folder / "openapi.json"
    document.write_text(target.document)
    return await _run("rest.toml", [str(document), f"--url={target.url}", *choices], target, folder)


async def on_graphql(target: Target, folder: Path, *choices: str) -> Found:
    asking = f"--header=Authorization: Bearer {target.token}"
    but = f"--exclude-checks={','.join(EVERY_ERROR_IS_A_FAULT)}"
    return await _run("graphql.toml", [f"{target.url}{GRAPHQL}", asking, but, *choices], target, folder)


async def _run(configuration: str, arguments: Sequence[str], target: Target, folder: Path) -> Found:
    process = await asyncio.create_subprocess_exec(
        *(PROGRAM, f"--config-file={HERE / configuration}", "run", *ALWAYS, *arguments),
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "TOKEN": target.token,
            "IDS": json.dumps(target.ids),
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await process.communicate()
    return Found(status=process.returncode or 0, printed=printed.decode(errors="replace"))
