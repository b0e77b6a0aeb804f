"""
uvicorn's HTTP/1.1 over httptools, with bounds on what a client may do before its request is whole.

uvicorn bounds how long a connection is idle between requests, and nothing else: a head may take forever and grow
without end. What comes after a whole head is up to the application (web/body_limit.py).
"""

import asyncio
from http import HTTPStatus
from typing import Any, Final, NoReturn, cast

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.connection_metrics import CLOSED
from gateway.connections import ConnectionLimits, Guests, Reason
from gateway.lingering import LingeringTransport
from gateway.request_head import flaw
from web.body_limit import Replay
from web.errors import http_response
from web.health import LIVENESS
from web.security_headers import ALWAYS

Verdict = tuple[Reason, int, str | None]
"""Why, with which status, and in which words if not the usual ones."""

SOON: Final = {"Retry-After": "1", "Connection": "close"}


class HeadRefused(Exception):
    """Ends the parser's reading; what to answer is kept beside it."""


class GuardedProtocol(HttpToolsProtocol):
    """
    Refuses in our envelope, and hears nothing more from whom it has refused.

    Whoever was asked well before is answered first: what is malformed behind a whole request, on the same
    connection, only means that the connection ends with that answer.
    """

    def __init__(self, *args: Any, limits: ConnectionLimits, guests: Guests, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._limits, self._guests = limits, guests
        self._patience: asyncio.TimerHandle | None = None
        self._reader_patience: asyncio.TimerHandle | None = None
        self._verdict: Verdict = (Reason.MALFORMED, 400, None)
        self._is_deaf = False
        self._is_in_head = False
        self._is_whole = True
        self._head_size = 0
        self._without_progress = 0
        """Bytes since a head, a part of a body or a request was whole."""

    # The connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        self._polite = LingeringTransport(
            transport,
            is_still_sent=lambda: not self._is_whole,
            linger_seconds=self._limits.linger_seconds,
            reader_seconds=self._limits.reader_seconds,
        )
        super().connection_made(cast("asyncio.Transport", self._polite))
        self._is_guest = self._is_welcome()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._is_guest:
            self._guests.leave(self._address)
        self._polite.lost()
        self._stop_waiting()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Once we have said that the connection ends, nothing more is a request (RFC 9112, section 9.6)."""
        if self._is_deaf or self.transport.is_closing():
            return
        self._without_progress += len(data)
        super().data_received(data)
        self._check_progress()
        self._watch()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._reader_patience = self.loop.call_later(self._limits.reader_seconds, self._give_reader_up)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._reader_patience is not None:
            self._reader_patience.cancel()
            self._reader_patience = None

    # What the parser finds

    def on_message_begin(self) -> None:
        self._is_in_head, self._is_whole, self._head_size = True, False, 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._grow(len(url))
        if len(self.url) > self._limits.request_line:
            self._refuse_head(Reason.TOO_LARGE, 414)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Trailers are left out: they would pass for headers that a proxy in between has seen, and let through."""
        if self._is_in_head:
            self._grow(len(name) + len(value) + len(b": \r\n"))
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._is_in_head, self._without_progress = False, 0
        parser = self.parser
        is_upgrade = parser.should_upgrade()
        if found := flaw(parser.get_http_version(), self.url, self.headers, is_upgrade=is_upgrade):
            self._refuse_head(Reason.MALFORMED, 400, found)
        super().on_headers_complete()
        if is_upgrade or not self._is_guest:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        self._without_progress = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._is_whole, self._without_progress = True, 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        if self._is_deaf and not self.pipeline:
            self.transport.close()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """What uvicorn calls whenever the parser gives up."""
        self._refuse(*self._verdict)

    def _unsupported_upgrade_warning(self) -> None:
        """Anybody may ask for one, and is answered as if they had not."""

    # Patience

    def _watch(self) -> None:
        """A request that is being answered is waited for by the application; any other, by this."""
        if self._is_deaf or self._is_being_answered():
            self._stop_waiting()
        elif self._patience is None:
            seconds = self._limits.header_seconds if self._is_guest else self._limits.linger_seconds
            self._patience = self.loop.call_later(seconds, self._give_up)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _is_being_answered(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _give_up(self) -> None:
        """Who has not said a word is not answered either: browsers connect in advance."""
        if self.transport.is_closing():
            return
        if self._is_in_head:
            self._refuse(Reason.SLOW_HEADERS, 408, "The headers did not arrive in time.")
        else:
            self._is_deaf = True
            CLOSED.labels(Reason.SLOW_HEADERS).inc()
            self.transport.close()

    def _give_reader_up(self) -> None:
        CLOSED.labels(Reason.SLOW_READER).inc()
        self.transport.abort()

    # Refusals

    @property
    def _address(self) -> str | None:
        return self.client[0] if self.client else None

    def _is_welcome(self) -> bool:
        reason = self._guests.enter(self._address)
        if reason is None:
            return True
        CLOSED.labels(reason).inc()
        self.app = self._turn_away
        return False

    async def _turn_away(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        A process with too many guests is alive all the same, and nobody should restart it.

        That is told once and without taking a body, so that nobody stays who is not counted.
        """
        app = self.config.loaded_app if scope["path"] == LIVENESS else http_response(503, headers=SOON)
        await app(scope, Replay(b"", receive), send)

    def _grow(self, size: int) -> None:
        self._head_size += size
        if self._head_size > self._limits.headers:
            self._refuse_head(Reason.TOO_LARGE, 431)

    def _check_progress(self) -> None:
        if self._without_progress <= self._limits.headers:
            return
        if self._is_in_head:
            self._refuse(Reason.TOO_LARGE, 431)
        else:
            self._refuse(Reason.TOO_LARGE, 400, "There is too much around the body.")

    def _refuse_head(self, reason: Reason, status: int, message: str | None = None) -> NoReturn:
        self._verdict = (reason, status, message)
        raise HeadRefused

    def _refuse(self, reason: Reason, status: int, message: str | None = None) -> None:
        if self._is_deaf:
            return
        self._is_deaf = True
        CLOSED.labels(reason).inc()
        if not self._owes_an_answer():
            self.transport.write(self._answer(status, message))
            self.transport.close()

    def _owes_an_answer(self) -> bool:
        """Whether a whole request came before; half a one is let go of."""
        if self.pipeline:
            if self.cycle.more_body:
                self.pipeline.popleft()
            return True
        if not self._is_being_answered():
            return False
        if self.cycle.more_body and not self.cycle.response_started:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            return False
        return True

    def _answer(self, status: int, message: str | None) -> bytes:
        answer = http_response(status, message=message, headers={"Connection": "close"})
        headers = (*self.server_state.default_headers, *answer.raw_headers, *ALWAYS)
        head = b"".join(b"%s: %s\r\n" % header for header in headers)
        phrase = HTTPStatus(status).phrase.encode()
        return b"HTTP/1.1 %d %s\r\n%s\r\n%s" % (status, phrase, head, bytes(answer.body))
