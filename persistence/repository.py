"""What every repository does: plain statements over a twin table, domain values in and out."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, TypeVar
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    Executable,
    Select,
    Table,
    TextClause,
    Update,
    any_,
    bindparam,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.ports import Glance
from persistence.engine import keyring_of, repositories_of
from persistence.joined import Joined, joined_with
from persistence.keyring import Keyring
from persistence.prepared import Filled, Prepared, maker, prepared, reading
from persistence.read_connection import ReadConnection
from persistence.writing import kept_statement, write, write_later

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Entity = TypeVar("Entity", bound="DataclassInstance")

MOST_READINGS: Final = 2048
SOUGHT: Final = "sought"
"""No column's name, since an UPDATE sets the columns that its parameters are named after."""


@dataclass(frozen=True, slots=True)
class Reading(Generic[Entity]):
    """A statement, what makes an entity of each of its rows, and of what was read together with it."""

    statement: Prepared
    make: Callable[[Any], Entity]
    joined: Sequence[Joined]


class Repository(Generic[Entity]):
    """One table. Subclasses name it, its domain class, and the column that tells rows apart."""

    table: ClassVar[Table]
    entity: type[Entity]
    identity: ClassVar[str] = "id"

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    @property
    def _identity(self) -> Column[Any]:
        return self.table.c[self.identity]

    def _row(self, entity: Entity) -> dict[str, Any]:
        return {name: getattr(entity, name) for name in names_of(type(entity))}

    def _changes(self, entity: Entity) -> dict[str, Any]:
        """What saving it writes."""
        return self._row(entity)

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

    async def get(self, identity: UUID) -> Entity | None:
        return await self._one(self._by_identity(), {"identity": identity})

    async def after(self, last: UUID | None, *, limit: int) -> Sequence[Entity]:
        """By id, to go through all of them; the first ones where `last` is None."""
        statement = select(self.table).order_by(self._identity).limit(limit)
        return await self._all(statement if last is None else statement.where(self._identity > last))

    async def _id_where(self, condition: ColumnElement[bool]) -> UUID | None:
        found: UUID | None = await self._connection.scalar(select(self._identity).where(condition))
        return found

    async def lock(self, identity: UUID) -> Entity | None:
        """The row, held until the transaction ends."""
        return await self._one(self._locking(), {"identity": identity})

    async def lock_shared(self, identity: UUID) -> Entity | None:
        """The row, which nobody locks or changes until the transaction ends; others may share it."""
        return await self._one(self._sharing(), {"identity": identity})

    async def add(self, entity: Entity) -> Any:
        await write_later(self._connection, self._insertion(), self._row(entity))

    async def _added(self, entity: Entity, *unique: str, where: TextClause | None = None) -> bool:
        """
        False where there is a row with the same values in these columns already; nothing is added then.

        `where` is the condition of the index that makes them unique. Without columns, any unique ones count.
        """
        return await write(self._connection, self._addition_unless(unique, where), self._row(entity)) == 1

    async def save(self, entity: Entity) -> None:
        await write(self._connection, self._update(), self._sought(entity))

    def _sought(self, entity: Entity) -> dict[str, Any]:
        """What saving it writes, and by what its row is found."""
        row = self._changes(entity)
        row[SOUGHT] = row.pop(self.identity)
        return row

    async def _owned(
        self, identities: Sequence[UUID], *, owner: UUID | None, by: str = "user_id"
    ) -> Mapping[UUID, Entity]:
        values = {"identities": identities, "owner": owner}
        found = await self._all(self._owned_by(None if owner is None else by), values)
        return {getattr(entity, self.identity): entity for entity in found}

    async def _of_parents(
        self, parent: str, identities: Sequence[UUID], *, owner: UUID | None
    ) -> list[Entity]:
        """The children of these parents, the oldest first; None is everybody's."""
        values = {"identities": identities, "owner": owner}
        return await self._all(
            self._children_by(parent, has_owner=owner is not None), values, besides=frozenset({parent})
        )

    @classmethod
    @cache
    def _children_by(cls, parent: str, *, has_owner: bool) -> Select[Any]:
        columns = cls.table.c
        statement = select(cls.table).where(is_among(columns[parent], "identities"))
        if has_owner:
            statement = statement.where(columns.user_id == bindparam("owner"))
        return statement.order_by(columns.created_at, columns[cls.identity])

    @classmethod
    @cache
    def _by_identity(cls) -> Select[Any]:
        return select(cls.table).where(cls.table.c[cls.identity] == bindparam("identity"))

    @classmethod
    @cache
    def _locking(cls) -> Select[Any]:
        return cls._by_identity().with_for_update(key_share=True)

    @classmethod
    @cache
    def _sharing(cls) -> Select[Any]:
        return cls._by_identity().with_for_update(read=True)

    @classmethod
    @cache
    def _insertion(cls) -> Insert:
        return insert(cls.table)

    @classmethod
    @cache
    def _addition_unless(cls, unique: tuple[str, ...], where: TextClause | None) -> Insert:
        return insert(cls.table).on_conflict_do_nothing(index_elements=unique or None, index_where=where)

    @classmethod
    @cache
    def _update(cls) -> Update:
        """Of the columns that its values name."""
        return update(cls.table).where(cls.table.c[cls.identity] == bindparam(SOUGHT))

    @classmethod
    @cache
    def _owned_by(cls, column: str | None) -> Select[Any]:
        statement = select(cls.table).where(is_among(cls.table.c[cls.identity], "identities"))
        return statement if column is None else statement.where(cls.table.c[column] == bindparam("owner"))


class Owned(Repository[Entity]):
    """A table whose rows belong to users."""

    async def by_ids(self, identities: Sequence[UUID], *, owner: UUID | None) -> Mapping[UUID, Entity]:
        """Those that are the owner's; None is everybody."""
        return await self._owned(identities, owner=owner)


class Mirror(Owned[Entity]):
    """A table of what the processor has too. Subclasses name the column with the processor's id."""

    known_by: ClassVar[str]

    @property
    def _known_by(self) -> Column[Any]:
        return self.table.c[self.known_by]

    async def known_among(self, processor_ids: Sequence[str]) -> Sequence[Entity]:
        return await self._all(self._known_among(), {"ids": processor_ids})

    @classmethod
    @cache
    def _known_among(cls) -> Select[Any]:
        return select(cls.table).where(is_among(cls.table.c[cls.known_by], "ids"))

    async def open_or_changed(
        self, statuses: Sequence[StrEnum], *, since: datetime, livemode: bool
    ) -> Sequence[UUID]:
        """Those in one of these states, and all that changed since then; an object has the mode of its parent."""
        columns = self.table.c
        found = await self._connection.execute(
            select(columns.id)
            .where(or_(columns.status.in_(statuses), columns.updated_at >= since), self._is_of(livemode))
            .order_by(columns.id)
        )
        return list(found.scalars())

    def _is_of(self, livemode: bool) -> ColumnElement[bool]:  # Real money, or tests.
        return self.table.c.livemode.is_(livemode)

    async def known_as(self, processor_id: str) -> UUID | None:
        return await self._id_where(self._known_by == processor_id)

    async def lock_known(self, processor_id: str) -> Entity | None:
        """The row, held until the transaction ends."""
        return await self._one(
            select(self.table).where(self._known_by == processor_id).with_for_update(key_share=True)
        )


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
