"""
The User Service's published keys, kept in memory.

They are read anew every few minutes, and sooner where a token names one that is not known yet, as after a rotation.
While they cannot be read, those that are known go on.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Final

import structlog
from prometheus_client import Counter
from structlog.typing import FilteringBoundLogger

from domain.errors import IdentityUnavailable
from web.jwk_set import KeySet
from web.jwks import KeySetAddress, KeySetUnread
from web.token_keys import TokenKey

PAUSE: Final = 5.0
"""Seconds after a reading, before an unknown name brings about the next: made-up names flood nobody."""
SHORTEST_RETRY, LONGEST_RETRY = 1.0, 60.0
"""Seconds after a failure, which double with each."""
LONGEST_STALE: Final = 24 * 3600.0
"""Seconds without a reading, after which nobody can vouch for the keys any more."""

READINGS: Final = Counter(
    "payments_jwks_readings", "Readings of the User Service's keys, by whether they succeeded.", ["outcome"]
)
SUCCEEDED, FAILED = READINGS.labels("succeeded"), READINGS.labels("failed")

log: FilteringBoundLogger = structlog.get_logger()

Withdrawn = Callable[[Collection[TokenKey]], None]


class PublishedKeys:
    """
    Many who need a reading at once share it. `lifetime` is in seconds; `clock` is monotonic.

    Nobody waits longer than one reading takes, whatever a token names.
    """

    def __init__(
        self, address: KeySetAddress, *, lifetime: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._address = address
        self._lifetime = lifetime
        self._clock = clock
        self._keys: Mapping[str, TokenKey] = {}
        self._refused: Mapping[str, str] = {}
        self._tell_withdrawn: Withdrawn = lambda _: None
        self._reading: asyncio.Task[None] | None = None
        self._failures = 0
        self._read_at = self._pause_ends = -math.inf

    def get(self, key_id: str | None) -> TokenKey | None:
        """The key of this name, if it is known by now."""
        return None if key_id is None else self._keys.get(key_id)

    async def find(self, key_id: str) -> TokenKey | None:
        """
        None where no such key is published.

        Raises IdentityUnavailable where that cannot be told: there are no keys at all, the last reading failed, or
        it may be older than the key and the next has to wait.
        """
        if key_id in self._keys:
            return self._keys[key_id]
        if not self._may_read():
            raise self._unavailable()
        await self._read_once()
        if key_id not in self._keys and self._failures:
            raise self._unavailable()
        return self._keys.get(key_id)

    def when_withdrawn(self, tell: Withdrawn) -> None:
        """Have it told of keys that are published no longer, or that others of the same name replaced."""
        self._tell_withdrawn = tell

    @asynccontextmanager
    async def followed(self) -> AsyncIterator[None]:
        """Read them now and every `lifetime` meanwhile, whether or not anybody asks."""
        following = asyncio.create_task(self._follow())
        try:
            yield
        finally:
            await ended(following)

    async def close(self) -> None:
        if self._reading is not None:
            await ended(self._reading)
        await self._address.close()

    async def _follow(self) -> None:
        while True:
            await self._read_once()
            await asyncio.sleep(self._retry_after() if self._failures else self._lifetime)

    def _may_read(self) -> bool:
        """Whether one is under way, which costs nothing more, or the last is long enough ago."""
        is_reading = self._reading is not None and not self._reading.done()
        return is_reading or self._clock() >= self._pause_ends

    def _unavailable(self) -> IdentityUnavailable:
        """Until the pause ends."""
        return IdentityUnavailable(retry_after_seconds=max(1, math.ceil(self._pause_ends - self._clock())))

    async def _read_once(self) -> None:
        """One who is cancelled leaves the reading to the others."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())
        await asyncio.shield(self._reading)

    async def _read(self) -> None:
        try:
            found = await self._address.read()
        except KeySetUnread as unread:
            self._fail(str(unread))
        except Exception as unforeseen:  # The keys that are known go on, whatever it is.
            log.exception("jwks.unforeseen")
            self._fail(type(unforeseen).__name__)
        else:
            self._take(found)

    def _take(self, found: KeySet) -> None:
        self._tell_refused(found.refused)
        self._replace(found.keys)
        self._read_at = self._clock()
        if not found.keys:
            self._fail("no key that suits")
            return
        SUCCEEDED.inc()
        self._failures = 0
        self._pause_ends = self._clock() + PAUSE

    def _fail(self, reason: str) -> None:
        FAILED.inc()
        self._failures += 1
        self._pause_ends = self._clock() + self._retry_after()
        if self._clock() - self._read_at > LONGEST_STALE:
            self._replace({})
        log.warning("jwks.unread", reason=reason, failures=self._failures, known=sorted(self._keys))

    def _retry_after(self) -> float:
        return min(LONGEST_RETRY, math.ldexp(SHORTEST_RETRY, min(self._failures - 1, 10)))

    def _replace(self, found: Mapping[str, TokenKey]) -> None:
        """What is published as before stays the same object, so that tokens may be remembered by it."""
        known = self._keys
        self._keys = {
            name: known[name] if name in known and known[name].members == key.members else key
            for name, key in found.items()
        }
        added = [name for name, key in self._keys.items() if known.get(name) is not key]
        withdrawn = [key for name, key in known.items() if self._keys.get(name) is not key]
        if added or withdrawn:
            log.info("jwks.changed", added=added, withdrawn=[key.key_id for key in withdrawn])
        if withdrawn:
            self._tell_withdrawn(withdrawn)

    def _tell_refused(self, refused: Mapping[str, str]) -> None:
        """Once, until something changes."""
        if refused and refused != self._refused:
            log.warning("jwks.keys_refused", reasons=dict(refused))
        self._refused = refused


async def ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
