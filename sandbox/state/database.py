"""One SQLite file (or memory) behind everything the sandbox remembers."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# synchronous=OFF survives a killed process (the kernel holds what was written); only a power cut could
# lose state, which is no case for a sandbox, and it keeps a payment far below a millisecond of disk time.
PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = OFF",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA wal_autocheckpoint = 4000",
)


class Database:
    """
    The only connection; every caller runs on one event loop and never awaits inside a transaction.

    That makes a request atomic: its objects, its events, their deliveries and the stored answer for its
    idempotency key are committed together or not at all.
    """

    def __init__(self, file: Path | None) -> None:
        self._connection = sqlite3.connect(file or ":memory:", isolation_level=None, cached_statements=256)
        for pragma in PRAGMAS:
            self._connection.execute(pragma)

    def define(self, schema: str) -> None:
        self._connection.executescript(schema)

    def execute(self, sql: str, values: tuple[object, ...] = ()) -> sqlite3.Cursor:
        return self._connection.execute(sql, values)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A part of a transaction that is undone by itself when it raises."""
        self._connection.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK TO part")
            self._connection.execute("RELEASE part")
            raise
        self._connection.execute("RELEASE part")

    def close(self) -> None:
        self._connection.close()
