"""Refunds and disputes."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, select

from domain.dispute import HOLDS_MONEY, Dispute
from domain.dispute_list import DisputeFilter
from domain.refund import Refund, RefundStatus, RefundSums
from persistence.keyset import Keyset
from persistence.lists import Lists
from persistence.mirror import Mirror
from persistence.rows import Entity, grouped, is_among
from persistence.tables import DisputeRow, PaymentRow, RefundRow, table_of

P: Final = table_of(PaymentRow).c


class OfPayment(Mirror[Entity]):
    """What belongs to a payment is real money where that is."""

    def _is_of(self, livemode: bool) -> ColumnElement[bool]:  # Real money, or tests.
        return exists().where(P.id == self.table.c.payment_id, P.livemode.is_(livemode))


class RefundRepository(OfPayment[Refund]):
    table = table_of(RefundRow)
    entity = Refund
    known_by = "processor_refund_id"

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


class DisputeRepository(OfPayment[Dispute], Lists[Dispute, DisputeFilter]):
    table = TABLE
    entity = Dispute
    known_by = "processor_dispute_id"
    lists = Keyset(TABLE, {"statuses": is_among(TABLE.c.status, "statuses")})

    async def of_payments(
        self, payment_ids: Sequence[UUID], *, owner: UUID | None
    ) -> Mapping[UUID, Sequence[Dispute]]:
        """Each payment's disputes, the oldest first."""
        return grouped(await self._of_parents("payment_id", payment_ids, owner=owner), "payment_id")

    async def add(self, dispute: Dispute) -> bool:
        """False where the processor's dispute is known already; nothing is added then."""
        return await self._added(dispute, "processor_dispute_id")

    async def held_amount(self, payment_id: UUID) -> int:
        """What the payer's bank holds of the payment, in its minor units."""
        columns = self.table.c
        held = await self._connection.scalar(
            select(func.coalesce(func.sum(columns.amount), 0)).where(
                columns.payment_id == payment_id, columns.status.in_(HOLDS_MONEY)
            )
        )
        return int(held or 0)
