"""
Statements that are compiled once and sent by the driver itself.

For a read that is made again and again, SQLAlchemy needs twice as long as PostgreSQL: it looks up the compiled
statement, wraps its result, and a constructor takes forty arguments. Here the statement's text is kept, and
generated code fills a value's attributes straight from the row.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

import orjson
from sqlalchemy import ARRAY, BindParameter, ClauseElement, Enum
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

T = TypeVar("T")

Convert = Callable[[Any], Any]


def json_text(value: Any) -> str:
    return orjson.dumps(value).decode()


DIALECT: Final = PGDialect_asyncpg(json_serializer=json_text, json_deserializer=orjson.loads)  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """Of a statement, by its place. A constant has a value of its own, all others must be given."""

    name: str
    is_constant: bool
    constant: Any
    convert: Convert | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """Made once and kept, so that one is like no other."""

    text: str
    parameters: Sequence[Parameter]

    def values(self, given: Mapping[str, Any]) -> list[Any]:
        """Raises KeyError where one is not given: NULL would be another question."""
        return [
            value if each.convert is None or value is None else each.convert(value)
            for each in self.parameters
            for value in (each.constant if each.is_constant else given[each.name],)
        ]


def prepared(statement: ClauseElement, columns: Sequence[str] | None = None) -> Prepared | None:
    """
    None for a statement whose text depends on its values.

    `columns` are those that an INSERT or UPDATE writes, where it does not say so itself: they are given by their names.
    """
    compiled = cast("SQLCompiler", statement.compile(dialect=DIALECT, column_keys=columns))
    if compiled.post_compile_params:
        return None
    parameters = [_parameter(compiled.binds[name]) for name in compiled.positiontup or ()]
    return Prepared(text=compiled.string, parameters=parameters)


def _parameter(bind: BindParameter[Any]) -> Parameter:
    return Parameter(
        name=bind.key,
        is_constant=not bind.required,
        constant=bind.value,
        convert=_writing(bind.type.dialect_impl(DIALECT)),
    )


def _writing(kind: TypeEngine[Any]) -> Convert | None:
    """From a domain value to what the driver takes. A list is taken as it is, where its items are."""
    if isinstance(kind, ARRAY) and _writing(kind.item_type.dialect_impl(DIALECT)) is None:
        return None
    return kind.bind_processor(DIALECT)


def reading(kind: TypeEngine[Any]) -> Convert | None:
    """From what the driver gives to a domain value; None where that is the same."""
    if isinstance(kind, Enum) and kind.enum_class is not None:
        members: dict[str, Any] = {member.value: member for member in kind.enum_class}
        return members.__getitem__
    return kind.dialect_impl(DIALECT).result_processor(DIALECT, None)


@dataclass(frozen=True, slots=True)
class Filled:
    """An attribute, the columns that it is made of, and how; None is the one column's value as it is."""

    attribute: str
    columns: Sequence[str]
    convert: Callable[..., Any] | None


def maker(
    entity: type[T], columns: Sequence[str], attributes: Iterable[Filled], *, offset: int = 0
) -> Callable[[Any], T]:
    """
    From a row with these columns, after `offset` others, to a value that has these attributes, and no others.

    It is not validated.

    For the columns `id` and `status` it is

        def make(row):
            made = new(entity)
            set_id(made, row[0])
            set_status(made, None if (value := row[1]) is None else convert_status(value))
            return made
    """
    things: dict[str, Any] = {"new": object.__new__, "entity": entity}
    lines = ["def make(row):", "    made = new(entity)"]
    for each in attributes:
        places = ", ".join(f"row[{offset + columns.index(name)}]" for name in each.columns)
        things[f"set_{each.attribute}"] = getattr(entity, each.attribute).__set__
        things[f"convert_{each.attribute}"] = each.convert
        lines.append(f"    set_{each.attribute}(made, {_converted(each, places)})")
    lines.append("    return made")
    exec(compile("\n".join(lines), "<row>", "exec"), things)  # noqa: S102 - our own words, and names of attributes
    make: Callable[[Any], T] = things["make"]
    return make


def _converted(each: Filled, places: str) -> str:
    if each.convert is None:
        return places
    call = f"convert_{each.attribute}"
    if len(each.columns) > 1:
        return f"{call}({places})"
    return f"None if (value := {places}) is None else {call}(value)"
