"""Invoices as they are at the processor: read at news about them, and at news about what pays them."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from domain.actor import Actor
from domain.events import InboxEvent, InvoiceChanged, PaymentReported
from domain.invoice import Invoice, InvoiceFacts
from domain.occasion import Occasion
from domain.payment import Payment
from domain.payment_status import SUCCESSORS, PaymentStatus
from domain.ports import Clock, Database, PaymentProcessor, Reads, Work
from domain.rereading import take_newest
from domain.settlement import remember_failure
from domain.subscription_rereading import SubscriptionRereader
from domain.subscription_settlement import settle_invoice
from domain.webhook_service import Close, found

SETTLED: Final = frozenset({PaymentStatus.AUTHORIZED, PaymentStatus.CANCELLED, PaymentStatus.COMPLETED})
"""No attempt follows these, so that news of them cannot be out of date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceRereader:
    database: Database
    processor: PaymentProcessor
    subscriptions: SubscriptionRereader
    clock: Clock

    async def follow(self, hint: InvoiceChanged, event: InboxEvent, close: Close) -> None:
        await self._read_anew(hint, Occasion.of(event), close=close)

    async def read_again(self, processor_invoice_id: str, occasion: Occasion) -> None:
        """Raises NotFound where its customer is none of ours, or the processor does not know it."""
        await self._read_anew(InvoiceChanged(processor_invoice_id=processor_invoice_id), occasion)

    async def covers(self, news: PaymentReported, *, by: Actor) -> bool:
        """
        Read the invoice that a payment pays, if it pays one; whether that has overtaken the news.

        Such a payment is tried again by itself, so news of a failure may be older than what was read. It says
        nothing about how the payment stands then, but is still remembered as a failed attempt.
        """
        invoice_id = None if news.payment_id is not None else await self._paid_by(news)
        if invoice_id is None:
            return False
        await self._read_anew(InvoiceChanged(processor_invoice_id=invoice_id), Occasion(by=by))
        async with self.database.work() as work:
            known = await work.payments.known_as(news.processor_payment_id)
            payment = None if known is None else await work.payments.lock(known)
            if payment is None or not _is_overtaken(news, payment):
                return False
            await remember_failure(work, payment, news.outcome, at=self.clock(), by=by)
        return True

    async def learn(self, processor_payment_id: str, occasion: Occasion) -> None:
        """Have the payment of an invoice, which names none of ours. Raises NotFound where it is of nobody we know."""
        async with self.database.reads() as reads:
            if await reads.payments.known_as(processor_payment_id):
                return
        invoice_id = found(await self.processor.invoice_of_payment(processor_payment_id))
        await self._read_anew(InvoiceChanged(processor_invoice_id=invoice_id), occasion)

    async def _read_anew(
        self, hint: InvoiceChanged, occasion: Occasion, *, close: Close | None = None
    ) -> None:
        """Raises NotFound where its customer is none of ours, or the processor does not know it."""
        processor_id = hint.processor_invoice_id
        owner = await self._known_owner(processor_id) or await self._named_owner(hint, occasion.by)

        async def find(reads: Reads) -> Invoice | None:
            known = await reads.invoices.known_as(processor_id)
            return None if known is None else await reads.invoices.get(known)

        async def read() -> InvoiceFacts:
            facts = found(await self.processor.read_invoice(processor_id))
            return facts.told_by(occasion.source, occasion.event_id)

        async def lock(work: Work) -> Invoice | None:
            """After its subscription, or else its account, so that it is made once."""
            if owner.subscription_id is None:
                await work.accounts.lock(owner.user_id)
            else:
                await work.subscriptions.lock(owner.subscription_id)
            return await work.invoices.lock_known(processor_id)

        async def take(work: Work, facts: InvoiceFacts) -> None:
            await settle_invoice(work, facts, at=self.clock(), by=occasion.by)
            if close is not None:
                await close(work)

        await take_newest(self.database, find=find, read=read, lock=lock, take=take)

    async def _known_owner(self, processor_invoice_id: str) -> "Owner | None":
        async with self.database.reads() as reads:
            known = await reads.invoices.known_as(processor_invoice_id)
            invoice = None if known is None else await reads.invoices.get(known)
        if invoice is None:
            return None
        return Owner(user_id=invoice.user_id, subscription_id=invoice.subscription_id)

    async def _named_owner(self, hint: InvoiceChanged, by: Actor) -> "Owner":
        """Its subscription is read first where it is unknown."""
        named = hint if hint.customer_id is not None else await self._completed(hint)
        async with self.database.reads() as reads:
            account = found(await reads.accounts.of_customer(named.customer_id or ""))
        if named.processor_subscription_id is None:
            return Owner(user_id=account.user_id)
        await self.subscriptions.learn(named.processor_subscription_id, named.customer_id or "", by=by)
        async with self.database.reads() as reads:
            known = await reads.subscriptions.known_as(named.processor_subscription_id)
        return Owner(user_id=account.user_id, subscription_id=known)

    async def _completed(self, hint: InvoiceChanged) -> InvoiceChanged:
        facts = found(await self.processor.read_invoice(hint.processor_invoice_id))
        return InvoiceChanged(
            processor_invoice_id=hint.processor_invoice_id,
            processor_subscription_id=facts.processor_subscription_id,
            customer_id=facts.customer_id,
        )

    async def _paid_by(self, news: PaymentReported) -> str | None:
        """Of a payment that we do not know, of a customer that we do, the processor says what it pays."""
        async with self.database.reads() as reads:
            known = await reads.payments.known_as(news.processor_payment_id)
            payment = None if known is None else await reads.payments.get(known)
            if payment is not None:
                invoice = payment.invoice_id and await reads.invoices.get(payment.invoice_id)
                return invoice.processor_invoice_id if invoice else None
            account = await reads.accounts.of_customer(news.customer_id or "")
        return await self.processor.invoice_of_payment(news.processor_payment_id) if account else None


def _is_overtaken(news: PaymentReported, payment: Payment) -> bool:
    told = news.outcome.status
    return told not in SETTLED and told in SUCCESSORS[payment.status]


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whose invoice it is, and of which subscription, if of any."""

    user_id: UUID
    subscription_id: UUID | None = None
