"""
Around every request: an id by which it is found again, headers that tell a browser what not to do, a line in the log.

One layer for all three, since each layer costs every request as much as a database needs to find a row.
"""

from collections.abc import Collection
from time import perf_counter
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.access_log import CLIENT_LEFT, AccessLog
from web.headers import Header
from web.request_id import HEADER, identified
from web.security_headers import ALWAYS, OVER_TLS, missing

_ID: Final = HEADER.lower().encode()


class Envelope:
    """`over_tls` adds Strict-Transport-Security, which browsers remember for two years; the rest is `AccessLog`'s."""

    def __init__(
        self, app: ASGIApp, *, over_tls: bool = False, quiet: Collection[str] = (), slow_after: int = 0
    ) -> None:
        self.app = app
        self.log = AccessLog(quiet, slow_after)
        self.headers = (*ALWAYS, OVER_TLS) if over_tls else ALWAYS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = Answer(send, (_ID, identified(scope).encode()), self.headers)
        began = perf_counter()
        try:
            await self.app(scope, receive, answer)
        except Exception:
            answer.status = 500
            raise
        finally:
            self.log.note(scope, status=answer.status, size=answer.size, seconds=perf_counter() - began)


class Answer:
    """What went back, so far; its headers are the application's, and of ours those that it has not set itself."""

    def __init__(self, send: Send, identity: Header, headers: Collection[Header]) -> None:
        self._send, self._identity, self._headers = send, identity, headers
        self.status = CLIENT_LEFT
        self.size = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            own = message.get("headers", ())
            message["headers"] = [*own, self._identity, *missing(self._headers, own)]
        elif message["type"] == "http.response.body":
            self.size += len(message.get("body", b""))
        await self._send(message)
