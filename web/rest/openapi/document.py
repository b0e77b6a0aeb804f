"""`python -m web.rest.openapi.document` prints what stands in docs/openapi.json."""

import sys
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import orjson

from web.rest.openapi.headers import HEADERS, PARAMETERS
from web.rest.openapi.names import NOUNS
from web.rest.openapi.operations import operation
from web.rest.openapi.replies import shared_responses
from web.rest.openapi.schemas import Schemas
from web.rest.openapi.webhook import PATH, webhook
from web.rest.route import BASE
from web.rest.table import ROUTES
from web.webhooks import Received

VERSION: Final = "1"
DESCRIPTION: Final = """\
The API that callers had before GraphQL. It stays as it is, and new things come to GraphQL alone: each answer names
the operation that does the same there, and the migration guide shows both side by side.

- Amounts are integers in the currency's smallest unit; times are RFC 3339, in UTC.
- Each address may end with a slash. Unknown parameters and fields are refused, never ignored.
- An id is a UUID, or what GraphQL calls the object, such as `pay_01942f4e7b1c7c3e9d2a5f0e8b6a1c44`.
- Send an `Idempotency-Key` with whatever must not happen twice, and the same one again whenever an answer was lost.
- Codes of errors are stable, and new ones may come; `retry` tells what may help."""


def document() -> Mapping[str, Any]:
    asked = [model for route in ROUTES for model in (route.query, route.body) if model is not None]
    answered = [
        reply.model for route in ROUTES for reply in route.replies.values() if reply.model is not None
    ]
    schemas = Schemas(asked, [*answered, Received])
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "Payments",
            "version": VERSION,
            "summary": "REST, for old callers.",
            "description": DESCRIPTION,
        },
        "servers": [{"url": "/", "description": "This host."}],
        "tags": [{"name": noun.name, "description": noun.description} for noun in NOUNS],
        "security": [{"bearer": []}],
        "paths": _paths(schemas),
        "components": {
            "schemas": schemas.components(but={route.query for route in ROUTES}),
            "responses": shared_responses(schemas),
            "parameters": PARAMETERS,
            "headers": HEADERS,
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "The User Service's token. Who asks, and in which role, is told by it alone.",
                }
            },
        },
    }


def _paths(schemas: Schemas) -> dict[str, dict[str, Any]]:
    paths: dict[str, dict[str, Any]] = {}
    for noun in NOUNS:
        for route in noun.routes:
            paths.setdefault(f"{BASE}{route.path}", {})[route.method.lower()] = operation(
                route, noun, schemas
            )
    paths[PATH] = {"post": webhook(schemas)}
    return paths


@cache
def served() -> bytes:
    """As JSON, the same bytes each time."""
    return orjson.dumps(document())


if __name__ == "__main__":
    sys.stdout.buffer.write(orjson.dumps(document(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
