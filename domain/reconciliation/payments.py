"""Payments, compared."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Final
from uuid import UUID

from domain.errors import NotFound
from domain.invoice_rereading import InvoiceRereader
from domain.occasion import Occasion
from domain.operation import ObjectKind
from domain.outcome import Outcome
from domain.payment import Payment
from domain.payment_status import COLLECTED, SUCCESSORS, PaymentStatus
from domain.ports import Clock, Database, Reads
from domain.ports.reconciliation import Listed, ProcessorLists
from domain.reconciliation.noun import Noun, Ours, Pair, must_be_as_before
from domain.settlement import held_payment, settle

OPEN: Final = [status for status in PaymentStatus if SUCCESSORS[status]]


def standing(payment: Payment) -> PaymentStatus:
    """The processor's payments stay what they are when money is given back."""
    return PaymentStatus.COMPLETED if payment.status in COLLECTED else payment.status


FIELDS: Final[Mapping[str, Pair[Payment, Outcome]]] = {
    "status": lambda ours, told: (standing(ours.thing), told.facts.status),
    "authorized_amount": lambda ours, told: (
        ours.thing.authorized_amount,
        max(ours.thing.authorized_amount, told.facts.authorized_amount),
    ),
    "captured_amount": lambda ours, told: (ours.thing.captured_amount, told.facts.captured_amount),
    "processor_payment_id": lambda ours, told: (ours.processor_id, told.processor_id),
}


@dataclass(frozen=True, kw_only=True)
class ComparedPayments(Noun[Payment, Outcome]):
    """One that an invoice asks for stands and falls with it, so that the invoice is read."""

    kind: ClassVar = ObjectKind.PAYMENT
    fields: ClassVar = FIELDS

    database: Database
    lists: ProcessorLists
    invoices: InvoiceRereader
    clock: Clock
    is_live: bool

    def listed(self, since: datetime) -> AsyncIterator[Sequence[Listed[Outcome]]]:
        return self.lists.payments_since(since)

    async def one(self, processor_id: str) -> Listed[Outcome] | None:
        return await self.lists.one_payment(processor_id)

    async def open_ids(self, reads: Reads, since: datetime) -> Sequence[UUID]:
        return await reads.payments.open_or_changed(OPEN, since=since, livemode=self.is_live)

    async def by_ids(self, reads: Reads, ids: Sequence[UUID]) -> Sequence[Ours[Payment]]:
        return [_ours(each) for each in (await reads.payments.by_ids(ids, owner=None)).values()]

    async def known_as(self, reads: Reads, processor_ids: Sequence[str]) -> Sequence[Ours[Payment]]:
        return [_ours(each) for each in await reads.payments.known_among(processor_ids)]

    async def heal(
        self, told: Listed[Outcome] | None, ours: Ours[Payment] | None, occasion: Occasion
    ) -> None:
        if told is None:
            raise NotFound("The processor has no such payment.")
        if ours is None or ours.thing.invoice_id is not None:
            await self._read_invoice(told, ours, occasion)
            return
        outcome = replace(told.facts, source=occasion.source)
        async with self.database.work() as work:
            must_be_as_before(ours, await held_payment(work, ours.id))
            await settle(work, ours.id, outcome, at=self.clock(), by=occasion.by)

    async def _read_invoice(
        self, told: Listed[Outcome], ours: Ours[Payment] | None, occasion: Occasion
    ) -> None:
        """Raises NotFound for an unknown payment of no invoice: nobody asked for it here."""
        invoice = None
        if ours is not None and ours.thing.invoice_id is not None:
            async with self.database.reads() as reads:
                invoice = await reads.invoices.get(ours.thing.invoice_id)
        if invoice is not None:
            await self.invoices.read_again(invoice.processor_invoice_id, occasion)
        else:
            await self.invoices.learn(told.processor_id, occasion)


def _ours(payment: Payment) -> Ours[Payment]:
    return Ours(id=payment.id, processor_id=payment.processor_payment_id, thing=payment)
