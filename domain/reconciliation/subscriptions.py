"""Subscriptions and their invoices, compared."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final
from uuid import UUID

from domain.errors import NotFound
from domain.invoice import Invoice, InvoiceStatus, InvoiceTerms
from domain.invoice_rereading import InvoiceRereader
from domain.occasion import Occasion
from domain.operation import ObjectKind
from domain.ports import Reads
from domain.ports.reconciliation import Listed, ProcessorLists
from domain.reconciliation.noun import Noun, Ours, Pair, where_told
from domain.subscription import Subscription, SubscriptionFacts
from domain.subscription_rereading import SubscriptionRereader
from domain.subscription_status import LIVE

SUBSCRIPTION: Final[Mapping[str, Pair[Subscription, SubscriptionFacts]]] = {
    "status": lambda ours, told: (ours.thing.status, told.facts.status),
    "plan": lambda ours, told: (ours.named["plan"], told.facts.processor_price_id),
    "pending_plan": lambda ours, told: (ours.named["pending_plan"], told.facts.pending_price_id),
    "payment_method": lambda ours, told: (ours.named["method"], told.facts.processor_method_id),
    "current_period_start": lambda ours, told: (
        ours.thing.current_period_start,
        told.facts.current_period_start,
    ),
    "current_period_end": lambda ours, told: (ours.thing.current_period_end, told.facts.current_period_end),
    "trial_ends_at": lambda ours, told: (ours.thing.trial_ends_at, told.facts.trial_ends_at),
    "cancel_at_period_end": lambda ours, told: (
        ours.thing.cancel_at_period_end,
        told.facts.cancel_at_period_end,
    ),
    "cancel_at": lambda ours, told: (ours.thing.cancel_at, told.facts.cancel_at),
    "cancelled_at": lambda ours, told: (ours.thing.cancelled_at, told.facts.cancelled_at),
    "ended_at": lambda ours, told: where_told(ours.thing.ended_at, told.facts.ended_at),
    "paused_until": lambda ours, told: (ours.thing.paused_until, told.facts.paused_until),
    "processor_subscription_id": lambda ours, told: (ours.processor_id, told.processor_id),
}
INVOICE: Final[Mapping[str, Pair[Invoice, InvoiceTerms]]] = {
    name: lambda ours, told, name=name: (getattr(ours.thing, name), getattr(told.facts, name))  # type: ignore[misc]  # Bound now.
    for name in (
        "status",
        "total",
        "amount_due",
        "amount_paid",
        "attempt_count",
        "next_attempt_at",
        "paid_at",
    )
}
OPEN_INVOICES: Final = [InvoiceStatus.DRAFT, InvoiceStatus.OPEN]


@dataclass(frozen=True, kw_only=True)
class ComparedSubscriptions(Noun[Subscription, SubscriptionFacts]):
    kind: ClassVar = ObjectKind.SUBSCRIPTION
    fields: ClassVar = SUBSCRIPTION

    lists: ProcessorLists
    rereader: SubscriptionRereader
    is_live: bool

    async def listed(self, since: datetime) -> AsyncIterator[Sequence[Listed[SubscriptionFacts]]]:
        """All that live, however old, and what has begun and ended since."""
        async for page in self.lists.live_subscriptions():
            yield page
        async for page in self.lists.subscriptions_since(since):
            yield [each for each in page if each.facts.has_ended]

    async def one(self, processor_id: str) -> Listed[SubscriptionFacts] | None:
        return await self.lists.one_subscription(processor_id)

    async def open_ids(self, reads: Reads, since: datetime) -> Sequence[UUID]:
        return await reads.subscriptions.open_or_changed(sorted(LIVE), since=since, livemode=self.is_live)

    async def by_ids(self, reads: Reads, ids: Sequence[UUID]) -> Sequence[Ours[Subscription]]:
        return await self._named(reads, list((await reads.subscriptions.by_ids(ids, owner=None)).values()))

    async def known_as(self, reads: Reads, processor_ids: Sequence[str]) -> Sequence[Ours[Subscription]]:
        return await self._named(reads, await reads.subscriptions.known_among(processor_ids))

    async def heal(
        self,
        told: Listed[SubscriptionFacts] | None,
        ours: Ours[Subscription] | None,
        occasion: Occasion,
    ) -> None:
        if told is None:
            raise NotFound("The processor has no such subscription.")
        await self.rereader.read_again(told.processor_id, told.facts.customer_id, occasion)

    async def _named(self, reads: Reads, found: Sequence[Subscription]) -> Sequence[Ours[Subscription]]:
        if not found:
            return []
        plans = await reads.plans.by_ids([plan for each in found for plan in each.plan_ids])
        method_ids = [each.payment_method_id for each in found if each.payment_method_id]
        methods = await reads.payment_methods.by_ids(method_ids, owner=None)

        def price(plan_id: UUID | None) -> str | None:
            return plans[plan_id].processor_price_id if plan_id else None

        def method(method_id: UUID | None) -> str | None:
            return methods[method_id].processor_method_id if method_id else None

        return [
            Ours(
                id=each.id,
                processor_id=each.processor_subscription_id,
                thing=each,
                named={
                    "plan": price(each.plan_id),
                    "pending_plan": price(each.pending_plan_id),
                    "method": method(each.payment_method_id),
                },
            )
            for each in found
        ]


@dataclass(frozen=True, kw_only=True)
class ComparedInvoices(Noun[Invoice, InvoiceTerms]):
    kind: ClassVar = ObjectKind.INVOICE
    fields: ClassVar = INVOICE

    lists: ProcessorLists
    rereader: InvoiceRereader
    is_live: bool

    async def listed(self, since: datetime) -> AsyncIterator[Sequence[Listed[InvoiceTerms]]]:
        async for page in self.lists.invoices_since(since):
            yield page
        async for page in self.lists.open_invoices():
            yield [each for each in page if each.created_at and each.created_at < since]

    async def one(self, processor_id: str) -> Listed[InvoiceTerms] | None:
        return await self.lists.one_invoice(processor_id)

    async def open_ids(self, reads: Reads, since: datetime) -> Sequence[UUID]:
        return await reads.invoices.open_or_changed(OPEN_INVOICES, since=since, livemode=self.is_live)

    async def by_ids(self, reads: Reads, ids: Sequence[UUID]) -> Sequence[Ours[Invoice]]:
        return [_our_invoice(each) for each in (await reads.invoices.by_ids(ids, owner=None)).values()]

    async def known_as(self, reads: Reads, processor_ids: Sequence[str]) -> Sequence[Ours[Invoice]]:
        return [_our_invoice(each) for each in await reads.invoices.known_among(processor_ids)]

    async def heal(
        self, told: Listed[InvoiceTerms] | None, ours: Ours[Invoice] | None, occasion: Occasion
    ) -> None:
        if told is None:
            raise NotFound("The processor has no such invoice.")
        await self.rereader.read_again(told.processor_id, occasion)


def _our_invoice(invoice: Invoice) -> Ours[Invoice]:
    return Ours(id=invoice.id, processor_id=invoice.processor_invoice_id, thing=invoice)
