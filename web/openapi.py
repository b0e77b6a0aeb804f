"""GET /api/v1/payments/openapi.json: the document of the REST API."""

from hashlib import sha256
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from web.content_type import JSON
from web.rest.entity_tags import is_known
from web.rest.openapi.document import served
from web.rest.route import BASE

OPENAPI: Final = f"{BASE}/openapi.json"


def openapi_route() -> Route:
    """Open to everybody, and written once."""
    body = served()
    headers = {"ETag": f'"{sha256(body).hexdigest()[:32]}"', "Cache-Control": "no-cache"}

    async def document(request: Request) -> Response:
        if is_known(headers["ETag"], request.headers.get("if-none-match")):
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers, media_type=JSON)

    return Route(OPENAPI, document)
