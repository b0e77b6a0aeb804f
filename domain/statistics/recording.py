"""Counts a change, in its transaction; called wherever an object is recorded."""

from collections.abc import Mapping
from uuid import UUID

from domain.dispute import Dispute
from domain.errors import NotFound
from domain.payment import Payment
from domain.plan import Plan
from domain.ports import Reads, Work
from domain.refund import Refund
from domain.statistics.facts import Facts
from domain.statistics.payment_facts import (
    dispute_facts,
    facts_of_dispute,
    facts_of_refund,
    payment_facts,
    refund_facts,
    traits_of,
)
from domain.statistics.subscription_facts import subscription_facts
from domain.subscription import Subscription


async def count_payment(work: Work, before: Payment | None, after: Payment) -> None:
    """The payment's row is locked, or new."""
    await work.statistics.append(payment_facts(before, after))
    may_have_gone_back = before is not None and (before.is_collected or before.is_disputed)
    if before is not None and may_have_gone_back and traits_of(before) != traits_of(after):
        await _move_what_went_back(work, before, after)


async def count_refund(work: Work, before: Refund | None, after: Refund) -> None:
    """The payment's row is locked."""
    payment = await payment_of(work, after.payment_id)
    await work.statistics.append(refund_facts(before, after, payment))


async def count_dispute(work: Work, before: Dispute | None, after: Dispute) -> None:
    """The payment's row is locked."""
    payment = await payment_of(work, after.payment_id)
    await work.statistics.append(dispute_facts(before, after, payment))


async def count_subscription(work: Work, before: Subscription | None, after: Subscription) -> None:
    """The subscription's row is locked, or new."""
    if before is None or before.steps != after.steps:
        await work.statistics.append(subscription_facts(before, after, await plans_of(work, after)))


async def payment_of(reads: Reads, payment_id: UUID) -> Payment:
    payment = await reads.payments.get(payment_id)
    if payment is None:
        raise NotFound("There is no such payment.")
    return payment


async def plans_of(reads: Reads, subscription: Subscription) -> Mapping[UUID, Plan]:
    return await reads.plans.by_ids(list(subscription.plan_ids_ever))


async def _move_what_went_back(work: Work, before: Payment, after: Payment) -> None:
    """Refunds and disputes go by their payment's traits, of which one may be heard of last."""
    change = Facts()
    for refund in (await work.refunds.of_payments([after.id], owner=None)).get(after.id, ()):
        change.include(facts_of_refund(refund, after))
        change.include(facts_of_refund(refund, before), sign=-1)
    for dispute in (await work.disputes.of_payments([after.id], owner=None)).get(after.id, ()):
        change.include(facts_of_dispute(dispute, after))
        change.include(facts_of_dispute(dispute, before), sign=-1)
    await work.statistics.append(change.deltas())
