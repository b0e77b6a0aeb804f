"""The sandbox's own time: real time plus an offset, or a frozen moment."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sandbox.state.database import Database

SCHEMA = """
CREATE TABLE IF NOT EXISTS clock (
    only_row  INTEGER PRIMARY KEY CHECK (only_row = 1),
    ahead     REAL NOT NULL,
    frozen_at REAL
);
"""
BEGINNING = "INSERT OR IGNORE INTO clock VALUES (1, ?, NULL)"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockStatus:
    now: int
    ahead: float
    is_frozen: bool


class Clock:
    """
    Every `created` and every expiry reads this clock; webhook signatures and retries keep real time.

    `behind` is how many seconds in the past it begins, where there is no state yet.
    """

    def __init__(self, database: Database, *, behind: float = 0) -> None:
        self._database = database
        database.define(SCHEMA)
        database.execute(BEGINNING, (-behind,))
        self._ahead, self._frozen_at = database.execute("SELECT ahead, frozen_at FROM clock").fetchone()
        self._relived: int | None = None

    def now(self) -> int:
        return int(self._precise()) if self._relived is None else self._relived

    @contextmanager
    def at(self, moment: int) -> Iterator[None]:
        """Do what was due at a moment that a jump of the clock passed over, as if it were that moment still."""
        self._relived = moment
        try:
            yield
        finally:
            self._relived = None

    def status(self) -> ClockStatus:
        return ClockStatus(now=self.now(), ahead=self._ahead, is_frozen=self._frozen_at is not None)

    def advance(self, seconds: float) -> None:
        """Move time forward; it never goes back, as the order of Stripe's lists follows `created`."""
        if seconds < 0:
            raise ValueError("the clock only moves forward")
        self._ahead += seconds
        if self._frozen_at is not None:
            self._frozen_at += seconds
        self._save()

    def freeze(self) -> None:
        self._frozen_at = self._precise()
        self._save()

    def unfreeze(self) -> None:
        """Go on from the frozen moment, not from where real time has meanwhile arrived."""
        self._ahead = self._precise() - time.time()
        self._frozen_at = None
        self._save()

    def _precise(self) -> float:
        return float(self._frozen_at if self._frozen_at is not None else time.time() + self._ahead)

    def _save(self) -> None:
        self._database.execute("UPDATE clock SET ahead = ?, frozen_at = ?", (self._ahead, self._frozen_at))
