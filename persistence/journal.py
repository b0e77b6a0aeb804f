"""The inbox of the processor's events."""

from collections.abc import Sequence
from functools import cache
from typing import Final
from uuid import UUID

from sqlalchemy import ARRAY, Column, Executable, bindparam, exists, func, select
from sqlalchemy.dialects.postgresql import insert

from domain.events import InboxEvent, InboxStatus
from persistence.repository import SOUGHT, Repository
from persistence.tables import InboxEventRow, table_of

PROGRESS: Final = ("status", "attempts", "last_error", "handled_at")


class InboxRepository(Repository[InboxEvent]):
    table = table_of(InboxEventRow)
    entity = InboxEvent

    async def add_all(self, events: Sequence[InboxEvent]) -> Sequence[UUID]:
        """
        The ids of those that were added: whose processor's event was not stored before.

        In the order of Stripe's ids, so that no two who store the same events wait for each other.
        """
        rows = [self._row(event) for event in events]
        values = {name: [row[name] for row in rows] for name in self.table.c.keys()}  # noqa: SIM118 - a collection's
        added = await self._connection.execute(self._addition(), values)
        return list(added.scalars())

    @classmethod
    @cache
    def _addition(cls) -> Executable:
        """One statement for any number of events."""
        columns = cls.table.c
        lists = [bindparam(column.name, type_=ARRAY(column.type)) for column in columns]
        named = (Column(column.name, column.type) for column in columns)
        given = func.unnest(*lists).table_valued(*named).render_derived(name="given")
        rows = select(*given.c).order_by(given.c.processor_event_id)
        return (
            insert(cls.table)
            .from_select([column.name for column in columns], rows)
            .on_conflict_do_nothing(index_elements=["processor_event_id"])
            .returning(columns.id)
        )

    async def save(self, event: InboxEvent) -> None:
        """How far it has come; what was received never changes, and is large."""
        progress = {name: getattr(event, name) for name in PROGRESS}
        await self._connection.execute(self._update(), {**progress, SOUGHT: event.id})

    async def has_waiting(self) -> bool:
        """Whether the worker has anything left to do."""
        waiting = self.table.c.status.in_([InboxStatus.RECEIVED, InboxStatus.FAILED])
        return bool(await self._connection.scalar(select(exists().where(waiting))))
