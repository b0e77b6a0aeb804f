"""GraphiQL with its stories, for people who develop against the API. Nothing is asked of another host."""

from collections.abc import Awaitable, Callable
from typing import Final

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from gql.explorer.page import ASSETS_PATH, CONTENT_SECURITY_POLICY, STATIC, Configuration
from web.assets import Assets

ASSETS: Final = Assets(STATIC, policy=CONTENT_SECURITY_POLICY)

Configure = Callable[[], Awaitable[Configuration]]
"""Made anew each time the page is opened, since it carries a token."""


def wants_page(request: Request) -> bool:
    """Whether a browser opens the address, rather than a program asking a query."""
    return request.method == "GET" and "text/html" in request.headers.get("accept", "")


def page() -> Response:
    return ASSETS.page()


def explorer_routes(configure: Configure) -> list[BaseRoute]:
    async def configuration(_: Request) -> Response:
        return Response(orjson.dumps(await configure()), media_type="application/json")

    return [
        Route(f"{ASSETS_PATH}/config.json", configuration),
        Mount(ASSETS_PATH, ASSETS),
    ]
