"""Rows of one table as domain values: of a kept statement, only what will be looked at of them."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ARRAY, Column, ColumnElement, Executable, Select, Table, any_, bindparam
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.ports import Glance
from persistence.engine import keyring_of, repositories_of
from persistence.joined import Joined, joined_with
from persistence.keyring import Keyring
from persistence.prepared import Filled, Prepared, maker, prepared, reading
from persistence.read_connection import ReadConnection
from persistence.writing import kept_statement

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Entity = TypeVar("Entity", bound="DataclassInstance")

MOST_READINGS: Final = 2048


@dataclass(frozen=True, slots=True)
class Reading(Generic[Entity]):
    """A statement, what makes an entity of each of its rows, and of what was read together with it."""

    statement: Prepared
    make: Callable[[Any], Entity]
    joined: Sequence[Joined]


class Rows(Generic[Entity]):
    """Subclasses name the table, its domain class, and the column that tells rows apart."""

    table: ClassVar[Table]
    entity: type[Entity]
    identity: ClassVar[str] = "id"

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    @property
    def _identity(self) -> Column[Any]:
        return self.table.c[self.identity]

    def _entity(self, row: dict[str, Any]) -> Entity:
        return self.entity(**row)

    async def _one(self, statement: Executable, values: Mapping[str, Any] | None = None) -> Entity | None:
        """As `_all`."""
        if values is not None:
            found = await self._all(statement, values)
            return found[0] if found else None
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else self._entity(dict(row._mapping))

    async def _all(
        self,
        statement: Executable,
        values: Mapping[str, Any] | None = None,
        *,
        besides: frozenset[str] = frozenset(),
    ) -> list[Entity]:
        """
        `values` are for statements that are kept and used again, so that preparing them is worth the while.

        `besides` is what rows are grouped or ordered by, and is read in any case, as their identity is.
        """
        connection = self._connection
        if isinstance(connection, ReadConnection) and connection.is_direct:
            reading = self._kept_reading(statement, values, connection, besides)
            if reading is not None:
                rows = await connection.fetch(reading.statement, values or {})
                for joined in reading.joined:
                    joined.note(rows, connection.shown.seen[joined.kind])
                return [reading.make(row) for row in rows]
        result = await connection.execute(statement, values)
        names = tuple(result.keys())
        return [self._entity(dict(zip(names, row, strict=True))) for row in result]

    async def _rows(self, statement: Select[Any], values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """The rows themselves, as the driver gives them; the statement is one that is kept."""
        connection = self._connection
        if (
            isinstance(connection, ReadConnection)
            and connection.is_direct
            and (kept := kept_statement(statement))
        ):
            return await connection.fetch(kept, values)
        rows: Sequence[Sequence[Any]] = (await connection.execute(statement, values)).all()
        return rows

    def _kept_reading(
        self,
        statement: Executable,
        values: Mapping[str, Any] | None,
        connection: ReadConnection,
        besides: frozenset[str],
    ) -> "Reading[Entity] | None":
        """None for a statement that is not kept, or can't be prepared."""
        if values is None or not isinstance(statement, Select):
            return None
        return self._reading(statement, connection.shown.of(self.entity), besides, connection.engine)

    async def _grouped(
        self,
        statement: Select[Any],
        values: Mapping[str, Any],
        by: str,
        *,
        besides: frozenset[str] = frozenset(),
    ) -> Mapping[UUID, list[Entity]]:
        """By the parent that each names, in the order in which they come."""
        return grouped(await self._all(statement, values, besides=besides | {by}), by)

    @classmethod
    @lru_cache(MOST_READINGS)
    def _reading(
        cls, statement: Select[Any], glance: Glance | None, besides: frozenset[str], engine: AsyncEngine
    ) -> "Reading[Entity] | None":
        """How to read what is looked at, or all; None where the statement can't be prepared."""
        keyring = keyring_of(engine)
        wanted = None if glance is None else glance.attributes | besides
        columns, filled = cls.filling(wanted, keyring)
        pruned = statement.with_only_columns(*(statement.selected_columns[name] for name in columns))
        related = glance.related if glance and statement.get_final_froms() == [cls.table] else ()
        whole, joined = joined_with(pruned, cls.table, related, repositories_of(engine), keyring)
        kept = prepared(whole)
        return None if kept is None else Reading(kept, maker(cls.entity, columns, filled), joined)

    @classmethod
    def filling(
        cls, wanted: frozenset[str] | None, keyring: Keyring
    ) -> tuple[Sequence[str], Sequence[Filled]]:
        """The columns of these attributes and of the identity, or of all, and what becomes of them."""
        names: Sequence[str] = names_of(cls.entity)
        if wanted is not None:
            names = [name for name in names if name in wanted or name == cls.identity]
        filled = [cls._filled(name, keyring) for name in names]
        return sorted({name for each in filled for name in each.columns}), filled

    @classmethod
    def _filled(cls, attribute: str, keyring: Keyring) -> Filled:  # noqa: ARG003 - for tables that hold metadata
        return Filled(attribute, (attribute,), reading(cls.table.c[attribute].type))


@cache
def names_of(entity: "type[DataclassInstance]") -> Sequence[str]:
    return tuple(part.name for part in fields(entity))


def is_among(column: Column[Any], name: str) -> ColumnElement[bool]:
    """Whether the column's value is in the parameter, a list: one statement for every length of it."""
    return column == any_(bindparam(name, type_=ARRAY(column.type)))


def grouped(things: Sequence[Entity], by: str) -> Mapping[UUID, list[Entity]]:
    """By the parent that each names, in the order in which they come."""
    groups: defaultdict[UUID, list[Entity]] = defaultdict(list)
    for thing in things:
        groups[getattr(thing, by)].append(thing)
    return groups
