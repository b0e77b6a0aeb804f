"""What every repository does: plain statements over a twin table, domain values in and out."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Executable, Table, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Entity = TypeVar("Entity", bound="DataclassInstance")


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
        return {field.name: getattr(entity, field.name) for field in fields(entity)}

    async def _one(self, statement: Executable) -> Entity | None:
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else self.entity(**row._mapping)

    async def _all(self, statement: Executable) -> list[Entity]:
        rows = (await self._connection.execute(statement)).all()
        return [self.entity(**row._mapping) for row in rows]

    async def get(self, identity: UUID) -> Entity | None:
        return await self._one(select(self.table).where(self._identity == identity))

    async def _id_where(self, condition: ColumnElement[bool]) -> UUID | None:
        found: UUID | None = await self._connection.scalar(select(self._identity).where(condition))
        return found

    async def lock(self, identity: UUID) -> Entity | None:
        """The row, held until the transaction ends."""
        return await self._one(
            select(self.table).where(self._identity == identity).with_for_update(key_share=True)
        )

    async def add(self, entity: Entity) -> Any:
        await self._connection.execute(insert(self.table).values(self._row(entity)))

    async def save(self, entity: Entity) -> None:
        row = self._row(entity)
        await self._connection.execute(
            update(self.table).where(self._identity == row[self.identity]).values(row)
        )

    async def _owned(
        self, identities: Sequence[UUID], *, owner: UUID | None, by: str = "user_id"
    ) -> Mapping[UUID, Entity]:
        statement = select(self.table).where(self._identity.in_(identities))
        if owner is not None:
            statement = statement.where(self.table.c[by] == owner)
        return {getattr(entity, self.identity): entity for entity in await self._all(statement)}
