"""The inbox of the processor's events."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Final
from uuid import UUID

from sqlalchemy import ARRAY, Column, ColumnElement, Executable, bindparam, case, exists, func, select
from sqlalchemy.dialects.postgresql import insert

from domain.event_list import EventFilter
from domain.events import InboxEvent, InboxStatus
from domain.payment_status import SyncSource
from persistence.keyset import Keyset
from persistence.lists import Lists
from persistence.repository import SOUGHT
from persistence.rows import is_among
from persistence.tables import InboxEventRow, table_of

TABLE: Final = table_of(InboxEventRow)
CONDITIONS: Final[Mapping[str, ColumnElement[bool]]] = {
    "statuses": is_among(TABLE.c.status, "statuses"),
    **{
        name: TABLE.c[name] == bindparam(name)
        for name in ("type", "processor_event_id", "processor_object_id")
    },
}
WAITING: Final = (InboxStatus.RECEIVED, InboxStatus.FAILED)
PROGRESS: Final = ("status", "attempts", "last_error", "handled_at")


class InboxRepository(Lists[InboxEvent, EventFilter]):
    """Events are everybody's and nobody's: no list of them lies below another object."""

    table = TABLE
    entity = InboxEvent
    lists = Keyset(TABLE, CONDITIONS, parent="processor_object_id")

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

    async def by_ids(self, event_ids: Sequence[UUID]) -> Mapping[UUID, InboxEvent]:
        return await self._owned(event_ids, owner=None)

    async def known_as(self, processor_event_id: str) -> UUID | None:
        return await self._id_where(TABLE.c.processor_event_id == processor_event_id)

    async def stored_among(self, processor_event_ids: Sequence[str]) -> Collection[str]:
        """Those of the processor's events that were stored, by their ids."""
        named = self.table.c.processor_event_id
        found = await self._connection.execute(
            select(named).where(is_among(named, "ids")), {"ids": processor_event_ids}
        )
        return set(found.scalars())

    async def statuses_about(self, processor_object_id: str) -> Collection[InboxStatus]:
        """How far events about this object have come, whatever their number."""
        found = await self._connection.execute(
            select(TABLE.c.status).where(TABLE.c.processor_object_id == processor_object_id).distinct()
        )
        return set(found.scalars())

    async def last_about(self, processor_object_id: str) -> InboxEvent | None:
        """The youngest event about this object."""
        return await self._one(
            select(TABLE)
            .where(TABLE.c.processor_object_id == processor_object_id)
            .order_by(TABLE.c.occurred_at.desc(), TABLE.c.id.desc())
            .limit(1)
        )

    async def is_waited_for(self, processor_object_id: str, *, since: datetime) -> bool:
        """Whether a webhook about this object has come in since then that the worker has not handled yet."""
        waiting = select(TABLE.c.id).where(
            TABLE.c.processor_object_id == processor_object_id,
            TABLE.c.status.in_(WAITING),
            TABLE.c.received_at > since,
            TABLE.c.via == SyncSource.WEBHOOK,
        )
        return bool(await self._connection.scalar(select(exists(waiting))))

    async def about(self, processor_object_ids: Sequence[str]) -> Sequence[InboxEvent]:
        """All that the processor told of these objects."""
        named = self.table.c.processor_object_id
        return await self._all(
            select(self.table).where(is_among(named, "ids")), {"ids": processor_object_ids}
        )

    async def payloads_like(
        self, pattern: str, *, after: UUID | None, limit: int
    ) -> Sequence[tuple[UUID, str | None]]:
        """The next events by id, each with its payload where that matches the regular expression."""
        columns = self.table.c
        payload = case((columns.payload.regexp_match(bindparam("pattern")), columns.payload))
        statement = select(columns.id, payload).order_by(columns.id).limit(limit)
        if after is not None:
            statement = statement.where(columns.id > after)
        found = await self._connection.execute(statement, {"pattern": pattern})
        return [(row[0], row[1]) for row in found]

    async def rewrite(self, event_id: UUID, payload: str) -> None:
        """For what must not be kept of it."""
        await self._connection.execute(self._update(), {"payload": payload, SOUGHT: event_id})

    async def has_waiting(self) -> bool:
        """Whether the worker has anything left to do."""
        waiting = TABLE.c.status.in_(WAITING)
        return bool(await self._connection.scalar(select(exists().where(waiting))))
