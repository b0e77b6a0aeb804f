"""The types of what callers send. Nothing is coerced: an amount is an integer, and never "2500", 2500.0 or true."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError

from domain.commands.add_payment_method import LONGEST_PROCESSOR_ID
from domain.commands.payment_methods import LATEST_YEAR, LONGEST_NAME
from domain.errors import NotFound
from domain.payment import Payment
from domain.payment_method import PaymentMethod
from domain.plan import Plan
from domain.subscription import Subscription
from domain.text import MAXIMUM_DESCRIPTION
from gql.ids import PREFIX, id_of

LARGEST: Final = 2**53 - 1
"""The largest integer that every JSON reader keeps exact (RFC 8259, section 6)."""
EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)

_UUID_PATTERN: Final = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_UUID = re.compile(_UUID_PATTERN)
_WHOLE = re.compile(r"[0-9]{1,16}", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_INSTANT = re.compile(
    rf"{_DATE.pattern}[Tt][0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}(?:\.[0-9]{{1,6}})?(?:[Zz]|[+-][0-9]{{2}}:[0-9]{{2}})",
    re.ASCII,
)
EXAMPLES: Final[Mapping[type, str]] = {
    Payment: "01942f4e-7b1c-7c3e-9d2a-5f0e8b6a1c44",
    PaymentMethod: "0193e1a3-0f6e-7a92-8c41-b7d25e90f3a6",
    Subscription: "0194118b-3a97-7f05-b6d2-c8e041f79a23",
    Plan: "0192c7f4-e810-7c66-a9f3-5e2b8d1047c9",
}
"""An id of each kind, for the documentation."""


class Model(BaseModel):
    """What requests and answers are made of. It is compiled when the first one comes, and not at each start."""

    model_config = ConfigDict(defer_build=True)


class Query(Model):
    """A query string. Parameters that it does not name are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Body(Model):
    """A JSON body. Members that it does not name are refused, and so is a value of another type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class NoQuery(Query):
    """No parameters at all."""


def identity(kind: type, text: str, *path: str) -> UUID:
    """An object's UUID, from itself or from the id that GraphQL shows. Raises NotFound for anything else."""
    return UUID(text) if _UUID.fullmatch(text) else id_of(kind, text, *path)


def _reader(kind: type) -> PlainValidator:
    def read(value: object) -> UUID:
        try:
            return identity(kind, value if isinstance(value, str) else "")
        except NotFound as malformed:
            raise PydanticCustomError("id", "not an id of such an object") from malformed

    return PlainValidator(read)


def id_schema(kind: type) -> JsonSchemaValue:
    """Of an object's id: a UUID, or what GraphQL calls it."""
    prefix, example = PREFIX[kind], EXAMPLES[kind]
    return {
        "type": "string",
        "pattern": f"^(?:{_UUID_PATTERN}|{prefix}_[0-9a-f]{{32}})$",
        "examples": [example, f"{prefix}_{example.replace('-', '')}"],
    }


def _written(kind: type) -> WithJsonSchema:
    return WithJsonSchema(id_schema(kind))


def _user(value: object) -> UUID:
    if isinstance(value, str) and _UUID.fullmatch(value):
        return UUID(value)
    raise PydanticCustomError("id", "not a UUID")


def _whole(value: object) -> int:
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    raise PydanticCustomError("type", "not a whole number")


def _flag(value: object) -> bool:
    if value in {"true", "false"}:
        return value == "true"
    raise PydanticCustomError("type", "neither true nor false")


def _moment(value: object, *, days: int) -> datetime:
    """Not so far off that nobody can calculate with it; nothing was paid before."""
    moment = _instant(value, days=days)
    if EARLIEST <= moment <= LATEST:
        return moment
    raise _out_of_range()


def _instant(value: object, *, days: int) -> datetime:
    """An RFC 3339 instant as it is; a date as its first moment in UTC, or that of the day after it."""
    try:
        if isinstance(value, str) and _DATE.fullmatch(value):
            return datetime.combine(date.fromisoformat(value), time(), UTC) + timedelta(days=days)
        if isinstance(value, str) and _INSTANT.fullmatch(value):
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except OverflowError as beyond:
        raise _out_of_range() from beyond
    except ValueError as impossible:
        raise PydanticCustomError("date", "there is no such day or time") from impossible
    raise PydanticCustomError("date", "neither a date nor an RFC 3339 instant")


def _out_of_range() -> PydanticCustomError:
    """Of what has the form of a date, and no meaning here."""
    return PydanticCustomError("outOfRange", "not between the years 2000 and 2100")


_MOMENT: Final[JsonSchemaValue] = {
    "anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}],
    "examples": ["2024-01-01", "2024-01-01T12:00:00Z"],
}
_CONTROL: Final = r"\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f"

MethodId = Annotated[UUID, _reader(PaymentMethod), _written(PaymentMethod)]
PlanId = Annotated[UUID, _reader(Plan), _written(Plan)]
UserId = Annotated[UUID, PlainValidator(_user), WithJsonSchema({"type": "string", "format": "uuid"})]
Whole = Annotated[int, BeforeValidator(_whole)]
Flag = Annotated[bool, BeforeValidator(_flag)]
Since = Annotated[datetime, PlainValidator(partial(_moment, days=0)), WithJsonSchema(_MOMENT)]
"""From here on: a date begins with its day, in UTC."""
Until = Annotated[datetime, PlainValidator(partial(_moment, days=1)), WithJsonSchema(_MOMENT)]
"""Before this, where it is an instant; a date ends with its day, in UTC."""
MinorUnits = Annotated[int, Field(ge=1, le=LARGEST)]
"""Of the currency's smallest unit. Whether so much can be charged is the currency's own rule."""
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Metadata = dict[str, Any]


def says_one_of(**fields: str) -> JsonSchemaValue:
    """At least one of these fields, named with their JSON types, is there and not null."""
    return {
        "anyOf": [{"required": [name], "properties": {name: {"type": kind}}} for name, kind in fields.items()]
    }


def text_schema(longest: int) -> WithJsonSchema:
    """Of what `domain.text.checked_text` takes, but for card numbers."""
    pattern = f"^[^{_CONTROL}]*[^{_CONTROL}\\s][^{_CONTROL}]*$"
    return WithJsonSchema({"type": "string", "minLength": 1, "maxLength": longest, "pattern": pattern})


Text = Annotated[str, text_schema(MAXIMUM_DESCRIPTION)]
Name = Annotated[str, text_schema(LONGEST_NAME)]
Month = Annotated[int, WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 12})]
Year = Annotated[int, WithJsonSchema({"type": "integer", "maximum": LATEST_YEAR})]
ProcessorId = Annotated[str, text_schema(LONGEST_PROCESSOR_ID)]
