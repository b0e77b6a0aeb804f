"""Everything counted anew, from the objects themselves."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol, TypeVar
from uuid import UUID

from domain.dispute import Dispute
from domain.payment import Payment
from domain.ports import Work
from domain.refund import Refund
from domain.statistics.facts import Facts
from domain.statistics.payment_facts import facts_of_dispute, facts_of_payment, facts_of_refund
from domain.statistics.subscription_facts import facts_of_subscription
from domain.subscription import Subscription

AT_ONCE: Final = 1_000


class Identified(Protocol):
    @property
    def id(self) -> UUID: ...


T = TypeVar("T", bound=Identified)
Thing = TypeVar("Thing", bound=Identified, covariant=True)


class Source(Protocol[Thing]):
    async def after(self, last: UUID | None, *, limit: int) -> Sequence[Thing]: ...


async def recount(work: Work) -> int:
    """How many objects there were. The work sees one moment throughout, and nobody folds meanwhile."""
    await work.statistics.clear()
    number = (
        await _count(work, work.payments, _of_payments)
        + await _count(work, work.refunds, _of_refunds)
        + await _count(work, work.disputes, _of_disputes)
        + await _count(work, work.subscriptions, _of_subscriptions)
    )
    await work.statistics.summarise()
    return number


async def _count(
    work: Work, source: Source[T], facts_of: Callable[[Work, Sequence[T]], Awaitable[Facts]]
) -> int:
    number, last = 0, None
    while page := await source.after(last, limit=AT_ONCE):
        await work.statistics.add((await facts_of(work, page)).deltas())
        number, last = number + len(page), page[-1].id
    return number


async def _of_payments(_: Work, payments: Sequence[Payment]) -> Facts:
    facts = Facts()
    for payment in payments:
        facts.include(facts_of_payment(payment))
    return facts


async def _of_refunds(work: Work, refunds: Sequence[Refund]) -> Facts:
    facts = Facts()
    payments = await work.payments.by_ids([refund.payment_id for refund in refunds], owner=None)
    for refund in refunds:
        facts.include(facts_of_refund(refund, payments[refund.payment_id]))
    return facts


async def _of_disputes(work: Work, disputes: Sequence[Dispute]) -> Facts:
    facts = Facts()
    payments = await work.payments.by_ids([dispute.payment_id for dispute in disputes], owner=None)
    for dispute in disputes:
        facts.include(facts_of_dispute(dispute, payments[dispute.payment_id]))
    return facts


async def _of_subscriptions(work: Work, subscriptions: Sequence[Subscription]) -> Facts:
    facts = Facts()
    plan_ids = {plan_id for subscription in subscriptions for plan_id in subscription.plan_ids_ever}
    plans = await work.plans.by_ids(list(plan_ids))
    for subscription in subscriptions:
        facts.include(facts_of_subscription(subscription, plans))
    return facts
