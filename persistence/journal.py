"""The inbox of the processor's events."""

from sqlalchemy import exists, select

from domain.events import InboxEvent, InboxStatus
from persistence.repository import Repository
from persistence.tables import InboxEventRow, table_of


class InboxRepository(Repository[InboxEvent]):
    table = table_of(InboxEventRow)
    entity = InboxEvent

    async def add(self, event: InboxEvent) -> bool:
        """False where the processor's event was stored before; nothing is added then."""
        return await self._added(event, "processor_event_id")

    async def has_waiting(self) -> bool:
        """Whether the worker has anything left to do."""
        waiting = self.table.c.status.in_([InboxStatus.RECEIVED, InboxStatus.FAILED])
        return bool(await self._connection.scalar(select(exists().where(waiting))))
