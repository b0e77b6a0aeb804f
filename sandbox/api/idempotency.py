"""Idempotency keys, as Stripe keeps them (https://docs.stripe.com/api/idempotent_requests)."""

import hashlib
from dataclasses import dataclass

from sandbox.api.errors import InvalidRequest, KeyInUse, KeyReused
from sandbox.control.likeness import masked
from sandbox.state.clock import Clock
from sandbox.state.database import Database

LONGEST_KEY = 255
KEPT_SECONDS = 24 * 3_600

SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
    key         TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    request_id  TEXT NOT NULL,
    status      INTEGER NOT NULL,
    body        BLOB NOT NULL,
    created     INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS answers_by_age ON answers (created);
CREATE TABLE IF NOT EXISTS executions (
    key   TEXT PRIMARY KEY,
    times INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS repeated_executions ON executions (key) WHERE times > 1;
CREATE TABLE IF NOT EXISTS posts_without_key (
    path  TEXT PRIMARY KEY,
    times INTEGER NOT NULL
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedRequest:
    """A request that carries a key; the fingerprint tells whether another one is the same request."""

    key: str
    fingerprint: str

    @classmethod
    def of(cls, key: str, method: str, path: str, parameters: list[tuple[str, str]]) -> "KeyedRequest":
        if len(key) > LONGEST_KEY:
            raise InvalidRequest(f"An idempotency key may have at most {LONGEST_KEY} characters.")
        canonical = repr((method, path, sorted(parameters)))
        return cls(key=key, fingerprint=hashlib.sha256(canonical.encode()).hexdigest())


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAnswer:
    request_id: str
    status: int
    body: bytes


class Answers:
    """The first answer of each key. Which keys are being worked on is known to this process only."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._running: set[str] = set()
        database.define(SCHEMA)

    def begin(self, request: KeyedRequest) -> StoredAnswer | None:
        """The stored answer; or None, and from now until `end` the key belongs to this request."""
        self._forget_old_ones()
        if request.key in self._running:
            raise KeyInUse(
                "Another request with this idempotency key is still in progress.",
                code="idempotency_key_in_use",
            )
        stored = self._find(request)
        if stored is None:
            self._running.add(request.key)
        return stored

    def keep(self, request: KeyedRequest, answer: StoredAnswer) -> None:
        """Remember the answer; called in the transaction that did what the answer says."""
        self._database.execute(
            "INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?)",
            (
                request.key,
                request.fingerprint,
                answer.request_id,
                answer.status,
                answer.body,
                self._clock.now(),
            ),
        )

        self._database.execute(
            "INSERT INTO executions VALUES (?, 1) ON CONFLICT (key) DO UPDATE SET times = times + 1",
            (request.key,),
        )

    def executed(self) -> int:
        """How many keys were executed, forgotten ones included."""
        return int(self._database.execute("SELECT COUNT(*) FROM executions").fetchone()[0])

    def executed_again(self) -> dict[str, int]:
        """How often each key was executed that came back after it was forgotten, and so worked once more."""
        return dict(self._database.execute("SELECT key, times FROM executions WHERE times > 1").fetchall())

    def note_missing_key(self, path: str) -> None:
        """Count a POST that came without a key, by its path without ids."""
        self._database.execute(
            "INSERT INTO posts_without_key VALUES (?, 1) ON CONFLICT (path) DO UPDATE SET times = times + 1",
            (masked(path),),
        )

    def missing_keys(self) -> dict[str, int]:
        return dict(self._database.execute("SELECT path, times FROM posts_without_key").fetchall())

    def end(self, request: KeyedRequest) -> None:
        self._running.discard(request.key)

    def _find(self, request: KeyedRequest) -> StoredAnswer | None:
        row = self._database.execute(
            "SELECT fingerprint, request_id, status, body FROM answers WHERE key = ?", (request.key,)
        ).fetchone()
        if row is None:
            return None
        if row[0] != request.fingerprint:
            raise KeyReused(f"The idempotency key '{request.key}' was first used with another request.")
        return StoredAnswer(request_id=row[1], status=row[2], body=row[3])

    def _forget_old_ones(self) -> None:
        oldest = self._clock.now() - KEPT_SECONDS
        self._database.execute("DELETE FROM answers WHERE created < ?", (oldest,))
