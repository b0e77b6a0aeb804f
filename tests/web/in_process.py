"""Clients of an application in this process, and what it logged."""

from collections.abc import AsyncIterator, Callable, MutableMapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx2
from starlette.types import ASGIApp

Client = Callable[[ASGIApp], AbstractAsyncContextManager[httpx2.AsyncClient]]
Events = list[MutableMapping[str, object]]


@asynccontextmanager
async def client_of(app: ASGIApp) -> AsyncIterator[httpx2.AsyncClient]:
    """What the application raises ends in its answer, as it would on a server."""
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway.test") as client:
        yield client
