"""GraphiQL with its stories, for people who develop against the API. Nothing is asked of another host."""

from collections.abc import Awaitable, Callable
from typing import Final

import orjson
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Message, Receive, Scope, Send

from gql.explorer.page import ASSETS_PATH, CONTENT_SECURITY_POLICY, STATIC, Configuration

HEADERS: Final = {"Content-Security-Policy": CONTENT_SECURITY_POLICY, "Cache-Control": "no-cache"}

Configure = Callable[[], Awaitable[Configuration]]
"""Made anew each time the page is opened, since it carries a token."""


def wants_page(request: Request) -> bool:
    """Whether a browser opens the address, rather than a program asking a query."""
    return request.method == "GET" and "text/html" in request.headers.get("accept", "")


def page() -> Response:
    return FileResponse(STATIC / "index.html", headers=HEADERS)


def explorer_routes(configure: Configure) -> list[BaseRoute]:
    async def configuration(_: Request) -> Response:
        return Response(orjson.dumps(await configure()), media_type="application/json")

    return [
        Route(f"{ASSETS_PATH}/config.json", configuration),
        Mount(ASSETS_PATH, Assets(directory=STATIC)),
    ]


class Assets(StaticFiles):
    """The built files under the page's own policy."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                extra = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
                message["headers"] = [*message["headers"], *extra]
            await send(message)

        await super().__call__(scope, receive, with_policy)
