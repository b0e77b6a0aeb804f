"""The REST reference: Swagger UI, served where GraphiQL is, and signed in as GraphiQL is."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from web.assets import Assets
from web.rest.reference.page import CONTENT_SECURITY_POLICY, REFERENCE, STATIC

ASSETS: Final = Assets(STATIC, policy=CONTENT_SECURITY_POLICY)


def reference_routes() -> list[BaseRoute]:
    async def page(_: Request) -> Response:
        return ASSETS.page()

    return [Route(REFERENCE, page), Route(f"{REFERENCE}/", page), Mount(REFERENCE, ASSETS)]
