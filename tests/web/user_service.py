"""A User Service on a port of its own, which publishes keys, and can be made to misbehave."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from gateway.development import address
from gateway.server import listening_socket, serving
from tests.web.issuer import IssuerKey, published

PATH = "/keys.json"

Answer = Callable[[], Awaitable[Response]]


class UserService:
    """`readings` are the paths that were asked for; `answer` replaces the usual one."""

    def __init__(self) -> None:
        self.url = ""
        self.goes_on = asyncio.Event()
        self.app = Starlette(routes=[Route("/{path:path}", self._handle)])
        self.reset()

    def reset(self) -> None:
        self.keys: list[IssuerKey] = []
        self.readings: list[str] = []
        self.answer: Answer = self.key_set
        self.goes_on.set()

    async def key_set(self) -> Response:
        return Response(published(*self.keys), media_type="application/jwk-set+json")

    def answers(self, status: int = 200, content: bytes = b"", **headers: str) -> None:
        async def fixed() -> Response:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return Response(content, status, named)

        self.answer = fixed

    def streams(self, chunk: bytes, *, pause: float = 0) -> None:
        """Without an end."""

        async def endless() -> AsyncIterator[bytes]:
            while True:
                yield chunk
                await asyncio.sleep(pause)

        async def streaming() -> Response:
            return StreamingResponse(endless())

        self.answer = streaming

    async def _handle(self, request: Request) -> Response:
        self.readings.append(request.url.path)
        await self.goes_on.wait()
        return await self.answer()


@asynccontextmanager
async def running_user_service() -> AsyncIterator[UserService]:
    service = UserService()
    with listening_socket("127.0.0.1", 0) as listener:
        service.url = f"{address(listener)}{PATH}"
        async with serving(service.app, listener, shutdown_seconds=1):
            yield service
