"""Payments."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, func, literal_column, or_, select

from domain.money import Money
from domain.payment import Payment
from domain.payment_list import PaymentFilter
from domain.payment_status import PaymentStatus
from persistence.keyset import Keyset
from persistence.lists import Lists
from persistence.mirror import Mirror
from persistence.rows import grouped, is_among
from persistence.sealing import Sealing, WholeColumn
from persistence.tables import PaymentRow, table_of

TABLE: Final = table_of(PaymentRow)
C: Final = TABLE.c

CONDITIONS: Final[Mapping[str, ColumnElement[bool]]] = {
    "owner": C.user_id == bindparam("owner"),
    "ids": is_among(C.id, "ids"),
    "statuses": is_among(C.status, "statuses"),
    "triggers": is_among(C.trigger, "triggers"),
    "currencies": is_among(C.currency, "currencies"),
    "at_least": C.amount >= bindparam("at_least"),
    "at_most": C.amount <= bindparam("at_most"),
    "created_from": C.created_at >= bindparam("created_from"),
    "created_to": C.created_at < bindparam("created_to"),
    "updated_from": C.updated_at >= bindparam("updated_from"),
    "updated_to": C.updated_at < bindparam("updated_to"),
    "payment_method_id": C.payment_method_id == bindparam("payment_method_id"),
    "subscription_id": C.subscription_id == bindparam("subscription_id"),
    "processor_payment_id": C.processor_payment_id == bindparam("processor_payment_id"),
    "media_item_id": C.media_item_id == bindparam("media_item_id"),
}
FLAGS: Final[Mapping[str, ColumnElement[bool]]] = {"disputed": C.disputed_amount > literal_column("0")}


class PaymentRepository(Sealing[Payment], Mirror[Payment], Lists[Payment, PaymentFilter]):
    table = TABLE
    entity = Payment
    holder = WholeColumn(TABLE)
    known_by = "processor_payment_id"
    lists = Keyset(TABLE, CONDITIONS, flags=FLAGS)

    async def of_invoices(
        self, invoice_ids: Sequence[UUID], *, owner: UUID | None
    ) -> Mapping[UUID, Sequence[Payment]]:
        """What pays each invoice, or has tried to, the oldest first."""
        return grouped(await self._of_parents("invoice_id", invoice_ids, owner=owner), "invoice_id")

    async def active_customers(self, *, since: datetime, livemode: bool, limit: int) -> Sequence[str]:
        """The processor's customers whose payments changed since then, those of the latest changes first."""
        found = await self._connection.execute(
            select(C.processor_customer_id)
            .where(C.updated_at >= since, C.livemode.is_(livemode))
            .group_by(C.processor_customer_id)
            .order_by(func.max(C.updated_at).desc(), C.processor_customer_id)
            .limit(limit)
        )
        return list(found.scalars())

    async def of_amount(self, user_id: UUID, amount: Money, *, since: datetime) -> Sequence[Payment]:
        is_unknown = and_(C.status == PaymentStatus.PENDING, C.processor_payment_id.is_(None))
        return await self._all(
            select(TABLE)
            .where(
                C.user_id == user_id,
                or_(C.created_at > since, is_unknown),
                C.amount == amount.minor,
                C.currency == amount.currency,
            )
            .order_by(C.created_at.desc(), C.id.desc())
        )


class SubscriptionPaymentRepository(Sealing[Payment], Lists[Payment, PaymentFilter]):
    """The same payments, in a list per subscription."""

    table = TABLE
    entity = Payment
    holder = WholeColumn(TABLE)
    lists = Keyset(TABLE, CONDITIONS, flags=FLAGS, parent="subscription_id")
