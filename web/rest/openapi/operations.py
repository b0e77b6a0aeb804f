"""One operation of the document, from its row of the route table."""

from collections.abc import Iterator, Mapping
from typing import Any

from web.content_type import JSON
from web.request_id import HEADER
from web.rest.fields import id_schema
from web.rest.openapi.headers import parameter
from web.rest.openapi.links import links
from web.rest.openapi.names import Noun, operation_id
from web.rest.openapi.replies import replies
from web.rest.openapi.samples import REQUESTS
from web.rest.openapi.schemas import Schemas
from web.rest.reading import KEY_HEADER
from web.rest.route import RestRoute

Json = Mapping[str, Any]


def operation(route: RestRoute, noun: Noun, schemas: Schemas) -> Json:
    successors = ", ".join(f"`{each}`" for each in route.graphql)
    told: dict[str, Any] = {
        "operationId": operation_id(route),
        "tags": [noun.name],
        "summary": route.summary,
        "description": "\n\n".join(filter(None, (route.description, f"In GraphQL: {successors}."))),
        "deprecated": True,
        "parameters": [*_parameters(route, schemas)],
        "responses": _linked(route, replies(route, schemas)),
        "x-graphql": list(route.graphql),
    }
    if route.body is not None:
        examples = {name: {"value": body} for name, body in REQUESTS[route.body].items()}
        content = {JSON: {"schema": schemas.reference(route.body), "examples": examples}}
        told["requestBody"] = {"required": True, "content": content}
    return told


def _parameters(route: RestRoute, schemas: Schemas) -> Iterator[Json]:
    if route.identified is not None:
        schema = id_schema(route.identified)
        yield {
            "name": "id",
            "in": "path",
            "required": True,
            "description": "Of the object.",
            "schema": schema,
        }
    for name, schema in schemas.parameters(route.query).items():
        description = schema.pop("description", "")
        needed = {"required": True} if route.query.model_fields[name].is_required() else {}
        yield {"name": name, "in": "query", **needed, "description": description, "schema": schema}
    if route.takes_key:
        yield parameter(KEY_HEADER)
    if 304 in route.replies:
        yield parameter("If-None-Match")
    yield parameter(HEADER)


def _linked(route: RestRoute, told: Mapping[str, Json]) -> Json:
    """A success says where one can go on from it."""
    found = {str(status): links(route, status) for status in route.replies}
    return {
        status: {**reply, "links": found[status]} if found.get(status) else reply
        for status, reply in told.items()
    }
