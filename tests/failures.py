"""A line for each test that failed, in the file named by FAILURES: several runs that stand for one show it last."""

import os
from pathlib import Path

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for kind in ("failed", "error"):
        for report in terminalreporter.getreports(kind):
            tell(f"{kind.upper()} {report.nodeid} - {message(report)}")


def tell(line: str) -> None:
    if wanted := os.environ.get("FAILURES"):
        with Path(wanted).open("a") as file:
            file.write(f"{line}\n")


def message(report: pytest.TestReport) -> str:
    """The line of the exception that names it."""
    said = report.longreprtext.splitlines()
    return next(
        (line.removeprefix("E").strip() for line in said if line.startswith("E ")), said[-1] if said else ""
    )
