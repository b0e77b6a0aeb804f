"""How much a connection may ask of the server before it has brought a whole request, and how many there may be."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from web.client_address import network

KIBI: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """Times in seconds, sizes in bytes. A number of connections that is 0 is no bound."""

    header_seconds: float = 10.0
    """From the first byte that is waited for to the end of the headers, however steadily they drip."""
    idle_seconds: int = 5
    """Between two requests."""
    reader_seconds: float = 30.0
    """
    For a client to take so much of an answer that what waits beside the system's buffers is little again.

    Measured from when it became much (asyncio pauses us at 64 KiB and lets us go on at 16), whether or not some bytes
    are taken meanwhile; and from the end of the answer, for all that then still waits.
    """
    linger_seconds: float = 2.0
    """For what a client still sends after it was refused, so that it gets to read why; and for one too many to ask."""
    request_line: int = 16 * KIBI
    headers: int = 32 * KIBI
    """The request line included; and of what frames a chunk, such as its extensions."""
    most: int = 1000
    most_of_one: int = 200
    """Per network, as limits tell clients apart; proxies that are trusted may have any number."""


class Reason(StrEnum):
    """Why the server ends a connection by itself."""

    SLOW_HEADERS = "slow_headers"
    """The head of a request was not there in time."""
    SLOW_READER = "slow_reader"
    """Nobody took the answer."""
    MALFORMED = "malformed"
    """What came was no HTTP/1.1, or could be read in two ways."""
    TOO_LARGE = "too_large"
    """The request line, the headers, or what frames a body."""
    TOO_MANY = "too_many"
    """There were as many connections as there may be."""
    TOO_MANY_OF_ONE = "too_many_of_one"
    """One client had as many as it may."""


class Guests:
    """Who is connected to one server. Those who are turned away take nobody's place."""

    def __init__(self, limits: ConnectionLimits, *, is_proxy: Callable[[str | None], bool]) -> None:
        self._limits, self._is_proxy = limits, is_proxy
        self._of_each: Counter[str] = Counter()

    def enter(self, address: str | None) -> Reason | None:
        """None for a guest, who has to leave some time; why not, for anybody else."""
        client = network(address)
        if self._has_enough(client) and not self._is_trusted(address):
            return Reason.TOO_MANY_OF_ONE
        if self._limits.most and self._of_each.total() >= self._limits.most:
            return Reason.TOO_MANY
        self._of_each[client] += 1
        return None

    def leave(self, address: str | None) -> None:
        client = network(address)
        self._of_each[client] -= 1
        if not self._of_each[client]:
            del self._of_each[client]

    def _has_enough(self, client: str) -> bool:
        return 0 < self._limits.most_of_one <= self._of_each[client]

    def _is_trusted(self, address: str | None) -> bool:
        """A Unix socket has no address, and whoever reaches it is from here."""
        return address is None or self._is_proxy(address)
