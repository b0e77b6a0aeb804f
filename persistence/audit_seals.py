"""Seals over the audit trail."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Final

from sqlalchemy import func, select, text

from domain.audit_seal import AuditSeal, RecordHash
from persistence.audit import C as RECORDS
from persistence.audit import streamed
from persistence.repository import Repository
from persistence.tables import AuditSealRow, table_of

TABLE: Final = table_of(AuditSealRow)
LOCK: Final = text("SELECT pg_try_advisory_xact_lock(hashtext('payments-gateway audit seals'))")
LAST_RECORD: Final = select(func.coalesce(func.max(RECORDS.sequence), 0), func.pg_current_xact_id())
IS_OLDEST: Final = text("SELECT pg_snapshot_xmin(pg_current_snapshot()) = pg_current_xact_id()")
PATIENCE: Final = 5.0
"""Seconds; transactions here are short, and the next attempt is near."""
PAUSE: Final = 0.05


class SealRepository(Repository[AuditSeal]):
    table = TABLE
    entity = AuditSeal
    identity = "last_sequence"

    async def hold(self) -> bool:
        """The right to make a seal, until the transaction ends; False where somebody else has it."""
        return bool(await self._connection.scalar(LOCK))

    async def last(self) -> AuditSeal | None:
        return await self._one(select(TABLE).order_by(TABLE.c.last_sequence.desc()).limit(1))

    async def complete_up_to(self) -> int | None:
        """
        The last sequence number, once no transaction that may have a smaller one is left.

        A writer takes its transaction id before its numbers, and this transaction takes its own after it has
        seen the last number. So who may have a smaller one is older, and has ended once none is older. (A
        snapshot's xmax would not do: it follows the newest transaction that has *ended*.) None where one does
        not end in a few seconds.
        """
        last, _ = (await self._connection.execute(LAST_RECORD)).one()
        until = asyncio.get_running_loop().time() + PATIENCE
        while not await self._connection.scalar(IS_OLDEST):
            if asyncio.get_running_loop().time() > until:
                return None
            await asyncio.sleep(PAUSE)
        return int(last)

    async def unsealed(self, *, first: int, upto: int, limit: int) -> Sequence[RecordHash]:
        rows = await self._connection.execute(
            select(RECORDS.sequence, RECORDS.hash)
            .where(RECORDS.sequence.between(first, upto))
            .order_by(RECORDS.sequence)
            .limit(limit)
        )
        return [RecordHash(sequence=row.sequence, hash=row.hash) for row in rows]

    async def in_order(self) -> AsyncIterator[AuditSeal]:
        async for row in streamed(self._connection, select(TABLE).order_by(TABLE.c.last_sequence)):
            yield AuditSeal(**row._mapping)
