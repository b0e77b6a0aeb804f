"""Hints that something of a payment was given back: its refunds are listed anew."""

from dataclasses import dataclass, replace

from domain.events import InboxEvent, RefundsChanged
from domain.occasion import Occasion
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
        await self._read_anew(hint.processor_payment_id, Occasion.of(event), close)

    async def read_again(self, processor_payment_id: str, occasion: Occasion) -> None:
        """A payment with all that was given back of it. Raises NotFound where it is none of ours."""
        await self._read_anew(processor_payment_id, occasion)

    async def _read_anew(
        self, processor_payment_id: str, occasion: Occasion, close: Close | None = None
    ) -> None:
        listed = found(await self.processor.find_refunds(processor_payment_id))
        if listed.payment.payment_id is None:
            await self.invoices.learn(processor_payment_id, Occasion(by=occasion.by))
        told = [
            replace(
                facts,
                source=occasion.source,
                event_id=occasion.event_id,
                occurred_at=occasion.occurred_at,
            )
            for facts in listed.refunds
        ]
        outcome = occasion.of_payment(listed.payment.outcome)
        async with self.database.work() as work:
            known_id = await work.payments.known_as(processor_payment_id)
            payment_id = found(known_id or listed.payment.payment_id)
            now, by = self.clock(), occasion.by
            await settle(work, payment_id, outcome, at=now, by=by)
            await settle_refunds(work, payment_id, told, at=now, by=by)
            if close is not None:
                await close(work)
