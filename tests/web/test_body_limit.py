"""In this process, message by message; and through a real server, byte by byte."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from gateway.server import listening_socket, serving
from tests.web.in_process import Client
from web.body_limit import BodyLimit, BodyLimits
from web.errors import EXCEPTION_HANDLERS
from web.middleware import HttpSettings, middleware

LIMITS = BodyLimits(default_bytes=100, by_path={"/webhooks": 1000}, read_seconds=30)
PATIENCE_SECONDS = 0.1


async def size(request: Request) -> Response:
    return JSONResponse(len(await request.body()))


def application(limits: BodyLimits = LIMITS) -> Starlette:
    return Starlette(
        routes=[Route("/", size, methods=["GET", "POST"]), Route("/webhooks", size, methods=["POST"])],
        middleware=middleware(HttpSettings(body_limits=limits)),
        exception_handlers=EXCEPTION_HANDLERS,
    )


class TestSize:
    @pytest.mark.parametrize(("path", "most"), [("/", 100), ("/webhooks", 1000)])
    async def test_body_up_to_the_limit_of_its_path_arrives_whole(
        self, client: Client, path: str, most: int
    ) -> None:
        async with client(application()) as http:
            answer = await http.post(path, content=b"x" * most)

        assert (answer.status_code, answer.json()) == (200, most)

    @pytest.mark.parametrize(("path", "most"), [("/", 100), ("/webhooks", 1000), ("/webhooks/", 100)])
    async def test_one_byte_more_is_refused_in_the_envelope(
        self, client: Client, path: str, most: int
    ) -> None:
        async with client(application()) as http:
            answer = await http.post(path, content=b"x" * (most + 1))

        assert answer.status_code == 413
        assert answer.json()["error"]["code"] == "CONTENT_TOO_LARGE"
        assert answer.json()["error"]["request_id"] == answer.headers["X-Request-ID"]
        assert answer.headers["Connection"] == "close"

    @pytest.mark.parametrize("length", [b"101", b"9223372036854775808", b"9" * 5000])
    async def test_announced_length_is_refused_before_anything_is_read(self, length: bytes) -> None:
        exchange = Exchange([], headers=[(b"content-length", length)])

        await exchange.with_limits(LIMITS)

        assert exchange.status == 413
        assert exchange.reads == 0

    @pytest.mark.parametrize("length", [b"", b"-1", b"abc", b"1e9", b"\xb2", b"0"])
    async def test_bytes_are_counted_whatever_was_announced(self, length: bytes) -> None:
        exchange = Exchange([b"x" * 60, b"x" * 60, b"x" * 60], headers=[(b"content-length", length)])

        await exchange.with_limits(LIMITS)

        assert exchange.status == 413
        assert exchange.reads == 2
        assert not exchange.reached_the_application


class TestEncoding:
    @pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "identity, gzip", "GZIP", "unknown"])
    async def test_compressed_body_is_refused(self, client: Client, encoding: str) -> None:
        async with client(application()) as http:
            answer = await http.post("/", headers={"Content-Encoding": encoding}, content=b"x")

        assert answer.status_code == 415
        assert answer.json()["error"]["code"] == "UNSUPPORTED_MEDIA_TYPE"
        assert answer.headers["Accept-Encoding"] == "identity"

    @pytest.mark.parametrize("encoding", ["identity", "Identity"])
    async def test_identity_is_no_encoding(self, client: Client, encoding: str) -> None:
        async with client(application()) as http:
            answer = await http.post("/", headers={"Content-Encoding": encoding}, content=b"x")

        assert answer.json() == 1


class TestDelivery:
    async def test_parts_arrive_as_one_whole_and_then_the_server_speaks(self) -> None:
        exchange = Exchange([b"a", b"", b"bc"])

        await exchange.with_limits(LIMITS)

        assert exchange.heard == [
            {"type": "http.request", "body": b"abc", "more_body": False},
            {"type": "http.disconnect"},
        ]

    async def test_client_that_leaves_halfway_reaches_no_handler(self) -> None:
        exchange = Exchange([b"half"], ends=False)

        await exchange.with_limits(LIMITS)

        assert not exchange.reached_the_application
        assert exchange.sent == []

    async def test_body_that_never_comes_times_out(self) -> None:
        exchange = Exchange([], hangs=True)

        await exchange.with_limits(BodyLimits(read_seconds=0.01))

        assert exchange.status == 408
        assert not exchange.reached_the_application


class Exchange:
    """One request in parts, and what the application heard and the client was sent."""

    def __init__(
        self,
        parts: Sequence[bytes],
        *,
        headers: Sequence[tuple[bytes, bytes]] = (),
        ends: bool = True,
        hangs: bool = False,
    ) -> None:
        self.messages: list[Message] = [
            {"type": "http.request", "body": part, "more_body": not ends or left > 0}
            for left, part in zip(reversed(range(len(parts))), parts, strict=True)
        ]
        self.headers = list(headers)
        self.hangs = hangs
        self.reads = 0
        self.heard: list[Message] = []
        self.sent: list[Message] = []

    @property
    def status(self) -> object:
        return self.sent[0]["status"]

    @property
    def reached_the_application(self) -> bool:
        return bool(self.heard)

    async def with_limits(self, limits: BodyLimits) -> None:
        scope = {"type": "http", "method": "POST", "path": "/", "headers": self.headers}
        await BodyLimit(self._application, limits)(scope, self._receive, self._send)

    async def _application(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.heard = [await receive(), await receive()]

    async def _receive(self) -> Message:
        if self.hangs:
            await asyncio.Event().wait()
        self.reads += 1
        return self.messages.pop(0) if self.messages else {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        self.sent.append(message)


@dataclass
class Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def send(self, *lines: str, body: bytes = b"") -> None:
        self.writer.write("".join(f"{line}\r\n" for line in (*lines, "Host: localhost", "")).encode() + body)

    async def answer(self) -> str:
        """Until the server closes the connection."""
        return (await self.reader.read()).decode()

    async def drip(self) -> None:
        """One byte now and then, for as long as the server listens."""
        while not self.reader.at_eof():
            self.writer.write(b"x")
            await asyncio.sleep(PATIENCE_SECONDS / 10)


@asynccontextmanager
async def connected(limits: BodyLimits) -> AsyncIterator[Connection]:
    """To a loopback server, run as production runs it."""
    with listening_socket("127.0.0.1", 0) as listener:
        async with serving(application(limits), listener, shutdown_seconds=1):
            reader, writer = await asyncio.open_connection(*listener.getsockname())
            yield Connection(reader, writer)
            writer.close()


@pytest.fixture
async def connection() -> AsyncIterator[Connection]:
    async with connected(LIMITS) as patient:
        yield patient


@pytest.fixture
async def brief_connection() -> AsyncIterator[Connection]:
    """To a server that waits a moment for a body, and no longer."""
    async with connected(BodyLimits(read_seconds=PATIENCE_SECONDS)) as impatient:
        yield impatient


class TestThroughAServer:
    async def test_half_a_body_is_answered_and_the_connection_closed(
        self, brief_connection: Connection
    ) -> None:
        brief_connection.send("POST / HTTP/1.1", "Content-Length: 50", body=b"half")

        answer = await brief_connection.answer()

        assert answer.startswith("HTTP/1.1 408 ")
        assert '"code":"REQUEST_TIMEOUT"' in answer

    async def test_dripping_body_gets_no_more_time_than_a_silent_one(
        self, brief_connection: Connection
    ) -> None:
        brief_connection.send("POST / HTTP/1.1", "Content-Length: 100000")
        dripping = asyncio.create_task(brief_connection.drip())

        answer = await brief_connection.reader.readline()

        dripping.cancel()
        assert answer.startswith(b"HTTP/1.1 408 ")

    async def test_announced_length_is_refused_without_waiting_for_the_body(
        self, connection: Connection
    ) -> None:
        connection.send("POST / HTTP/1.1", "Content-Length: 101")

        answer = await connection.answer()

        assert answer.startswith("HTTP/1.1 413 ")
        assert "connection: close" in answer

    async def test_nobody_is_invited_to_send_too_much(self, connection: Connection) -> None:
        connection.send("POST / HTTP/1.1", "Content-Length: 101", "Expect: 100-continue")

        assert (await connection.answer()).startswith("HTTP/1.1 413 ")

    async def test_chunks_are_refused_as_soon_as_they_are_too_much(self, connection: Connection) -> None:
        connection.send(
            "POST / HTTP/1.1", "Transfer-Encoding: chunked", body=b"ff\r\n" + b"x" * 255 + b"\r\n"
        )

        assert (await connection.answer()).startswith("HTTP/1.1 413 ")

    async def test_unending_chunk_is_refused_before_it_ends(self, connection: Connection) -> None:
        connection.send("POST / HTTP/1.1", "Transfer-Encoding: chunked", body=b"ffffffff\r\n" + b"x" * 200)

        assert (await connection.answer()).startswith("HTTP/1.1 413 ")

    async def test_connection_serves_on_after_a_good_request(self, connection: Connection) -> None:
        connection.send("POST / HTTP/1.1", "Content-Length: 3", body=b"abc")
        await connection.reader.readuntil(b"\r\n\r\n3")
        connection.send("GET / HTTP/1.1", "Connection: close")

        answer = await connection.answer()

        assert answer.startswith("HTTP/1.1 200 ")
        assert "server:" not in answer.lower()
