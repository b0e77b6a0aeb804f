"""The only code by which a payment changes, whoever caused it."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from domain.actor import Actor
from domain.audit import audit_record
from domain.entitlements import follow_payment
from domain.errors import NotFound
from domain.outcome import Outcome
from domain.payment import Payment
from domain.ports import Work
from domain.statistics.recording import count_payment


async def settle(work: Work, payment_id: UUID, outcome: Outcome, *, at: datetime, by: Actor) -> Payment:
    """The payment after the processor's word. Raises NotFound where there is no such payment."""
    before = await held_payment(work, payment_id)
    after = await taken(work, before, outcome, at=at)
    if after != before:
        action, occurred_at = f"payment.{after.status.lower()}", outcome.occurred_at
        await record_payment(work, before, after, action=action, at=at, by=by, occurred_at=occurred_at)
    return after


async def remember_failure(work: Work, before: Payment, outcome: Outcome, *, at: datetime, by: Actor) -> None:
    """Add a failed attempt that is heard of late to a payment that is held; nothing where it is known, or none."""
    after = before.remembering(outcome, at=at)
    if after != before:
        action, occurred_at = f"payment.{after.status.lower()}", outcome.occurred_at
        await record_payment(work, before, after, action=action, at=at, by=by, occurred_at=occurred_at)


async def held_payment(work: Work, payment_id: UUID) -> Payment:
    """
    The payment's row, locked before any refund's or dispute's of it, so that no two writers wait for each other.

    Raises NotFound.
    """
    payment = await work.payments.lock(payment_id)
    if payment is None:
        raise NotFound("There is no such payment.")
    return payment


async def taken(work: Work, before: Payment, outcome: Outcome, *, at: datetime) -> Payment:
    """The payment with the processor's word, not yet saved."""
    after = await _with_method(work, before.settle(outcome, at=at))
    has_refunds = before.refunded_amount or before.refund_pending_amount
    if has_refunds and after.captured_amount > before.captured_amount:
        after = after.with_refunds(await work.refunds.sums(after.id), at=at)
    return after


async def _with_method(work: Work, payment: Payment) -> Payment:
    """An app may confirm with a method that we learn of from the processor only."""
    if payment.payment_method_id is not None or payment.processor_method_id is None:
        return payment
    return replace(
        payment, payment_method_id=await work.payment_methods.known_as(payment.processor_method_id)
    )


async def record_payment(
    work: Work,
    before: Payment | None,
    after: Payment,
    *,
    action: str,
    at: datetime,
    by: Actor,
    occurred_at: datetime | None = None,
) -> None:
    """Save a new or changed payment, who did it, and what follows: statistics and access."""
    if before is None:
        await work.payments.add(after)
    else:
        await work.payments.save(after)
    await count_payment(work, before, after)
    await work.audit.add(audit_record(action, before, after, at=at, by=by, occurred_at=occurred_at))
    await follow_payment(work, after, at=at, by=by)
