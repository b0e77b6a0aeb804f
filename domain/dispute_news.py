"""Hints that a dispute has moved: it is read anew, since it may go back and forth."""

from dataclasses import dataclass, replace
from functools import partial

from domain.dispute import Dispute, FoundDispute
from domain.dispute_settlement import held_dispute, settle_dispute
from domain.events import DisputeChanged, InboxEvent
from domain.occasion import Occasion
from domain.ports import Clock, Database, DisputeProcessor, Reads, Work
from domain.rereading import take_newest
from domain.settlement import held_payment, settle
from domain.webhook_service import Close, PaidInvoices, found


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeNews:
    database: Database
    processor: DisputeProcessor
    clock: Clock
    invoices: PaidInvoices

    async def follow(self, hint: DisputeChanged, event: InboxEvent, close: Close) -> None:
        await self._read_anew(hint, Occasion.of(event), close)

    async def read_again(self, hint: DisputeChanged, occasion: Occasion) -> None:
        """Raises NotFound where it is of no payment of ours, or the processor does not know it."""
        await self._read_anew(hint, occasion)

    async def _read_anew(self, hint: DisputeChanged, occasion: Occasion, close: Close | None = None) -> None:
        await take_newest(
            self.database,
            find=partial(self._find, hint),
            read=partial(self._read, hint, occasion),
            lock=partial(self._lock, hint),
            take=partial(self._take, hint, occasion, close),
        )

    async def _find(self, hint: DisputeChanged, reads: Reads) -> Dispute | None:
        known_id = await reads.disputes.known_as(hint.processor_dispute_id)
        return None if known_id is None else await reads.disputes.get(known_id)

    async def _read(self, hint: DisputeChanged, occasion: Occasion) -> FoundDispute:
        read = found(await self.processor.find_dispute(hint.processor_dispute_id))
        if read.payment.payment_id is None:
            await self.invoices.learn(hint.processor_payment_id, Occasion(by=occasion.by))
        return read

    async def _lock(self, hint: DisputeChanged, work: Work) -> Dispute | None:
        """The payment too, so that of two who hear of a dispute at once one waits for the other."""
        payment_id = await work.payments.known_as(hint.processor_payment_id)
        if payment_id is not None:
            await held_payment(work, payment_id)
        known_id = await work.disputes.known_as(hint.processor_dispute_id)
        return None if known_id is None else await held_dispute(work, known_id)

    async def _take(
        self,
        hint: DisputeChanged,
        occasion: Occasion,
        close: Close | None,
        work: Work,
        read: FoundDispute,
    ) -> None:
        known_id = await work.payments.known_as(hint.processor_payment_id)
        payment_id, now, by = found(known_id or read.payment.payment_id), self.clock(), occasion.by
        facts = replace(
            read.facts,
            source=occasion.source,
            event_id=occasion.event_id,
            occurred_at=occasion.occurred_at,
        )
        outcome = occasion.of_payment(read.payment.outcome)
        await settle(work, payment_id, outcome, at=now, by=by)
        await settle_dispute(work, payment_id, facts, at=now, by=by)
        if close is not None:
            await close(work)
