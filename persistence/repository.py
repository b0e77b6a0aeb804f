"""What every repository does: plain statements over a twin table, domain values in and out."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    TextClause,
    Update,
    bindparam,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import Insert, insert

from persistence.rows import Entity, Rows, is_among, names_of
from persistence.writing import write, write_later

SOUGHT: Final = "sought"
"""No column's name, since an UPDATE sets the columns that its parameters are named after."""


class Repository(Rows[Entity]):
    """One table: plain statements, for a row, or for the children of several."""

    def _row(self, entity: Entity) -> dict[str, Any]:
        return {name: getattr(entity, name) for name in names_of(type(entity))}

    def _changes(self, entity: Entity) -> dict[str, Any]:
        """What saving it writes."""
        return self._row(entity)

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
