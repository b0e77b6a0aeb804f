"""What the documentation has one type is what the programs take: requests are sent, command lines are read."""

import asyncio
import re
import shlex
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import orjson
import pytest
import typer

from gateway.cli import app
from tests.acceptance.stack import Stack

ROOT: Final = Path(__file__).parents[2]
FENCE: Final = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)
COMMAND: Final = "payments-gateway"
LOCAL: Final = "localhost:8000"
STARTED: Final = frozenset({f"{COMMAND} serve", f"{COMMAND} worker"})


def pages() -> Sequence[Path]:
    return sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])


def blocks(page: Path) -> Iterator[str]:
    return (found[1] for found in FENCE.finditer(page.read_text(encoding="utf-8")))


def command_lines() -> Iterator[str]:
    for page in pages():
        for block in blocks(page):
            for line in block.splitlines():
                _, command, arguments = line.partition(f"{COMMAND} ")
                if command:
                    yield f"{COMMAND} {re.split(r'  +#| 2>&1', arguments)[0].strip()}"


def read_by(command: Any, arguments: list[str], parent: Any = None) -> None:
    """Raises UsageError for what the command line does not know."""
    context = command.make_context(COMMAND, list(arguments), parent=parent)
    if hasattr(command, "resolve_command"):
        name, inner, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        assert inner is not None, name
        read_by(inner, rest, context)


class TestCommandLines:
    @pytest.mark.parametrize("line", sorted(set(command_lines())))
    def test_are_known(self, line: str) -> None:
        read_by(typer.main.get_command(app), shlex.split(line)[1:])

    def test_are_found(self) -> None:
        assert set(command_lines()) > STARTED


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
class TestReadme:
    async def test_shows_requests_that_are_answered(self, stack: Stack, tmp_path: Path) -> None:
        """As they stand there, with the tokens and ids that they leave open."""
        graphql, rest = [block for block in blocks(ROOT / "README.md") if "curl" in block]
        tokens = [f"TOKEN={stack.token('demo user')}", f"ADMIN={stack.token('admin')}"]
        open_ones = re.compile(r"^(?:TOKEN|ADMIN)=….*\n", re.MULTILINE)
        ids = [
            """paid=$(curl -s $API -d '{"amount": 900, "currency": "EUR"}' -H "Authorization: Bearer $TOKEN" \
              -H "Content-Type: application/json" -H "Idempotency-Key: to-be-refunded")""",
            'live=$(curl -s "$API/subscriptions" -H "Authorization: Bearer $TOKEN")',
            'PAYMENT=$(first_id "$paid")',
            'SUBSCRIPTION=$(first_id "$live")',
        ]
        script = "\n".join(
            [
                "set -euo pipefail",
                'first_id() { grep -o \'"id": *"[^"]*"\' <<<"$1" | head -1 | cut -d\'"\' -f4; }',
                *tokens,
                f"API={LOCAL}/api/v1/payments",
                *ids,
                open_ones.sub("", graphql).replace("curl ", "curl -sS --fail-with-body "),
                open_ones.sub("", rest).replace("curl ", "\necho\ncurl -sS --fail-with-body "),
            ]
        ).replace(LOCAL, stack.url.removeprefix("http://"))

        said = await run(script, tmp_path)

        answers = [orjson.loads(line) for line in said.splitlines() if line.startswith("{")]
        assert len(answers) == script.count("--fail-with-body") - 1  # The last one is a file.
        assert [answer for answer in answers if "data" not in answer or "errors" in answer] == []
        assert exported_rows(tmp_path) > 1


def exported_rows(folder: Path) -> int:
    [exported] = folder.glob("*.csv")
    return exported.read_text(encoding="utf-8").count("\n") - 1


async def run(script: str, folder: Path) -> str:
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", script, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode()
