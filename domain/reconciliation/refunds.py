"""Refunds and disputes, compared."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final
from uuid import UUID

from domain.dispute import HOLDS_MONEY, Dispute, DisputeFacts, DisputeStatus
from domain.dispute_news import DisputeNews
from domain.errors import NotFound
from domain.events import DisputeChanged
from domain.occasion import Occasion
from domain.operation import ObjectKind
from domain.ports import Reads
from domain.ports.reconciliation import Listed, ProcessorLists
from domain.reconciliation.noun import F, Noun, O, Ours, Pair
from domain.refund import Refund, RefundFacts, RefundStatus
from domain.refund_news import RefundNews

REFUND: Final[Mapping[str, Pair[Refund, RefundFacts]]] = {
    "status": lambda ours, told: (ours.thing.status, told.facts.status),
    "amount": lambda ours, told: (ours.thing.amount, told.facts.amount),
    "processor_refund_id": lambda ours, told: (ours.processor_id, told.processor_id),
}
DISPUTE: Final[Mapping[str, Pair[Dispute, DisputeFacts]]] = {
    "status": lambda ours, told: (ours.thing.status, told.facts.status),
    "amount": lambda ours, told: (ours.thing.amount, told.facts.amount),
    "reason": lambda ours, told: (ours.thing.reason, told.facts.reason),
    "evidence_due_by": lambda ours, told: (ours.thing.evidence_due_by, told.facts.evidence_due_by),
}
OPEN_REFUNDS: Final = [RefundStatus.PENDING]
OPEN_DISPUTES: Final = sorted((HOLDS_MONEY - {DisputeStatus.LOST}) | {DisputeStatus.INQUIRY})


class OfPayment(Noun[O, F]):
    """What belongs to a payment, and is ours where that is."""

    async def are_of_ours(self, reads: Reads, told: Sequence[Listed[F]]) -> Sequence[Listed[F]]:
        parents = [each.parent_id for each in told if each.parent_id]
        known = {each.processor_payment_id for each in await reads.payments.known_among(parents)}
        named = await self.named_among(reads, told)
        return [each for each in told if each.parent_id in known or each.our_id in named]


@dataclass(frozen=True, kw_only=True)
class ComparedRefunds(OfPayment[Refund, RefundFacts]):
    kind: ClassVar = ObjectKind.REFUND
    fields: ClassVar = REFUND

    lists: ProcessorLists
    news: RefundNews
    is_live: bool

    def listed(self, since: datetime) -> AsyncIterator[Sequence[Listed[RefundFacts]]]:
        return self.lists.refunds_since(since)

    async def one(self, processor_id: str) -> Listed[RefundFacts] | None:
        return await self.lists.one_refund(processor_id)

    async def open_ids(self, reads: Reads, since: datetime) -> Sequence[UUID]:
        return await reads.refunds.open_or_changed(OPEN_REFUNDS, since=since, livemode=self.is_live)

    async def by_ids(self, reads: Reads, ids: Sequence[UUID]) -> Sequence[Ours[Refund]]:
        return [_our_refund(each) for each in (await reads.refunds.by_ids(ids, owner=None)).values()]

    async def known_as(self, reads: Reads, processor_ids: Sequence[str]) -> Sequence[Ours[Refund]]:
        return [_our_refund(each) for each in await reads.refunds.known_among(processor_ids)]

    async def heal(
        self, told: Listed[RefundFacts] | None, ours: Ours[Refund] | None, occasion: Occasion
    ) -> None:
        if told is None or told.parent_id is None:
            raise NotFound("The processor has no such refund.")
        await self.news.read_again(told.parent_id, occasion)


@dataclass(frozen=True, kw_only=True)
class ComparedDisputes(OfPayment[Dispute, DisputeFacts]):
    kind: ClassVar = ObjectKind.DISPUTE
    fields: ClassVar = DISPUTE

    lists: ProcessorLists
    news: DisputeNews
    is_live: bool

    def listed(self, since: datetime) -> AsyncIterator[Sequence[Listed[DisputeFacts]]]:
        return self.lists.disputes_since(since)

    async def one(self, processor_id: str) -> Listed[DisputeFacts] | None:
        return await self.lists.one_dispute(processor_id)

    async def open_ids(self, reads: Reads, since: datetime) -> Sequence[UUID]:
        return await reads.disputes.open_or_changed(OPEN_DISPUTES, since=since, livemode=self.is_live)

    async def by_ids(self, reads: Reads, ids: Sequence[UUID]) -> Sequence[Ours[Dispute]]:
        return [_our_dispute(each) for each in (await reads.disputes.by_ids(ids, owner=None)).values()]

    async def known_as(self, reads: Reads, processor_ids: Sequence[str]) -> Sequence[Ours[Dispute]]:
        return [_our_dispute(each) for each in await reads.disputes.known_among(processor_ids)]

    async def heal(
        self, told: Listed[DisputeFacts] | None, ours: Ours[Dispute] | None, occasion: Occasion
    ) -> None:
        if told is None or told.parent_id is None:
            raise NotFound("The processor has no such dispute.")
        hint = DisputeChanged(processor_dispute_id=told.processor_id, processor_payment_id=told.parent_id)
        await self.news.read_again(hint, occasion)


def _our_refund(refund: Refund) -> Ours[Refund]:
    return Ours(id=refund.id, processor_id=refund.processor_refund_id, thing=refund)


def _our_dispute(dispute: Dispute) -> Ours[Dispute]:
    return Ours(id=dispute.id, processor_id=dispute.processor_dispute_id, thing=dispute)
