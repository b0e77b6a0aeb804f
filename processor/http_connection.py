"""One HTTP/1.1 connection: a request, then its answer, then perhaps another request."""

import asyncio
import select
from asyncio import Future, Protocol, Transport
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

LONGEST_ANSWER: Final = 64 * 2**20
"""Bytes, of the body. Stripe's largest lists have a hundredth of that."""
LONGEST_HEAD: Final = 64 * 2**10
"""Bytes, until the body begins, which may come with the last of them."""
LARGEST_READ: Final = 256 * 2**10
"""Bytes that an event loop hands over at once; those of a head come with what follows it."""


class ConnectionBroken(OSError):
    """It ended, or said what is no HTTP, before the answer was there; nobody knows what the request has done."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """`headers` go by their names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class HttpConnection(Protocol):
    """Raises ConnectionBroken from `ask`; whoever stops waiting for it closes the connection."""

    def __init__(self) -> None:
        self._transport: Transport | None = None
        self._answer: Future[HttpAnswer] | None = None
        self._parser = HttpResponseParser(self)
        self._loop = asyncio.get_running_loop()
        self._headers: dict[str, str] = {}
        self._body = bytearray()
        self._in_head = 0
        self._is_in_body = False
        self._ends_with_the_connection = False
        self.may_be_kept = True
        self.idle_since = 0.0

    async def ask(self, request: bytes) -> HttpAnswer:
        if self._transport is None:
            raise ConnectionBroken("The connection is closed.")
        self._ends_with_the_connection = False
        self._in_head, self._is_in_body = 0, False
        self._answer = self._loop.create_future()
        try:
            self._transport.write(request)
            return await self._answer
        except BaseException:
            self.close()
            raise
        finally:
            self._answer = None

    def close(self) -> None:
        """At once, whatever is on its way."""
        self.may_be_kept = False
        if self._transport is not None:
            self._transport.abort()

    @property
    def is_of_this_loop(self) -> bool:
        """A connection of an event loop that has ended cannot even be closed."""
        return self._loop is asyncio.get_running_loop()

    @property
    def is_quiet(self) -> bool:
        """
        Whether all was sent, and nothing has come since: neither the end nor an answer that nobody asked for.

        The loop may not have looked yet, and a kept connection would give its next request what lies there.
        """
        if self._transport is None or self._transport.get_write_buffer_size():
            return False
        socket = select.poll()
        socket.register(self._transport.get_extra_info("socket").fileno(), select.POLLIN)
        return not socket.poll(0)

    # What the event loop tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("Transport", transport)

    def data_received(self, data: bytes) -> None:
        """What comes unasked is nobody's answer."""
        if self._answer is None:
            self.close()
            return
        if not self._is_in_body:
            self._in_head += len(data)
        if self._in_head > LONGEST_HEAD + LARGEST_READ:
            self._fail(None)
            return
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as nonsense:
            self._fail(nonsense)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport, self.may_be_kept = None, False
        if exc is None and self._ends_with_the_connection:
            self.on_message_complete()
        self._fail(exc)

    # What the parser finds.

    def on_message_begin(self) -> None:
        """A second answer to one request would be taken for that of the next."""
        if self._answer is None or self._answer.done():
            self.close()
        self._headers, self._body, self._ends_with_the_connection = {}, bytearray(), False

    def on_headers_complete(self) -> None:
        """RFC 9112, section 6.3: an answer that does not tell its length is over when the connection is."""
        self._ends_with_the_connection = self._headers.keys().isdisjoint(
            {"content-length", "transfer-encoding"}
        )
        self._is_in_body = self._parser.get_status_code() >= HTTPStatus.OK

    def on_header(self, name: bytes, value: bytes) -> None:
        """Of those that come again the last one counts, and none that comes after the body."""
        if not self._is_in_body:
            self._headers[name.decode("latin-1").lower()] = value.decode("latin-1").strip()

    def on_body(self, body: bytes) -> None:
        self._body += body
        if len(self._body) > LONGEST_ANSWER:
            self._fail(None)

    def on_message_complete(self) -> None:
        """Others, such as 103, only announce the answer."""
        status = self._parser.get_status_code()
        if status < HTTPStatus.OK or self._answer is None or self._answer.done():
            return
        self.may_be_kept = self.may_be_kept and self._parser.should_keep_alive()
        self._answer.set_result(HttpAnswer(status, self._headers, bytes(self._body)))

    def _fail(self, cause: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            broken = ConnectionBroken("The connection ended before the answer did.")
            broken.__cause__ = cause
            self._answer.set_exception(broken)
        self.close()
