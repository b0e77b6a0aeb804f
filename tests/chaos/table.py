"""The table that a run ends with, in Markdown, so that it may be copied."""

from collections.abc import Sequence
from typing import Final

from tests.chaos.finding import Finding

HEAD: Final = ["| | experiment | measured | target | |", "|---|---|---|---|---|"]


def printed(found: Sequence[Finding]) -> str:
    return "\n".join([*HEAD, *map(_line, found)])


def _line(found: Finding) -> str:
    held = "holds" if found.holds else "**missed**"
    return f"| {found.experiment} | {found.tried} | {found.measured} | {found.target} | {held} |"
