"""Scalars: how a value looks in JSON, and what is refused at the door."""

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal as ExactDecimal
from typing import Any, Final, NewType
from uuid import UUID

import strawberry
from graphql import GraphQLError, ValueNode, value_from_ast_untyped
from strawberry.types.scalar import ScalarDefinition

from domain.errors import ErrorCode, InvalidInput
from domain.operation import checked_key

LARGEST: Final = 2**53 - 1
"""The largest integer that every JSON reader keeps exact (RFC 8259, section 6)."""
LONGEST_TEXT: Final = 10_000
LENGTH_OF_UTC: Final = len("+00:00")
DEEPEST: Final = 32
DIGITS: Final = re.compile(r"-?[0-9]{1,17}")

MinorUnits = NewType("MinorUnits", int)
IdempotencyKey = NewType("IdempotencyKey", str)
CurrencyCode = NewType("CurrencyCode", str)
Url = NewType("Url", str)
JsonObject = NewType("JsonObject", dict[str, Any])


def refused(name: str, why: str) -> GraphQLError:
    return GraphQLError(f"{name}: {why}", extensions={"code": ErrorCode.INVALID_INPUT.value})


def parsed_minor(value: object) -> int:
    number = int(value) if isinstance(value, str) and DIGITS.fullmatch(value) else value
    if type(number) is not int or abs(number) > LARGEST:
        raise refused("MinorUnits", "a whole number within ±(2^53-1), or its digits in a string")
    return number


def parsed_instant(value: object) -> datetime:
    try:
        instant = (
            datetime.fromisoformat(value)
            if isinstance(value, str) and len(value) > len("2026-01-01")
            else None
        )
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise refused("DateTime", "an RFC 3339 date and time with its offset, such as 2026-01-31T12:00:00Z")
    try:
        return instant.astimezone(UTC)
    except OverflowError as beyond:
        raise refused("DateTime", "beyond the calendar") from beyond


def written_instant(value: datetime) -> str:
    return (value if value.tzinfo is UTC else value.astimezone(UTC)).isoformat()[:-LENGTH_OF_UTC] + "Z"


def parsed_uuid(value: object) -> UUID:
    try:
        return UUID(value) if isinstance(value, str) else UUID(int=-1)
    except ValueError as malformed:
        raise refused("UUID", "not a UUID") from malformed


def parsed_key(value: object) -> str:
    try:
        return checked_key(parsed_text("IdempotencyKey", value))
    except InvalidInput as broken:
        raise refused("IdempotencyKey", broken.message) from broken


def parsed_currency(value: object) -> str:
    code = parsed_text("CurrencyCode", value)
    if len(code) == 3 and code.isascii() and code.isalpha() and code.isupper():
        return code
    raise refused("CurrencyCode", "three upper-case letters (ISO 4217)")


def parsed_text(name: str, value: object) -> str:
    if isinstance(value, str) and len(value) <= LONGEST_TEXT:
        return value
    raise refused(name, "a text")


def parsed_object(value: object) -> dict[str, Any]:
    if isinstance(value, dict) and _is_plain(value):
        return value
    raise refused("JSONObject", f"an object of finite JSON values, at most {DEEPEST} levels deep")


def object_literal(node: ValueNode, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return parsed_object(value_from_ast_untyped(node, dict(variables) if variables else None))


def _is_plain(value: object) -> bool:
    """Without recursion, which deep values would exhaust here and in whatever hashes or stores them later."""
    waiting = [(value, 1)]
    while waiting:
        item, depth = waiting.pop()
        if depth > DEEPEST or (isinstance(item, float) and not math.isfinite(item)):
            return False
        parts = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        waiting += [(part, depth + 1) for part in parts]
    return True


def _text(name: str) -> Callable[[object], str]:
    return lambda value: parsed_text(name, value)


SCALARS: Final[dict[object, ScalarDefinition]] = {
    MinorUnits: strawberry.scalar(
        name="MinorUnits",
        description=(
            "A whole number of a currency's smallest unit, as a JSON integer within ±(2^53-1). "
            "As input a string of digits is accepted too."
        ),
        parse_value=parsed_minor,
    ),
    ExactDecimal: strawberry.scalar(
        name="Decimal", description="An exact decimal number, as a string.", serialize=str
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description="An RFC 3339 date and time, always in UTC with a Z.",
        specified_by_url="https://scalars.graphql.org/andimarek/date-time",
        serialize=written_instant,
        parse_value=parsed_instant,
    ),
    UUID: strawberry.scalar(
        name="UUID",
        description="A UUID in its 8-4-4-4-12 form.",
        specified_by_url="https://datatracker.ietf.org/doc/html/rfc9562",
        serialize=str,
        parse_value=parsed_uuid,
    ),
    Url: strawberry.scalar(name="URL", description="An absolute address.", parse_value=_text("URL")),
    CurrencyCode: strawberry.scalar(
        name="CurrencyCode",
        description="An upper-case ISO 4217 code, such as EUR.",
        parse_value=parsed_currency,
    ),
    IdempotencyKey: strawberry.scalar(
        name="IdempotencyKey",
        description=(
            "8 to 255 printable ASCII characters that name one intention of yours, unique per caller and "
            "mutation for 30 days. Use a fresh one for a new intention, and the same one to try again."
        ),
        parse_value=parsed_key,
    ),
    JsonObject: strawberry.scalar(
        name="JSONObject",
        description="A JSON object.",
        parse_value=parsed_object,
        parse_literal=object_literal,
    ),
}
