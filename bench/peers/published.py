"""What a run leaves behind: a file for programs, and in the documentation figures that nobody typed by hand."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

import orjson

from bench.peers import chart, table
from bench.peers.result import Result
from bench.peers.targets import Verdict

CHART: Final = Path("docs/benchmark.svg")
PAGE: Final = Path("docs/benchmark.md")
README: Final = Path("README.md")
BEGIN: Final = "<!-- bench-peers: written by make bench-peers -->"
END: Final = "<!-- bench-peers: end -->"


class NoPlace(ValueError):
    """A document has no place for the figures."""


def write(result: Result, verdicts: Sequence[Verdict], file: Path) -> None:
    described = {**asdict(result), "verdicts": [{**asdict(each), "held": each.is_held} for each in verdicts]}
    file.write_bytes(orjson.dumps(described, option=orjson.OPT_INDENT_2))


def publish(result: Result, verdicts: Sequence[Verdict], *, root: Path) -> None:
    """Write the chart, the page's tables, and where the README's figures are from. Raises NoPlace."""
    (root / CHART).write_text(chart.svg(result))
    for file, words in ((PAGE, table.markdown(result, verdicts)), (README, table.origin(result))):
        path = root / file
        path.write_text(with_figures(path.read_text(), words, file))


def with_figures(document: str, words: str, file: Path) -> str:
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise NoPlace(f"{file} has no place for the figures: {BEGIN} … {END}")
    return f"{before}{BEGIN}\n\n{words}\n\n{END}{after}"
