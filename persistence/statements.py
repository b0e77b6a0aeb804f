"""How many statements were sent to the database, counted only where somebody asks."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

SENT: Final = "before_cursor_execute"
NO_TABLE: Final = "-"

_TABLE: Final = re.compile(r"\b(?:FROM|INTO|UPDATE) (\w+)(?![\w(])")
"""The first table that a statement names; functions in its place are passed over."""

_counts: ContextVar[Counter[str] | None] = ContextVar("statements", default=None)
"""One object for a request and every task that it starts, since a task gets a copy of the variables alone."""


@contextmanager
def counting(engine: AsyncEngine) -> Iterator[Mapping[str, int]]:
    """The engine pays nothing until it is asked for the first time."""
    if not event.contains(engine.sync_engine, SENT, _note_sent):
        event.listen(engine.sync_engine, SENT, _note_sent)
    counts = Counter[str]()
    token = _counts.set(counts)
    try:
        yield counts
    finally:
        _counts.reset(token)


def is_watched(engine: AsyncEngine) -> bool:
    """Whether somebody looks at each statement, and not only counts them."""
    return bool(engine.sync_engine.dispatch.after_cursor_execute)


def note_statement(about: str) -> None:
    """One more that names this table."""
    counts = _counts.get()
    if counts is not None:
        counts[about] += 1


def _note_sent(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
    if _counts.get() is not None:
        note_statement(table_in(statement))


@lru_cache(512)
def table_in(statement: str) -> str:
    found = _TABLE.search(statement)
    return found[1] if found else NO_TABLE
