"""The answers of an endpoint, by status: what they hold, which headers they have, and what they look like."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, get_args

from pydantic import BaseModel

from web.content_type import JSON
from web.errors import HTTP_ERRORS
from web.rest.commands import ACCEPTED
from web.rest.export import COLUMNS, CSV, lines
from web.rest.openapi.errors import data_of, described, example, meta_of
from web.rest.openapi.headers import ON_LEGACY_ANSWERS, headers
from web.rest.openapi.samples import AWAITING, DONE, METAS, UNKNOWN
from web.rest.openapi.schemas import Schemas
from web.rest.problems import ErrorEnvelope
from web.rest.reading import KEY_HEADER
from web.rest.route import RestRoute

Json = Mapping[str, Any]

ANYWHERE: Final = (400, 408, 414, 431, 500)
"""What may be answered before any route is asked, or where something unforeseen happens."""
SHARED: Final = {
    400: "BadRequest",
    401: "Unauthenticated",
    408: "RequestTimeout",
    413: "ContentTooLarge",
    414: "URITooLong",
    415: "UnsupportedMediaType",
    429: "RateLimited",
    431: "HeadersTooLarge",
    500: "InternalError",
}
"""Errors that look alike whoever answers, by the names of their components."""
_MAY_BE_UNIDENTIFIED: Final = frozenset({400, 408, 414, 431, 503})
"""What a connection itself may answer, which has not come to a request with an id."""
_ERROR_HEADERS: Final[Mapping[int, Sequence[str]]] = {
    401: ("WWW-Authenticate",),
    409: ("Retry-After",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}


def replies(route: RestRoute, schemas: Schemas) -> dict[str, Json]:
    told: dict[int, Json] = {status: _success(status, route, schemas) for status in route.replies}
    for status, codes in {**{status: usual(status) for status in ANYWHERE}, **route.error_statuses}.items():
        is_shared = status in SHARED and codes == usual(status)
        told[status] = shared(status) if is_shared else _error(status, codes, schemas, route)
    return {str(status): told[status] for status in sorted(told)}


def usual(status: int) -> list[str]:
    return [HTTP_ERRORS[status].code]


def shared(status: int) -> Json:
    return {"$ref": f"#/components/responses/{SHARED[status]}"}


def shared_responses(schemas: Schemas) -> dict[str, Json]:
    return {name: _error(status, usual(status), schemas, None) for status, name in SHARED.items()}


def problem(status: int, codes: Sequence[str], schemas: Schemas) -> Json:
    """An error of an endpoint that is in no table."""
    return _error(status, codes, schemas, None)


def _success(status: int, route: RestRoute, schemas: Schemas) -> Json:
    reply = route.replies[status]
    echoed = (KEY_HEADER,) if route.takes_key else ()
    dressed = {
        "description": reply.description,
        "headers": headers((*reply.headers, *echoed, *ON_LEGACY_ANSWERS)),
    }
    if reply.model is not None:
        examples = {name: {"value": value} for name, value in _examples(status, reply.model, route)}
        content = {JSON: {"schema": schemas.reference(reply.model), "examples": examples}}
        return {**dressed, "content": content}
    if reply.media_type == CSV:
        named = {"schema": {"type": "string"}, "example": lines([tuple(COLUMNS)]).decode()}
        return {**dressed, "content": {CSV: named}}
    return dressed


def _examples(status: int, model: type[BaseModel], route: RestRoute) -> Iterator[tuple[str, Any]]:
    """By name. A 202 has an example for each of its reasons."""
    data, meta = data_of(model), METAS[meta_of(model)]
    [kind] = get_args(data) or (data,)
    if status == ACCEPTED:
        if kind in AWAITING:
            yield "customer_must_act", _written(model, AWAITING[kind], meta)
        yield (
            "outcome_unknown",
            _written(model, UNKNOWN[kind], meta.model_copy(update={"outcome_known": False})),
        )
    elif status == 200 and 201 in route.replies:
        yield "replayed", _written(model, DONE[kind], meta.model_copy(update={"replayed": True}))
    else:
        yield "done", _written(model, DONE[kind] if kind is data else [DONE[kind]], meta)


def _written(model: type[BaseModel], data: object, meta: BaseModel) -> Any:
    return model.model_construct(data=data, meta=meta).model_dump(mode="json")


def _error(status: int, codes: Sequence[str], schemas: Schemas, route: RestRoute | None) -> Json:
    known = list(dict.fromkeys(codes))
    legacy = () if route is None else ON_LEGACY_ANSWERS
    echoed = (KEY_HEADER,) if route is not None and route.takes_key else ()
    only = {"properties": {"error": {"properties": {"code": {"enum": known}}}}}
    return {
        "description": "\n".join(f"- `{code}`: {described(code, status)}" for code in known),
        "headers": headers(
            (*_ERROR_HEADERS.get(status, ()), *echoed, *legacy),
            is_identified=status not in _MAY_BE_UNIDENTIFIED,
        ),
        "content": {
            JSON: {
                "schema": {"allOf": [schemas.reference(ErrorEnvelope), only]},
                "examples": {code: {"value": example(code, status, route)} for code in known},
            }
        },
    }
