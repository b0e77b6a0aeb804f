"""The only code by which a dispute changes, and its payment with it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from domain.actor import Actor
from domain.audit import audit_record
from domain.dispute import Dispute, DisputeFacts, change
from domain.errors import Busy, NotFound
from domain.evidence import first_draft
from domain.identity import new_id
from domain.operation import ObjectKind
from domain.payment import Payment
from domain.ports import Work
from domain.settlement import held_payment, record_payment
from domain.statistics.recording import count_dispute


async def held_dispute(work: Work, dispute_id: UUID, *, path: Sequence[str] = ()) -> Dispute:
    """The dispute's row, locked after its payment's. Raises NotFound."""
    dispute = await work.disputes.get(dispute_id)
    if dispute is not None:
        await held_payment(work, dispute.payment_id)
        dispute = await work.disputes.lock(dispute_id)
    if dispute is None:
        raise NotFound("There is no such dispute.", path=path)
    return dispute


async def settle_dispute(
    work: Work, payment_id: UUID, facts: DisputeFacts, *, at: datetime, by: Actor
) -> Dispute:
    """
    The dispute after the processor's word, which is the newest: whoever read it has made sure of that.

    Raises NotFound where there is no such payment, Busy where somebody else has heard of the dispute first.
    """
    payment = await held_payment(work, payment_id)
    known_id = await work.disputes.known_as(facts.processor_dispute_id)
    before = None if known_id is None else await work.disputes.lock(known_id)
    return await _settled(work, payment, before, facts, at=at, by=by)


async def settle_answer(work: Work, asked: Dispute, facts: DisputeFacts, *, at: datetime, by: Actor) -> None:
    """The answer to a command; what others have read meanwhile may be newer, and then stands."""
    payment = await held_payment(work, asked.payment_id)
    before = await work.disputes.lock(asked.id)
    if before is not None and before.readings == asked.readings:
        await _settled(work, payment, before, facts, at=at, by=by)


async def draft_evidence(work: Work, before: Dispute, after: Dispute, *, at: datetime, by: Actor) -> None:
    """Keep what was written; the audit trail tells that it was, and not what."""
    if after is not before:
        await work.disputes.save(after)
        await work.audit.add(audit_record("dispute.drafted", before, after, at=at, by=by))


async def _settled(
    work: Work, payment: Payment, before: Dispute | None, facts: DisputeFacts, *, at: datetime, by: Actor
) -> Dispute:
    if before is None:
        after = await _opened(work, payment, facts, at=at)
    else:
        after = before.settle(facts, at=at)
        await work.disputes.save(after)
    await count_dispute(work, before, after)
    if before is None or after.version != before.version:
        action, occurred_at = f"dispute.{after.status.lower()}", facts.occurred_at
        await work.audit.add(audit_record(action, before, after, at=at, by=by, occurred_at=occurred_at))
    await _follow(work, payment, at=at, by=by, occurred_at=facts.occurred_at)
    return after


async def _opened(work: Work, payment: Payment, facts: DisputeFacts, *, at: datetime) -> Dispute:
    refunds = await work.refunds.of_payments([payment.id], owner=None)
    trail = await work.audit.of_object(ObjectKind.PAYMENT, payment.id)
    draft = first_draft(payment, refunds.get(payment.id, ()), trail)
    dispute = Dispute(
        id=new_id(),
        user_id=payment.user_id,
        payment_id=payment.id,
        status=facts.status,
        amount=facts.amount,
        currency=facts.currency,
        reason=facts.reason,
        evidence_due_by=facts.evidence_due_by,
        evidence_draft={**draft, **facts.evidence},
        evidence_submitted_at=at if facts.is_answered else None,
        history=[change(facts.status, at)],
        processor_dispute_id=facts.processor_dispute_id,
        last_event_id=facts.event_id,
        synced_by=facts.source,
        readings=1,
        created_at=at,
        updated_at=at,
    )
    if not await work.disputes.add(dispute):
        raise Busy("Somebody else has heard of this dispute first.", current="BUSY")
    return dispute


async def _follow(
    work: Work, before: Payment, *, at: datetime, by: Actor, occurred_at: datetime | None
) -> None:
    """What its banks hold of the payment, counted anew."""
    after = before.with_disputes(await work.disputes.held_amount(before.id), at=at)
    if after is not before:
        action = "payment.disputed" if after.is_disputed else "payment.undisputed"
        await record_payment(work, before, after, action=action, at=at, by=by, occurred_at=occurred_at)
