"""The inbox of the processor's events."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, exists, select

from domain.event_list import EventFilter
from domain.events import InboxEvent, InboxStatus
from persistence.keyset import Keyset
from persistence.lists import Lists
from persistence.repository import is_among
from persistence.tables import InboxEventRow, table_of

TABLE: Final = table_of(InboxEventRow)
CONDITIONS: Final[Mapping[str, ColumnElement[bool]]] = {
    "statuses": is_among(TABLE.c.status, "statuses"),
    **{
        name: TABLE.c[name] == bindparam(name)
        for name in ("type", "processor_event_id", "processor_object_id")
    },
}


class InboxRepository(Lists[InboxEvent, EventFilter]):
    """Events are everybody's and nobody's: no list of them lies below another object."""

    table = TABLE
    entity = InboxEvent
    lists = Keyset(TABLE, CONDITIONS, parent="processor_object_id")

    async def add(self, event: InboxEvent) -> bool:
        """False where the processor's event was stored before; nothing is added then."""
        return await self._added(event, "processor_event_id")

    async def by_ids(self, event_ids: Sequence[UUID]) -> Mapping[UUID, InboxEvent]:
        return await self._owned(event_ids, owner=None)

    async def known_as(self, processor_event_id: str) -> UUID | None:
        return await self._id_where(TABLE.c.processor_event_id == processor_event_id)

    async def has_waiting(self) -> bool:
        """Whether the worker has anything left to do."""
        waiting = TABLE.c.status.in_([InboxStatus.RECEIVED, InboxStatus.FAILED])
        return bool(await self._connection.scalar(select(exists().where(waiting))))
