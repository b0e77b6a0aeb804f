"""A command's fields as JSON, and back: for fingerprints, and for resuming after a crash."""

from collections.abc import Mapping
from dataclasses import Field, fields
from datetime import datetime
from enum import Enum
from types import NoneType
from typing import TYPE_CHECKING, Any, Final, TypeVar, get_args, get_type_hints
from uuid import UUID

from domain.json_value import AS_THEY_ARE, JsonObject, JsonValue
from domain.money import Money

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

UNKEPT: Final = {"is_kept": False}
"""Metadata of a field that only the first stroke needs, such as free text: it is hashed, and never kept."""

C = TypeVar("C", bound="DataclassInstance")


def encoded(command: "DataclassInstance") -> dict[str, JsonValue]:
    return {part.name: _json(getattr(command, part.name)) for part in fields(command)}


def kept(command: "DataclassInstance") -> dict[str, JsonValue]:
    return {part.name: _json(getattr(command, part.name)) for part in fields(command) if _is_kept(part)}


def decoded(kind: type[C], arguments: JsonObject) -> C:
    """The command again; fields that were not kept have their defaults."""
    types = get_type_hints(kind)
    return kind(**{name: _value(types[name], value) for name, value in arguments.items()})


def _is_kept(part: Field[Any]) -> bool:
    return bool(part.metadata.get("is_kept", True))


def _json(value: object) -> JsonValue:
    if value.__class__ in AS_THEY_ARE:
        return value  # type: ignore[return-value]  # Of one of these classes, as mypy cannot see.
    match value:
        case None | bool() | int() | float():
            return value
        case Enum():
            return str(value.value)
        case datetime():
            return value.isoformat()
        case str() | UUID():
            return str(value)
        case Money():
            return {"minor": value.minor, "currency": value.currency}
        case Mapping():
            return {str(name): _json(part) for name, part in value.items()}
        case list() | tuple():
            return [_json(part) for part in value]
    raise TypeError(f"A command cannot hold {type(value).__name__}")


def _value(kind: Any, value: JsonValue) -> object:
    if value is None:
        return None
    [plain] = [part for part in get_args(kind) or (kind,) if part is not NoneType]
    if plain is Money and isinstance(value, dict):
        return Money(minor=int(str(value["minor"])), currency=str(value["currency"]))
    if plain is datetime:
        return datetime.fromisoformat(str(value))
    is_parsed = isinstance(plain, type) and issubclass(plain, UUID | Enum)
    return plain(value) if is_parsed else value
