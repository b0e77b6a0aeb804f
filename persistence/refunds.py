"""Refunds and disputes."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from domain.dispute import HOLDS_MONEY, Dispute
from domain.dispute_list import DisputeFilter
from domain.refund import Refund, RefundStatus, RefundSums
from persistence.keyset import Keyset
from persistence.lists import Lists
from persistence.repository import Repository, grouped, is_among
from persistence.tables import DisputeRow, RefundRow, table_of


class RefundRepository(Repository[Refund]):
    table = table_of(RefundRow)
    entity = Refund

    async def by_ids(self, refund_ids: Sequence[UUID], *, owner: UUID | None) -> Mapping[UUID, Refund]:
        return await self._owned(refund_ids, owner=owner)

    async def known_as(self, processor_refund_id: str) -> UUID | None:
        return await self._id_where(self.table.c.processor_refund_id == processor_refund_id)

    async def of_payments(
        self, payment_ids: Sequence[UUID], *, owner: UUID | None
    ) -> Mapping[UUID, Sequence[Refund]]:
        """Each payment's refunds, the oldest first."""
        return grouped(await self._of_parents("payment_id", payment_ids, owner=owner), "payment_id")

    async def sums(self, payment_id: UUID) -> RefundSums:
        """What the payment's refunds come to."""
        columns = self.table.c
        result = await self._connection.execute(
            select(columns.status, func.sum(columns.amount))
            .where(columns.payment_id == payment_id)
            .group_by(columns.status)
        )
        sums = {status: int(amount) for status, amount in result}
        return RefundSums(
            refunded=sums.get(RefundStatus.SUCCEEDED, 0), pending=sums.get(RefundStatus.PENDING, 0)
        )


TABLE: Final = table_of(DisputeRow)


class DisputeRepository(Lists[Dispute, DisputeFilter]):
    table = TABLE
    entity = Dispute
    lists = Keyset(TABLE, {"statuses": is_among(TABLE.c.status, "statuses")})

    async def by_ids(self, dispute_ids: Sequence[UUID], *, owner: UUID | None) -> Mapping[UUID, Dispute]:
        return await self._owned(dispute_ids, owner=owner)

    async def known_as(self, processor_dispute_id: str) -> UUID | None:
        return await self._id_where(self.table.c.processor_dispute_id == processor_dispute_id)

    async def of_payments(
        self, payment_ids: Sequence[UUID], *, owner: UUID | None
    ) -> Mapping[UUID, Sequence[Dispute]]:
        """Each payment's disputes, the oldest first."""
        return grouped(await self._of_parents("payment_id", payment_ids, owner=owner), "payment_id")

    async def add(self, dispute: Dispute) -> bool:
        """False where the processor's dispute is known already; nothing is added then."""
        added = await self._connection.execute(
            insert(self.table)
            .values(self._row(dispute))
            .on_conflict_do_nothing(index_elements=["processor_dispute_id"])
        )
        return added.rowcount == 1

    async def held_amount(self, payment_id: UUID) -> int:
        """What the payer's bank holds of the payment, in its minor units."""
        columns = self.table.c
        held = await self._connection.scalar(
            select(func.coalesce(func.sum(columns.amount), 0)).where(
                columns.payment_id == payment_id, columns.status.in_(HOLDS_MONEY)
            )
        )
        return int(held or 0)
