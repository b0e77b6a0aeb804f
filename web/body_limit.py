"""How much a request may bring, and how long it may take to bring it."""

import asyncio
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.errors import http_response
from web.headers import Header

DEFAULT_BYTES: Final = 256 * 1024
READ_SECONDS: Final = 10.0

_LONGEST_LENGTH: Final = 18
"""Digits; a longer number is more than anybody has to send."""
_CLOSE: Final = {"Connection": "close"}
"""The rest of a body that nobody reads must not be taken for the next request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyLimits:
    """Sizes in bytes; `by_path` overrides the default for exact paths."""

    default_bytes: int = DEFAULT_BYTES
    by_path: Mapping[str, int] = field(default_factory=dict)
    read_seconds: float = READ_SECONDS

    def for_path(self, path: str) -> int:
        return self.by_path.get(path, self.default_bytes)


class BodyRefused(Exception):
    """With the status to answer."""

    def __init__(self, status: int, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.headers = {**_CLOSE, **(headers or {})}


class ClientLeft(Exception):
    """Nobody is there to be answered."""


class BodyLimit:
    """
    Hands the application whole bodies only, so that half a request holds no handler and no transaction.

    Answers 413 for a body over the limit as soon as that is known, 408 for one that is not there in time
    (however steadily it drips), and 415 for a compressed one, whose true size the limit could not see.
    """

    def __init__(self, app: ASGIApp, limits: BodyLimits) -> None:
        self.app = app
        self.limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            body = await self._body(scope, receive)
        except BodyRefused as refused:
            await http_response(refused.status, headers=refused.headers)(scope, receive, send)
        except ClientLeft:
            return
        else:
            await self.app(scope, Replay(body, receive), send)

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        limit = self.limits.for_path(scope["path"])
        _check_headers(scope["headers"], limit)
        try:
            async with asyncio.timeout(self.limits.read_seconds):
                return await whole_body(receive, limit)
        except TimeoutError as too_slow:
            raise BodyRefused(408) from too_slow


class Replay:
    """The body in one message, and afterwards whatever the server says: that the client has left."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._message: Message | None = {"type": "http.request", "body": body, "more_body": False}
        self._receive = receive

    async def __call__(self) -> Message:
        if self._message is None:
            return await self._receive()
        message, self._message = self._message, None
        return message


def _check_headers(headers: Iterable[Header], limit: int) -> None:
    for name, value in headers:
        if name == b"content-encoding" and value.strip().lower() != b"identity":
            raise BodyRefused(415, {"Accept-Encoding": "identity"})
        if name == b"content-length" and _announced(value) > limit:
            raise BodyRefused(413)


def _announced(length: bytes) -> float:
    """The Content-Length, where the server let one through that is a number; bytes are counted anyway."""
    if not length.isdigit():
        return 0
    return int(length) if len(length) <= _LONGEST_LENGTH else math.inf


async def whole_body(receive: Receive, limit: float = math.inf) -> bytes:
    """Raises BodyRefused as soon as there is more, and ClientLeft."""
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        body += message.get("body", b"")
        if len(body) > limit:
            raise BodyRefused(413)
        more = message.get("more_body", False)
    return bytes(body)
