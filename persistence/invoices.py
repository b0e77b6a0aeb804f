"""Invoices."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, select

from domain.invoice import Invoice, InvoiceStatus
from domain.subscription_list import InvoiceFilter
from persistence.keyset import Keyset
from persistence.lists import Lists
from persistence.mirror import Mirror
from persistence.tables import InvoiceRow, table_of

TABLE: Final = table_of(InvoiceRow)
C: Final = TABLE.c

CONDITIONS: Final[Mapping[str, ColumnElement[bool]]] = {
    "owner": C.user_id == bindparam("owner"),
}


class InvoiceRepository(Mirror[Invoice], Lists[Invoice, InvoiceFilter]):
    table = TABLE
    entity = Invoice
    known_by = "processor_invoice_id"
    lists = Keyset(TABLE, CONDITIONS)

    async def latest_of(self, subscription_id: UUID, *, until: datetime) -> Invoice | None:
        """The newest invoice of the subscription that existed by then."""
        columns = self.table.c
        return await self._one(
            select(self.table)
            .where(columns.subscription_id == subscription_id, columns.created_at <= until)
            .order_by(columns.created_at.desc(), columns.id.desc())
            .limit(1)
        )

    async def paid_through(self, subscription_id: UUID, *, until: datetime) -> datetime | None:
        """The end of the period, over by then, that the newest paid invoice of the subscription pays for."""
        columns = self.table.c
        end: datetime | None = await self._connection.scalar(
            select(columns.paid_through)
            .where(
                columns.subscription_id == subscription_id,
                columns.status == InvoiceStatus.PAID,
                columns.paid_through <= until,
            )
            .order_by(columns.created_at.desc(), columns.id.desc())
            .limit(1)
        )
        return end

    async def add(self, invoice: Invoice) -> bool:
        """False where the processor's invoice is known already; nothing is added then."""
        return await self._added(invoice, "processor_invoice_id")
