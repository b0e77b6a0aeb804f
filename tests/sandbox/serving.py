"""One real server for the whole suite, behind which each test puts a sandbox of its own."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from stripe import HTTPXClient

from tests.sandbox.stripe_types import mistakes_in_object

HOOK_PATH = "/hook"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    body: bytes
    signature: str

    @property
    def event(self) -> dict[str, Any]:
        event: dict[str, Any] = orjson.loads(self.body)
        return event


@dataclass
class Receiver:
    """A webhook endpoint that answers with these statuses in turn, and then with 200."""

    statuses: list[int] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        body = await request.body()
        self.received.append(Received(body=body, signature=request.headers["stripe-signature"]))
        self._news.set()
        status = self.statuses.pop(0) if self.statuses else 200
        await Response(status_code=status)(scope, receive, send)

    async def until(self, count: int) -> list[Received]:
        """Wait for so many deliveries; a test that never sees them fails instead of hanging."""
        async with asyncio.timeout(5):
            while len(self.received) < count:
                self._news.clear()
                await self._news.wait()
        return self.received


class Stage:
    """The application that the server serves: the sandbox of the running test, and its webhook receiver."""

    def __init__(self) -> None:
        self.app: ASGIApp = Starlette()
        self.receiver = Receiver()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self.receiver if scope["path"] == HOOK_PATH else self.app
        await app(scope, receive, send)


class QuietServer(uvicorn.Server):
    """Leaves the signals to pytest."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.servers[0].sockets[0].getsockname()[1]}"


class RefereeingClient(HTTPXClient):
    """Stripe's own HTTP client, which fails a test on any object that contradicts stripe-python's types."""

    async def request_async(  # type: ignore[no-untyped-def]  # The parameters are those of the untyped method of stripe.
        self, method, url, headers, post_data=None
    ):
        content, status, answered = await super().request_async(method, url, headers, post_data)
        if answered.get("content-type") == "application/json":
            judge(orjson.loads(content))
        return content, status, answered


def judge(answer: dict[str, Any]) -> None:
    if "error" not in answer:
        assert mistakes_in_object(answer) == []
        return
    for part in answer["error"].values():
        if isinstance(part, dict):
            assert mistakes_in_object(part) == []
