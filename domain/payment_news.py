"""News of a payment: taken at its word where that can only be about the running attempt, and read anew where not."""

from dataclasses import dataclass, replace
from operator import attrgetter
from uuid import UUID

from domain.events import InboxEvent, PaymentReported
from domain.occasion import Occasion
from domain.outcome import Outcome
from domain.payment import Payment
from domain.ports import Clock, Database, PaymentProcessor, Reads, Work
from domain.rereading import take_newest
from domain.settlement import held_payment, remember_failure, settle
from domain.webhook_service import Close, PaidInvoices, found


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentNews:
    """
    A payment may be tried several times, and the processor's events do not say which attempt they are about.

    Taking the failure of the first for that of the second would invite its customer to pay once more.
    """

    database: Database
    processor: PaymentProcessor
    clock: Clock
    invoices: PaidInvoices

    async def follow(self, news: PaymentReported, event: InboxEvent, close: Close) -> None:
        """Raises NotFound where it is none of ours."""
        occasion = Occasion.of(event)
        if await self.invoices.covers(news, by=occasion.by):
            async with self.database.work() as work:
                await close(work)
            return
        doubtful = await self._taken(news, occasion, close)
        if doubtful is not None:
            await self._read_anew(doubtful, news.outcome, occasion, close)

    async def _taken(self, news: PaymentReported, occasion: Occasion, close: Close) -> UUID | None:
        """Take the news at its word, unless the payment doubts it: then its id."""
        async with self.database.work() as work:
            known_id = news.payment_id or await work.payments.known_as(news.processor_payment_id)
            payment = await held_payment(work, found(known_id))
            if payment.doubts(news.outcome):
                return payment.id
            await settle(work, payment.id, news.outcome, at=self.clock(), by=occasion.by)
            await close(work)
        return None

    async def _read_anew(self, payment_id: UUID, told: Outcome, occasion: Occasion, close: Close) -> None:
        """What was told is remembered all the same, where it is the failure of an attempt that we did not know of."""

        async def find(reads: Reads) -> Payment | None:
            return await reads.payments.get(payment_id)

        async def read() -> Outcome:
            async with self.database.reads() as reads:
                payment = found(await reads.payments.get(payment_id))
            return found(await self.processor.find_payment(payment))

        async def lock(work: Work) -> Payment | None:
            return await work.payments.lock(payment_id)

        async def take(work: Work, current: Outcome) -> None:
            now, by = self.clock(), occasion.by
            is_what_was_told = current.status is told.status and current.charge_id == told.charge_id
            dated = replace(current, occurred_at=told.occurred_at) if is_what_was_told else current
            payment = await settle(work, payment_id, dated, at=now, by=by)
            await remember_failure(work, payment, told, at=now, by=by)
            await close(work)

        await take_newest(
            self.database, find=find, read=read, lock=lock, take=take, age=attrgetter("version")
        )
