"""
A pytest plugin: whatever the suite writes into logs and tables is searched for secrets, and one of them fails the run.

Searched are what each test wrote to its standard output and error, the output of every program that was started,
and every row of a database: before it is emptied for the next test, or dropped. A test that writes a secret on
purpose, to see what becomes of it, says so: `@pytest.mark.writes("card number", why="…")`.
"""

import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import process_time
from typing import Any, Final

import pytest
import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.testing import capture_logs
from structlog.typing import EventDict, Processor, WrappedLogger

from tests.failures import tell
from tests.secret_texts import KINDS, secrets_in
from web.logs import BEGIN, FINISH

MARK: Final = "writes"
MOST_SHOWN: Final = 50
MOST_SUSPECTS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    kind: str
    place: str
    excerpt: str
    tests: tuple[str, ...]

    def __str__(self) -> str:
        suspects = ", ".join(self.tests[-MOST_SUSPECTS:]) or "no test"
        return f"{self.kind} in {self.place}: {self.excerpt!r} ({suspects})"


@dataclass(kw_only=True)
class Search:
    """`running` are the tests since a database was emptied for the last time: one of them wrote what is in it."""

    leaks: list[Leak] = field(default_factory=list)
    allowed: dict[str, frozenset[str]] = field(default_factory=dict)
    running: list[str] = field(default_factory=list)
    characters: int = 0
    seconds: float = 0

    def look_at(self, text: str, place: str, tests: Iterable[str] | None = None) -> None:
        began = process_time()
        suspects = tuple(self.running if tests is None else tests)
        allowed = frozenset[str]().union(*(self.allowed.get(test, ()) for test in suspects))
        self.leaks += [
            Leak(kind=secret.kind, place=place, excerpt=secret.excerpt, tests=suspects)
            for secret in secrets_in(text)
            if secret.kind not in allowed
        ]
        self.characters += len(text)
        self.seconds += process_time() - began

    def begin(self, test: str, allowed: frozenset[str]) -> None:
        self.running.append(test)
        self.allowed[test] = allowed

    def emptied(self) -> None:
        """The shared database has been; only the test that runs now can write into it."""
        del self.running[:-1]


SEARCH: Final = Search()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{MARK}(kind, why): writes such a secret on purpose")
    logging.getLogger().addHandler(library_handler())


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    SEARCH.begin(item.nodeid, allowed_in(item))
    if (
        structlog.get_config()["logger_factory"] is not captured_logger
    ):  # Some tests put it back to its defaults.
        log_as_in_production()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """
    After the teardown, when the report holds what was written in all phases.

    What pytest calls the log are records before they are redacted, which are written nowhere else.
    """
    if report.when == "teardown":
        for name, text in report.sections:
            if not name.startswith("Captured log"):
                SEARCH.look_at(text, name, [report.nodeid])


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if SEARCH.leaks and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    searched = f"{SEARCH.characters / 1e6:.1f} MB of logs and rows in {SEARCH.seconds:.1f} s"
    terminalreporter.write_line(f"Searched {searched} for secrets: {len(SEARCH.leaks)} found.")
    for leak in SEARCH.leaks[:MOST_SHOWN]:
        terminalreporter.write_line(f"LEAK: {leak}", red=True)
        tell(f"LEAK: {leak}")


def allowed_in(item: pytest.Item) -> frozenset[str]:
    """What the test's marks let it write. Raises ValueError for a mark without a reason, or of no known kind."""
    allowed = set()
    for mark in item.iter_markers(MARK):
        if mark.args[0] not in KINDS or not mark.kwargs.get("why"):
            raise ValueError(f"A mark names one of {sorted(KINDS)}, and why.")
        allowed.add(mark.args[0])
    return frozenset(allowed)


def log_as_in_production() -> None:
    """But at every level, and to where pytest captures it."""
    structlog.configure(
        processors=[*BEGIN, *FINISH, structlog.processors.JSONRenderer()],
        logger_factory=captured_logger,
    )


def captured_logger(*_: object) -> structlog.WriteLogger:
    """To standard error as it is now, which pytest replaces."""
    return structlog.WriteLogger(sys.stderr)


@contextmanager
def captured_logs(test: str) -> Iterator[list[EventDict]]:
    """The events of a test, whatever their level, which are searched as production would have written them."""
    processors: list[Processor] = [*BEGIN, *FINISH, structlog.processors.JSONRenderer()]

    def search(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        line: Any = dict(event)
        for process in processors:
            line = process(logger, method, line)
        SEARCH.look_at(str(line), "captured events", [test])
        return event

    with capture_logs([search]) as captured:
        yield captured


class CurrentErrors(logging.Handler):
    """Standard error as it is now, which pytest replaces."""

    def emit(self, record: logging.LogRecord) -> None:
        sys.stderr.write(f"{self.format(record)}\n")


def library_handler() -> logging.Handler:
    handler = CurrentErrors()
    finish: list[Processor] = [*FINISH, structlog.processors.JSONRenderer()]
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[*BEGIN, structlog.stdlib.add_logger_name],
            processors=[ProcessorFormatter.remove_processors_meta, *finish],
        )
    )
    return handler
