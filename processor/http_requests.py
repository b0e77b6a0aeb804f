"""
The library's requests to Stripe, on connections that are kept open.

A request by httpx, which the library brings along, takes as long as everything else that a payment needs of this
process: it builds objects on four levels, and sends head and body apart. Here it is one `write` and one parser.
"""

import asyncio
import ssl
from collections import defaultdict, deque
from collections.abc import Mapping
from functools import cached_property, lru_cache
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

import stripe
from stripe import HTTPClient

from processor.http_connecting import Origin, connected
from processor.http_connection import HttpConnection

Answer = tuple[Any, int, Mapping[str, str]]
"""The body, which is decoded later; the status; and the headers."""

KEPT_SECONDS: Final = 5.0
"""How long an idle connection is trusted: the other end closes it one day, and may do so while we write."""
MOST_KEPT: Final = 20
PORTS: Final = {"https": 443, "http": 80}


class Body:
    """
    Of an answer, for the library to decode.

    It writes every answer into its debug log, or would: it puts the line together even where nobody logs. Of this one
    it finds out no more than its length.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __str__(self) -> str:
        return f"{len(self._content)} bytes"

    def decode(self, encoding: str = "utf-8") -> str:
        return self._content.decode(encoding)


class KeptConnections(HTTPClient):
    """
    `timeout` is how many seconds an answer may take.

    Raises APIConnectionError where there is none: nobody knows then what the request has done.
    """

    name = "kept-connections"

    def __init__(self, *, timeout: float) -> None:
        super().__init__()
        self._timeout = timeout
        self._is_closed = False
        self._idle: defaultdict[Origin, deque[HttpConnection]] = defaultdict(deque)

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> Answer:
        origin, path = place_of(url)
        request = written(method, origin, path, headers, post_data)
        try:
            tls = self._tls if origin.scheme == "https" else None
            connection = self._kept(origin) or await connected(origin, tls)
            async with asyncio.timeout(self._timeout):
                answer = await connection.ask(request)
        except OSError as failure:  # Those of TLS and of time-outs, too.
            tell(failure)
        self._keep(origin, connection)
        return Body(answer.body), answer.status, answer.headers

    async def close_async(self) -> None:
        """Those of requests that are still running are closed after their answers."""
        self._is_closed = True
        for connections in self._idle.values():
            while connections:
                connection = connections.pop()
                if connection.is_of_this_loop:
                    connection.close()

    def _kept(self, origin: Origin) -> HttpConnection | None:
        """The one that was used last; those that were idle for too long are closed."""
        idle, oldest = self._idle[origin], asyncio.get_running_loop().time() - KEPT_SECONDS
        while idle:
            connection = idle.pop()
            if not connection.is_of_this_loop:
                continue
            if connection.may_be_kept and connection.idle_since >= oldest and connection.is_quiet:
                return connection
            connection.close()
        return None

    def _keep(self, origin: Origin, connection: HttpConnection) -> None:
        idle = self._idle[origin]
        if self._is_closed or not connection.may_be_kept or len(idle) == MOST_KEPT:
            connection.close()
            return
        connection.idle_since = asyncio.get_running_loop().time()
        idle.append(connection)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Trusts the authorities that the library brings along."""
        return ssl.create_default_context(cafile=stripe.ca_bundle_path)


def place_of(url: str) -> tuple[Origin, str]:
    """Where to connect, and what to ask for there."""
    parts = urlsplit(url)
    path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    return origin_of(parts.scheme, parts.netloc), path


@lru_cache(16)
def origin_of(scheme: str, place: str) -> Origin:
    parts = urlsplit(f"//{place}")
    return Origin(scheme, parts.hostname or "", parts.port or PORTS[scheme])


def written(method: str, origin: Origin, path: str, headers: Mapping[str, str], post_data: Any) -> bytes:
    """The request's bytes. Raises ValueError where a line of its head would not be one line of ASCII."""
    body = post_data.encode() if isinstance(post_data, str) else post_data or b""
    lines = [
        f"{method.upper()} {path} HTTP/1.1",
        f"Host: {named(origin)}",
        "Accept: application/json",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    if body or method != "get":
        lines.append(f"Content-Length: {len(body)}")
    head = "\r\n".join(lines)
    if not head.replace("\r\n", "").isprintable() or head.count("\r\n") != len(lines) - 1:
        raise ValueError("A request to Stripe has a control character in its head.")
    return head.encode("ascii") + b"\r\n\r\n" + body


def named(origin: Origin) -> str:
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    return host if origin.port == PORTS[origin.scheme] else f"{host}:{origin.port}"


def tell(failure: Exception) -> NoReturn:
    why = f"Stripe could not be asked, or did not answer ({type(failure).__name__})."
    raise stripe.APIConnectionError(why, should_retry=True) from failure  # type: ignore[no-untyped-call]  # stripe leaves it so.
