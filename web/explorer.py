"""GraphiQL with its stories, for people who develop against the API. Nothing is asked of another host."""

from collections.abc import Awaitable, Callable
from typing import Final

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from gql.explorer.page import ASSETS_PATH, CONTENT_SECURITY_POLICY, STATIC, Configuration
from web.assets import Assets
from web.headers import header

ASSETS: Final = Assets(STATIC, policy=CONTENT_SECURITY_POLICY)

Configure = Callable[[], Awaitable[Configuration]]
"""Made anew each time the page is opened, since it carries a token."""


class PageOr:
    """Browsers see GraphiQL where programs ask queries. A class, which Starlette takes for an application."""

    def __init__(self, endpoint: ASGIApp) -> None:
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (ASSETS.page() if wants_page(scope) else self._endpoint)(scope, receive, send)


def wants_page(scope: Scope) -> bool:
    """Whether a browser opens the address, rather than a program asking a query."""
    return scope["method"] == "GET" and "text/html" in header(scope, b"accept")


def explorer_routes(configure: Configure) -> list[BaseRoute]:
    async def configuration(_: Request) -> Response:
        return Response(orjson.dumps(await configure()), media_type="application/json")

    return [
        Route(f"{ASSETS_PATH}/config.json", configuration),
        Mount(ASSETS_PATH, ASSETS),
    ]
