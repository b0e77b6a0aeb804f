"""The audit trail: a chain of records per object."""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Insert, Select, and_, bindparam, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.audit import FACTS, FORGOTTEN, GENESIS, SET_APART, AuditRecord
from domain.audit_log import AuditFilter
from domain.audit_seal import RecordHash
from domain.event_list import AffectedObject
from domain.operation import ObjectKind
from persistence.keyset import Keyset
from persistence.lists import Lists
from persistence.rows import is_among
from persistence.tables import AuditRecordRow, InboxEventRow, table_of
from persistence.writing import write_later

TABLE: Final = table_of(AuditRecordRow)
C: Final = TABLE.c
EVENTS: Final = table_of(InboxEventRow).c
ROWS_AT_A_TIME: Final = 1000
GIVEN: Final = (*FACTS, *sorted(SET_APART))
"""What a record comes with; the rest is found when it is added."""

OURS: Final = text("audit_records.actor_role = 'SYSTEM' AND audit_records.request_id <> ''")
"""Written out, as the index has it."""

CONDITIONS: Final[Mapping[str, ColumnElement[bool]]] = {
    name: C[name] == bindparam(name) for name in ("object_kind", "object_id", "actor_id")
}

BY_IDS: Final = select(TABLE).where(is_among(C.id, "ids"))


class AuditRepository(Lists[AuditRecord, AuditFilter]):
    table = TABLE
    entity = AuditRecord
    lists = Keyset(TABLE, CONDITIONS, parent="object_id", unique=("sequence",))

    async def add(self, record: AuditRecord) -> None:
        """
        To the end of its object's chain, in one statement.

        The lock on the object's row, taken by an earlier one, keeps its writers in a queue; if one came without it, an
        index would refuse the second successor of a record.
        """
        row = {name: getattr(record, name) for name in GIVEN}
        await write_later(self._connection, _appended(), {**row, "facts": record.facts})

    async def by_ids(self, record_ids: Sequence[UUID]) -> Mapping[UUID, AuditRecord]:
        records = await self._all(BY_IDS, {"ids": record_ids})
        return {record.id: record for record in records}

    async def of_object(self, kind: ObjectKind, object_id: UUID) -> Sequence[AuditRecord]:
        """Oldest first."""
        statement = select(TABLE).where(C.object_kind == kind, C.object_id == object_id)
        return await self._all(statement.order_by(C.sequence))

    async def of_event(self, processor_event_id: str, *, since: datetime) -> Sequence[AuditRecord]:
        """What handling an event has brought about, the oldest first."""
        statement = select(TABLE).where(OURS, C.request_id == processor_event_id, C.at >= since)
        return await self._all(statement.order_by(C.sequence))

    async def affected_by(self, event_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[AffectedObject]]:
        """What handling each event has changed, each object once; without those that changed nothing."""
        affected: defaultdict[UUID, list[AffectedObject]] = defaultdict(list)
        for event_id, kind, object_id in await self._connection.execute(AFFECTED, {"ids": event_ids}):
            affected[event_id].append(AffectedObject(kind=kind, id=object_id))
        return affected

    async def in_chains(self) -> AsyncIterator[AuditRecord]:
        """All records, object by object, oldest first."""
        statement = select(TABLE).order_by(C.object_kind, C.object_id, C.sequence)
        async for row in streamed(self._connection, statement):
            yield AuditRecord(**row._mapping)

    async def forgotten(self) -> Mapping[UUID, int]:
        """The users who were forgotten, with the sequence number of the last record that says so."""
        found = await self._connection.execute(
            select(C.object_id, func.max(C.sequence))
            .where(C.object_kind == ObjectKind.BILLING_ACCOUNT, C.action == FORGOTTEN)
            .group_by(C.object_id)
        )
        return {row[0]: row[1] for row in found}

    async def hashes(self) -> AsyncIterator[RecordHash]:
        """Those of all records, by sequence number."""
        async for row in streamed(self._connection, select(C.sequence, C.hash).order_by(C.sequence)):
            yield RecordHash(sequence=row.sequence, hash=row.hash)


AFFECTED: Final = (
    select(EVENTS.id, C.object_kind, C.object_id)
    .join_from(EVENTS.id.table, TABLE, and_(OURS, C.request_id == EVENTS.processor_event_id))
    .where(is_among(EVENTS.id, "ids"))
    .group_by(EVENTS.id, C.object_kind, C.object_id)
    .order_by(EVENTS.id, func.min(C.sequence))
)


async def streamed(connection: AsyncConnection, statement: Select[Any]) -> AsyncIterator[Any]:
    """Through a cursor of the server's, so that no result is too long."""
    result = await connection.stream(statement, execution_options={"yield_per": ROWS_AT_A_TIME})
    async for row in result:
        yield row


@cache
def _appended() -> Insert:
    """
    PostgreSQL finds the chain's end and hashes what `domain.audit.digest` hashes.

    The transaction has its id before the sequence gives its number. Seals rely on that: they wait for every
    transaction whose id is older than their own.
    """
    own = select(func.pg_current_xact_id().label("id")).cte("own").prefix_with("MATERIALIZED")
    end = (
        select(C.hash)
        .where(
            C.object_kind == bindparam("object_kind", type_=C.object_kind.type),
            C.object_id == bindparam("object_id", type_=C.object_id.type),
        )
        .order_by(C.sequence.desc())
        .limit(1)
        .scalar_subquery()
    )
    chain = select(func.coalesce(end, GENESIS).label("end")).where(own.c.id.is_not(None)).subquery("chain")
    told = func.convert_to(chain.c.end.concat(bindparam("facts")), "UTF8")
    given = [bindparam(name, type_=C[name].type) for name in GIVEN]
    return insert(TABLE).from_select(
        [*GIVEN, "previous_hash", "hash"],
        select(*given, chain.c.end, func.encode(func.sha256(told), "hex")),
    )
