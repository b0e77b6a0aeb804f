"""The queue of webhook deliveries; it outlives the process, so an undelivered one goes on after a restart."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sandbox.state.database import Database

State = Literal["pending", "delivered", "failed", "dropped"]

SCHEMA = """
CREATE TABLE IF NOT EXISTS deliveries (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    event    TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    state    TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    due      REAL NOT NULL,
    status   INTEGER,
    error    TEXT
);
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (due, id) WHERE state = 'pending';
CREATE INDEX IF NOT EXISTS deliveries_by_event ON deliveries (event);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """
    One event on its way to one endpoint. `due` is real time in seconds since the epoch; `status` and
    `error` tell how the last attempt ended: an HTTP status, or why there was none.
    """

    id: int
    event: str
    endpoint: str
    state: State
    attempts: int
    due: float
    status: int | None
    error: str | None


class Deliveries:
    def __init__(self, database: Database) -> None:
        self._database = database
        self.on_added: Callable[[], None] = lambda: None
        database.define(SCHEMA)

    def add(self, event: str, endpoint: str, *, late: float = 0.0) -> None:
        """`late` is how many seconds the first attempt waits."""
        self._database.execute(
            "INSERT INTO deliveries (event, endpoint, state, attempts, due) VALUES (?, ?, 'pending', 0, ?)",
            (event, endpoint, time.time() + late),
        )
        self.on_added()

    def drop(self, event: str, endpoint: str, *, reason: str) -> None:
        """Note a delivery that will never be attempted."""
        self._database.execute(
            "INSERT INTO deliveries (event, endpoint, state, attempts, due, error) VALUES (?, ?, 'dropped', 0, ?, ?)",
            (event, endpoint, time.time(), reason),
        )

    def due(self, now: float, limit: int) -> list[Delivery]:
        return self._select("WHERE state = 'pending' AND due <= ? ORDER BY due, id LIMIT ?", (now, limit))

    def next_due(self, after: float) -> float | None:
        row = self._database.execute(
            "SELECT MIN(due) FROM deliveries WHERE state = 'pending' AND due > ?", (after,)
        ).fetchone()
        return None if row[0] is None else float(row[0])

    def has_pending(self) -> bool:
        row = self._database.execute(
            "SELECT EXISTS (SELECT 1 FROM deliveries WHERE state = 'pending')"
        ).fetchone()
        return bool(row[0])

    def outstanding(self, event: str) -> int:
        """How many endpoints have not accepted an event yet: Stripe's `pending_webhooks`."""
        row = self._database.execute(
            "SELECT COUNT(*) FROM deliveries WHERE event = ? AND state = 'pending'", (event,)
        ).fetchone()
        return int(row[0])

    def latest(self, limit: int) -> list[Delivery]:
        return self._select("ORDER BY id DESC LIMIT ?", (limit,))

    def settle(self, id_: int, state: State, *, status: int | None, error: str | None) -> None:
        """Note an attempt after which there is nothing more to do."""
        self._database.execute(
            "UPDATE deliveries SET state = ?, attempts = attempts + 1, status = ?, error = ? WHERE id = ?",
            (state, status, error, id_),
        )

    def postpone(self, id_: int, due: float, *, status: int | None, error: str | None) -> None:
        self._database.execute(
            "UPDATE deliveries SET attempts = attempts + 1, due = ?, status = ?, error = ? WHERE id = ?",
            (due, status, error, id_),
        )

    def _select(self, rest: str, values: tuple[object, ...]) -> list[Delivery]:
        # `rest` is always one of the constants above.
        sql = f"SELECT id, event, endpoint, state, attempts, due, status, error FROM deliveries {rest}"  # noqa: S608
        names = ("id", "event", "endpoint", "state", "attempts", "due", "status", "error")
        return [Delivery(**dict(zip(names, row, strict=True))) for row in self._database.execute(sql, values)]
