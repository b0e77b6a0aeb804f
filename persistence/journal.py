"""The inbox of the processor's events."""

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert

from domain.events import InboxEvent, InboxStatus
from persistence.repository import Repository
from persistence.tables import InboxEventRow, table_of


class InboxRepository(Repository[InboxEvent]):
    table = table_of(InboxEventRow)
    entity = InboxEvent

    async def add(self, event: InboxEvent) -> bool:
        """False where the processor's event was stored before; nothing is added then."""
        added = await self._connection.execute(
            insert(self.table)
            .values(self._row(event))
            .on_conflict_do_nothing(index_elements=["processor_event_id"])
        )
        return added.rowcount == 1

    async def has_waiting(self) -> bool:
        """Whether the worker has anything left to do."""
        waiting = self.table.c.status.in_([InboxStatus.RECEIVED, InboxStatus.FAILED])
        return bool(await self._connection.scalar(select(exists().where(waiting))))
