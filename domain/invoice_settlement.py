"""
How the processor's word changes an invoice and the payment that pays it.

Such a payment goes back and forth with its invoice: it fails, and is tried again. So it is read anew together with
it, and what was read last is how its last attempt stands.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from domain.actor import Actor
from domain.audit import audit_record
from domain.errors import NotFound
from domain.identity import new_id
from domain.invoice import BillingReason, Invoice, InvoiceFacts, terms_in
from domain.outcome import Outcome
from domain.payment import Payment
from domain.payment_status import UNDER_WAY, CaptureMethod, PaymentStatus, PaymentTrigger
from domain.ports import Work
from domain.settlement import record_payment, settle

TRIGGERS: Final[Mapping[BillingReason, PaymentTrigger]] = {
    BillingReason.SUBSCRIPTION_START: PaymentTrigger.SUBSCRIPTION_START,
    BillingReason.RENEWAL: PaymentTrigger.RENEWAL,
    BillingReason.PLAN_CHANGE: PaymentTrigger.PLAN_CHANGE,
    BillingReason.OTHER: PaymentTrigger.ADMIN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceOwner:
    """Whose invoice it is, and for which subscription and plan, if for any."""

    user_id: UUID
    subscription_id: UUID | None = None
    plan_id: UUID | None = None


async def write_invoice(
    work: Work,
    facts: InvoiceFacts,
    owner: InvoiceOwner,
    *,
    at: datetime,
    by: Actor,
    trigger: PaymentTrigger | None = None,
) -> Invoice:
    """
    Our record of an invoice and of its payment, made at their first mention. Its subscription is locked already.

    `trigger` is what made us collect, where the caller knows: a customer who tries again.
    """
    before, after = await _written(work, facts, owner, at=at, by=by)
    if facts.payment is not None and facts.payment.processor_payment_id is not None and facts.payment_amount:
        cause = trigger or _automatic(before, after)
        await _settle_payment(work, after, owner, facts, facts.payment, cause, at=at, by=by)
    return after


async def _written(
    work: Work, facts: InvoiceFacts, owner: InvoiceOwner, *, at: datetime, by: Actor
) -> tuple[Invoice | None, Invoice]:
    """The invoice before, if it was known, and after. Its row is ours until the transaction ends."""
    fresh = Invoice(
        id=new_id(),
        user_id=owner.user_id,
        subscription_id=owner.subscription_id,
        livemode=facts.livemode,
        created_at=facts.created_at,
        updated_at=at,
        **terms_in(facts.terms),
    )
    if await work.invoices.add(fresh):
        await work.audit.add(audit_record("invoice.created", None, fresh, at=at, by=by))
        return None, fresh
    before = await work.invoices.lock_known(facts.terms.processor_invoice_id)
    if before is None:
        raise NotFound("There is no such invoice.")
    after = before.take(facts, at=at)
    await work.invoices.save(after)
    if after.version != before.version:
        await work.audit.add(audit_record(f"invoice.{after.status.lower()}", before, after, at=at, by=by))
    return before, after


def _automatic(before: Invoice | None, after: Invoice) -> PaymentTrigger | None:
    """What made the processor collect by itself; None where it made no attempt since the one that we know."""
    known_attempts = 0 if before is None else before.attempt_count
    if after.attempt_count > max(known_attempts, 1):
        return PaymentTrigger.DUNNING_RETRY
    return TRIGGERS[after.reason] if before is None else None


async def _settle_payment(
    work: Work,
    invoice: Invoice,
    owner: InvoiceOwner,
    facts: InvoiceFacts,
    outcome: Outcome,
    trigger: PaymentTrigger | None,
    *,
    at: datetime,
    by: Actor,
) -> Payment:
    payment = await _payment(work, invoice, owner, facts, outcome, trigger, at=at, by=by)
    after = await _at_last_attempt(work, payment, invoice, outcome, trigger)
    if after != payment:
        after = replace(after, version=payment.version + 1, updated_at=at)
        await record_payment(work, payment, after, action="payment.attempted", at=at, by=by)
    return await settle(work, payment.id, outcome, at=at, by=by)


async def _payment(
    work: Work,
    invoice: Invoice,
    owner: InvoiceOwner,
    facts: InvoiceFacts,
    outcome: Outcome,
    trigger: PaymentTrigger | None,
    *,
    at: datetime,
    by: Actor,
) -> Payment:
    """The invoice's payment, locked; made where it was unknown."""
    known = await work.payments.known_as(outcome.processor_payment_id or "")
    if known is not None and (payment := await work.payments.lock(known)) is not None:
        return payment
    plan = facts.processor_price_id and await work.plans.priced_as(facts.processor_price_id)
    fresh = Payment(
        id=new_id(),
        user_id=invoice.user_id,
        status=PaymentStatus.PENDING,
        trigger=trigger or TRIGGERS[invoice.reason],
        livemode=invoice.livemode,
        amount=facts.payment_amount,
        currency=invoice.currency,
        capture_method=CaptureMethod.AUTOMATIC,
        plan_id=plan.id if plan else owner.plan_id,
        subscription_id=invoice.subscription_id,
        invoice_id=invoice.id,
        processor_customer_id=facts.customer_id,
        processor_payment_id=outcome.processor_payment_id,
        created_at=facts.finalized_at or at,
        updated_at=at,
    )
    await record_payment(work, None, fresh, action="payment.created", at=at, by=by)
    return fresh


async def _at_last_attempt(
    work: Work, payment: Payment, invoice: Invoice, outcome: Outcome, trigger: PaymentTrigger | None
) -> Payment:
    """The payment as its last attempt found it: what caused that, with which method, and open again after a no."""
    method_id = outcome.processor_method_id or payment.processor_method_id
    known = payment.payment_method_id
    if method_id is not None and method_id != payment.processor_method_id:
        known = await work.payment_methods.known_as(method_id)
    return replace(
        payment,
        status=PaymentStatus.PENDING if _is_tried_again(payment, outcome) else payment.status,
        trigger=trigger or payment.trigger,
        invoice_id=invoice.id,
        subscription_id=invoice.subscription_id,
        payment_method_id=known,
        processor_method_id=method_id,
    )


def _is_tried_again(payment: Payment, outcome: Outcome) -> bool:
    """Whether this is about another attempt than the one that is known to have failed."""
    if payment.status is not PaymentStatus.FAILED:
        return False
    if outcome.status is not PaymentStatus.FAILED:
        return outcome.status in UNDER_WAY
    is_other_charge = outcome.charge_id not in {None, payment.processor_charge_id}
    return is_other_charge or outcome.decline != payment.decline
