"""GET /api/v1/payments/openapi.json: the document of the REST API."""

from functools import cache
from hashlib import sha256
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from web.content_type import JSON
from web.rest.entity_tags import is_known
from web.rest.route import BASE

OPENAPI: Final = f"{BASE}/openapi.json"


def openapi_route() -> Route:
    """Open to everybody, and written once, for whoever asks first."""
    return Route(OPENAPI, document)


async def document(request: Request) -> Response:
    body, entity_tag = written()
    headers = {"ETag": entity_tag, "Cache-Control": "no-cache"}
    if is_known(entity_tag, request.headers.get("if-none-match")):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=JSON)


@cache
def written() -> tuple[bytes, str]:
    """The document, and its entity tag."""
    from web.rest.openapi.document import served  # It makes examples of everything as it is loaded.

    body = served()
    return body, f'"{sha256(body).hexdigest()[:32]}"'
