"""Hints that something of a payment was given back: its refunds are listed anew."""

from dataclasses import dataclass, replace

from domain.events import InboxEvent, RefundsChanged
from domain.payment_status import SyncSource
from domain.ports import Clock, Database, RefundProcessor
from domain.refund_settlement import settle_refunds
from domain.settlement import settle
from domain.webhook_service import Close, PaidInvoices, found


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundNews:
    """
    A refund that was made elsewhere names no object of ours, but its payment does, at the processor.

    A refund's progress has a rank, so a list that is older than another does no harm.
    """

    database: Database
    processor: RefundProcessor
    clock: Clock
    invoices: PaidInvoices

    async def follow(self, hint: RefundsChanged, event: InboxEvent, close: Close) -> None:
        listed = found(await self.processor.find_refunds(hint.processor_payment_id))
        if listed.payment.payment_id is None:
            await self.invoices.learn(hint.processor_payment_id, by=event.actor)
        told = [
            replace(
                facts,
                source=SyncSource.WEBHOOK,
                event_id=event.processor_event_id,
                occurred_at=event.occurred_at,
            )
            for facts in listed.refunds
        ]
        async with self.database.work() as work:
            known_id = await work.payments.known_as(hint.processor_payment_id)
            payment_id = found(known_id or listed.payment.payment_id)
            now = self.clock()
            await settle(work, payment_id, listed.payment.outcome, at=now, by=event.actor)
            await settle_refunds(work, payment_id, told, at=now, by=event.actor)
            await close(work)
