"""What only ever grows: the audit trail and the inbox of events."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from domain.audit import AuditRecord
from domain.events import InboxEvent
from domain.operation import ObjectKind
from persistence.repository import Repository
from persistence.tables import AuditRecordRow, InboxEventRow, table_of


class AuditRepository(Repository[AuditRecord]):
    table = table_of(AuditRecordRow)
    entity = AuditRecord

    async def of_object(self, kind: ObjectKind, object_id: UUID) -> Sequence[AuditRecord]:
        """Oldest first."""
        columns = self.table.c
        return await self._all(
            select(self.table)
            .where(columns.object_kind == kind, columns.object_id == object_id)
            .order_by(columns.at, columns.id)
        )


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
