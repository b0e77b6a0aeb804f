"""HTTP byte by byte, to a real server on a loopback port."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from gateway.connections import ConnectionLimits
from gateway.server import listening_socket, serving
from tests.waiting import until
from web.errors import EXCEPTION_HANDLERS
from web.middleware import HttpSettings, middleware

LONGEST_SECONDS: Final = 10
"""For what should come at once."""
HOST: Final = b"Host: gateway.test\r\n"
STATUS: Final = re.compile(rb"HTTP/1\.1 (\d{3}) ")


def request(line: str, *headers: str, body: bytes = b"") -> bytes:
    """A request as it should be, with its Host."""
    return head(line, "Host: gateway.test", *headers) + body


def head(line: str, *headers: str) -> bytes:
    return "".join(f"{each}\r\n" for each in (line, *headers, "")).encode()


SMUGGLED: Final = request("GET /smuggled HTTP/1.1")


@dataclass
class Line:
    """A connection, and all that came back over it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    heard: bytes = b""

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def until_closed(self) -> bytes:
        """All that the server said; fails if it does not end the connection."""
        async with asyncio.timeout(LONGEST_SECONDS):
            self.heard += await self.reader.read()
        return self.heard

    async def until(self, sign: bytes) -> bytes:
        async with asyncio.timeout(LONGEST_SECONDS):
            self.heard += await self.reader.readuntil(sign)
        return self.heard

    async def statuses(self) -> list[int]:
        """Of all answers, the connection having been closed after the last."""
        return statuses_in(await self.until_closed())


def statuses_in(heard: bytes) -> list[int]:
    return [int(status) for status in STATUS.findall(heard)]


@dataclass
class Host:
    """A server, what its application was asked, and the way to hold up its answers."""

    address: tuple[str, int] = ("", 0)
    asked: list[tuple[str, int]] = field(default_factory=list)
    """Paths, and how long the bodies were."""
    headers: list[str] = field(default_factory=list)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    async def is_asked(self) -> None:
        async def has_been() -> bool:
            return bool(self.asked)

        await until(has_been)

    @asynccontextmanager
    async def line(self) -> AsyncIterator[Line]:
        reader, writer = await asyncio.open_connection(*self.address)
        try:
            yield Line(reader, writer)
        finally:
            writer.close()

    async def answers(self, data: bytes) -> list[int]:
        """The statuses that these bytes get, until the server closes the connection."""
        async with self.line() as line:
            line.send(data)
            return await line.statuses()

    def application(self, settings: HttpSettings) -> Starlette:
        async def answer(request: Request) -> Response:
            body = await request.body()
            self.headers = list(request.headers)
            self.asked.append((request.url.path, len(body)))
            await self.may_answer.wait()
            return JSONResponse(len(body))

        return Starlette(
            routes=[Route("/{path:path}", answer, methods=["GET", "POST"])],
            middleware=middleware(settings),
            exception_handlers=EXCEPTION_HANDLERS,
        )


@asynccontextmanager
async def hosting(
    limits: ConnectionLimits = ConnectionLimits(),  # noqa: B008 - frozen
    settings: HttpSettings = HttpSettings(),  # noqa: B008 - frozen
    app: ASGIApp | None = None,
) -> AsyncIterator[Host]:
    """Served as production serves it; without an application, one that tells what it was asked."""
    host = Host()
    host.may_answer.set()
    with listening_socket("127.0.0.1", 0) as listener:
        host.address = listener.getsockname()
        async with serving(app or host.application(settings), listener, shutdown_seconds=1, limits=limits):
            yield host
