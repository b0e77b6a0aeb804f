"""Tables whose rows belong to users, and of those the ones whose rows the processor has too."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Select, or_, select

from persistence.repository import Repository
from persistence.rows import Entity, is_among


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
