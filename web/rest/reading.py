"""From a request to values: bodies, query strings, ids and keys. Whatever is not exactly as documented is refused."""

from collections import Counter
from typing import Final, TypeVar
from uuid import UUID

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request

from domain.card_number import find_in
from domain.errors import InvalidInput
from domain.json_value import JsonObject
from domain.operation import checked_key
from web.content_type import must_be_json
from web.errors import CARD_NUMBER, Detail, UnfitFields
from web.rest.fields import Body, Query, identity
from web.rest.route import RestRoute
from web.strict import json_object

KEY_HEADER: Final = "Idempotency-Key"
LONGEST_NAME: Final = 64
"""Characters of a caller's own field name that are repeated to them."""

CODES: Final = {
    "missing": "required",
    "extra_forbidden": "unknown",
    "enum": "oneOf",
    "literal_error": "oneOf",
    "greater_than_equal": "minimum",
    "less_than_equal": "maximum",
    "string_too_long": "maxLength",
    "string_too_short": "minLength",
    "string_pattern_mismatch": "pattern",
}
"""Ours of pydantic's types of errors. Those that end in `_type` are `type`."""

M = TypeVar("M", bound=BaseModel)


def asked_id(request: Request, route: RestRoute) -> UUID | None:
    """The object that the path names, if it names one; raises NotFound for what is no id of that type."""
    if route.identified is None:
        return None
    return identity(route.identified, request.path_params["id"], "id")


def asked_key(headers: Headers) -> str | None:
    """Raises InvalidInput for a key that is none, or for several."""
    keys = headers.getlist(KEY_HEADER)
    if len(keys) > 1:
        raise InvalidInput("Send one idempotency key.", path=("idempotency_key",), constraint="repeated")
    return checked_key(keys[0]) if keys else None


def read_query(request: Request, model: type[Query]) -> Query:
    """Raises UnfitFields, also for a parameter that is given twice."""
    given = request.query_params.multi_items()
    times = Counter(name for name, _value in given)
    if repeated := [name for name, number in times.items() if number > 1]:
        raise UnfitFields([Detail(field=shown_name(name), code="repeated") for name in repeated])
    try:
        return model.model_validate(dict(given))
    except ValidationError as unfit:
        raise UnfitFields(_details(unfit)) from unfit


async def read_body(request: Request, model: type[Body]) -> Body:
    """Raises 415 for another media type, 400 for what is not JSON, InvalidInput for a card number, UnfitFields."""
    must_be_json(request.headers.get("content-type", ""))
    body = await request.body()
    if path := find_in(_json(body)):
        where = tuple(shown_name(str(step)) for step in path)
        message = "This looks like a card number. Never send one to this API."
        raise InvalidInput(message, path=where, constraint=CARD_NUMBER)
    try:
        return model.model_validate_json(body)
    except ValidationError as unfit:
        raise UnfitFields(_details(unfit)) from unfit


def shown_name(name: str) -> str:
    return name[:LONGEST_NAME]


def _json(body: bytes) -> JsonObject:
    try:
        return json_object(body)
    except ValueError as malformed:
        raise HTTPException(
            400, "The body must be one JSON object in UTF-8, with no name twice."
        ) from malformed


def _details(unfit: ValidationError) -> list[Detail]:
    errors = unfit.errors(include_url=False, include_context=False, include_input=False)
    return [Detail(field=_field(error), code=_code(error["type"])) for error in errors]


def _field(error: ErrorDetails) -> str:
    return ".".join(shown_name(str(step)) for step in error["loc"])


def _code(kind: str) -> str:
    return "type" if kind.endswith("_type") else CODES.get(kind, kind)
