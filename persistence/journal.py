"""The inbox of the processor's events."""

from collections.abc import Collection, Sequence

from sqlalchemy import exists, select

from domain.events import InboxEvent, InboxStatus
from persistence.repository import Repository, is_among
from persistence.tables import InboxEventRow, table_of


class InboxRepository(Repository[InboxEvent]):
    table = table_of(InboxEventRow)
    entity = InboxEvent

    async def add(self, event: InboxEvent) -> bool:
        """False where the processor's event was stored before; nothing is added then."""
        return await self._added(event, "processor_event_id")

    async def stored_among(self, processor_event_ids: Sequence[str]) -> Collection[str]:
        """Those of the processor's events that were stored, by their ids."""
        named = self.table.c.processor_event_id
        found = await self._connection.execute(
            select(named).where(is_among(named, "ids")), {"ids": processor_event_ids}
        )
        return set(found.scalars())

    async def about(self, processor_object_ids: Sequence[str]) -> Sequence[InboxEvent]:
        """All that the processor told of these objects, the oldest first."""
        columns = self.table.c
        return await self._all(
            select(self.table)
            .where(is_among(columns.processor_object_id, "ids"))
            .order_by(columns.occurred_at, columns.id),
            {"ids": processor_object_ids},
        )

    async def has_waiting(self) -> bool:
        """Whether the worker has anything left to do."""
        waiting = self.table.c.status.in_([InboxStatus.RECEIVED, InboxStatus.FAILED])
        return bool(await self._connection.scalar(select(exists().where(waiting))))
