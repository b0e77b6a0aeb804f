"""
The only code by which a refund changes, and its payment with it.

The payment's sums are counted anew from the rows of its refunds, under the payment's lock, so that no two of them
can take the same money and no order of news can lead elsewhere.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from domain.actor import Actor
from domain.audit import audit_record
from domain.identity import new_id
from domain.payment import Payment
from domain.payment_status import PaymentStatus
from domain.ports import Work
from domain.refund import Refund, RefundFacts, RefundOrigin
from domain.settlement import held_payment, record_payment, taken
from domain.statistics.recording import count_refund


async def reserve(work: Work, payment: Payment, refund: Refund, *, at: datetime, by: Actor) -> None:
    """A refund that is about to be asked for takes its amount at once. The payment is held."""
    await _add(work, refund, action="refund.requested", at=at, by=by)
    await _count(work, payment, payment, at=at, by=by)


async def settle_refund(
    work: Work, payment_id: UUID, facts: RefundFacts, *, at: datetime, by: Actor
) -> Refund:
    """The refund after the processor's word. Raises NotFound where there is no such payment."""
    [refund] = await settle_refunds(work, payment_id, [facts], at=at, by=by)
    return refund


async def settle_refunds(
    work: Work, payment_id: UUID, told: Sequence[RefundFacts], *, at: datetime, by: Actor
) -> list[Refund]:
    """A payment's refunds after the processor's word; those that nobody here asked for are written down."""
    before = payment = await held_payment(work, payment_id)
    refunds = []
    for facts in told:
        payment = await taken(work, payment, facts.proof, at=at)
        refunds.append(await _settled(work, payment, facts, at=at, by=by))
    occurred_at = told[0].occurred_at if told else None
    await _count(work, before, payment, at=at, by=by, occurred_at=occurred_at)
    return refunds


async def give_up_refund(work: Work, asked: Refund, reason: str, *, at: datetime, by: Actor) -> Refund:
    """The processor did not do it: what the refund had taken is given back."""
    payment = await held_payment(work, asked.payment_id)
    before = await work.refunds.lock(asked.id) or asked
    after = await _save(work, before, before.given_up(reason, at=at), at=at, by=by)
    await _count(work, payment, payment, at=at, by=by)
    return after


async def _settled(work: Work, payment: Payment, facts: RefundFacts, *, at: datetime, by: Actor) -> Refund:
    before = await _known(work, payment, facts)
    if before is None:
        found = _made_elsewhere(payment, facts, at=at)
        await _add(work, found, action="refund.found", at=at, by=by, occurred_at=facts.occurred_at)
        return found
    after = before.settle(facts, at=at)
    return await _save(work, before, after, at=at, by=by, occurred_at=facts.occurred_at)


async def _known(work: Work, payment: Payment, facts: RefundFacts) -> Refund | None:
    refund_id = await work.refunds.known_as(facts.processor_refund_id) or facts.refund_id
    refund = await work.refunds.lock(refund_id) if refund_id else None
    if refund is None or refund.payment_id != payment.id or not refund.is_meant_by(facts):
        return None
    return refund


def _made_elsewhere(payment: Payment, facts: RefundFacts, *, at: datetime) -> Refund:
    return Refund(
        id=new_id(),
        user_id=payment.user_id,
        payment_id=payment.id,
        status=facts.status,
        amount=facts.amount,
        currency=facts.currency,
        reason=facts.reason,
        origin=RefundOrigin.STRIPE_DASHBOARD,
        revokes_access=True,
        created_at=at,
        updated_at=at,
    ).settle(facts, at=at)


async def _add(
    work: Work, refund: Refund, *, action: str, at: datetime, by: Actor, occurred_at: datetime | None = None
) -> None:
    await work.refunds.add(refund)
    await count_refund(work, None, refund)
    record = audit_record(action, None, refund, at=at, by=by, note=refund.note, occurred_at=occurred_at)
    await work.audit.add(record)


async def _save(
    work: Work,
    before: Refund,
    after: Refund,
    *,
    at: datetime,
    by: Actor,
    occurred_at: datetime | None = None,
) -> Refund:
    if after is not before:
        await work.refunds.save(after)
        await count_refund(work, before, after)
        action = f"refund.{after.status.lower()}"
        await work.audit.add(audit_record(action, before, after, at=at, by=by, occurred_at=occurred_at))
    return after


async def _count(
    work: Work,
    before: Payment,
    payment: Payment,
    *,
    at: datetime,
    by: Actor,
    occurred_at: datetime | None = None,
) -> None:
    after = payment.with_refunds(await work.refunds.sums(payment.id), at=at)
    if after != before:
        is_new = after.status is not before.status and after.status is not PaymentStatus.COMPLETED
        action = f"payment.{after.status.lower()}" if is_new else "payment.refunds_counted"
        await record_payment(work, before, after, action=action, at=at, by=by, occurred_at=occurred_at)
