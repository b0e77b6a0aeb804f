"""What payments, refunds and disputes contribute."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from domain.dispute import Dispute, DisputeStatus
from domain.payment import Payment
from domain.payment_failure import PaymentFailure
from domain.payment_status import PaymentStatus
from domain.refund import Refund, RefundStatus
from domain.statistics.facts import Delta, Facts, Measure, Traits, difference

TOOK_MONEY: Final = frozenset(
    {DisputeStatus.NEEDS_RESPONSE, DisputeStatus.UNDER_REVIEW, DisputeStatus.WON, DisputeStatus.LOST}
)
"""An inquiry is no dispute yet, and one that was prevented or closed never became one."""


def payment_facts(before: Payment | None, after: Payment) -> Sequence[Delta]:
    """What a payment's change changes; None is before it was made."""
    return difference(facts_of_payment(before) if before else Facts(), facts_of_payment(after))


def refund_facts(before: Refund | None, after: Refund, payment: Payment) -> Sequence[Delta]:
    return difference(
        facts_of_refund(before, payment) if before else Facts(), facts_of_refund(after, payment)
    )


def dispute_facts(before: Dispute | None, after: Dispute, payment: Payment) -> Sequence[Delta]:
    return difference(
        facts_of_dispute(before, payment) if before else Facts(), facts_of_dispute(after, payment)
    )


def facts_of_payment(payment: Payment) -> Facts:
    """Made when it was asked for, collected when it was completed, failed while its last attempt has failed."""
    facts, traits = Facts(), traits_of(payment)
    facts.add(payment.created_at, traits, Measure.MADE)
    if payment.is_collected and payment.completed_at is not None:
        facts.add(payment.completed_at, traits, Measure.COMPLETED)
        facts.add(payment.completed_at, traits, Measure.GROSS, payment.captured_amount)
    for failure in payment.failed_attempts:
        facts.add(failure.at, _traits_of_failure(failure, traits), Measure.DECLINED)
    failed_at = _failed_at(payment)
    if failed_at is not None:
        facts.add(failed_at, traits, Measure.FAILED)
    return facts


def facts_of_refund(refund: Refund, payment: Payment) -> Facts:
    """One that its bank returned was never one."""
    facts = Facts()
    if refund.status is RefundStatus.SUCCEEDED and refund.succeeded_at is not None:
        traits = replace(traits_of(payment), currency=refund.currency)
        facts.add(refund.succeeded_at, traits, Measure.REFUNDED, refund.amount)
    return facts


def facts_of_dispute(dispute: Dispute, payment: Payment) -> Facts:
    """When it was opened, whenever it was decided; its money is withheld unless it was won."""
    facts = Facts()
    traits = replace(traits_of(payment), currency=dispute.currency)
    if dispute.status in TOOK_MONEY:
        facts.add(dispute.created_at, traits, Measure.DISPUTED)
    if dispute.holds_money:
        facts.add(dispute.created_at, traits, Measure.WITHHELD, dispute.amount)
    return facts


def traits_of(payment: Payment) -> Traits:
    return Traits(
        livemode=payment.livemode,
        currency=payment.currency,
        plan_id=payment.plan_id,
        brand=payment.method_brand,
        country=payment.method_country,
        trigger=payment.trigger,
    )


def _traits_of_failure(failure: PaymentFailure, traits: Traits) -> Traits:
    """The card and the reason of that attempt, which are not those of the last one."""
    return replace(
        traits,
        brand=failure.brand,
        country=failure.country,
        trigger=failure.trigger,
        decline_category=failure.decline.category,
    )


def _failed_at(payment: Payment) -> datetime | None:
    attempts = payment.failed_attempts
    return attempts[-1].at if payment.status is PaymentStatus.FAILED and attempts else None
