"""Stripe's refunds and disputes in our words."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from domain.dispute import DisputeFacts, DisputeStatus
from domain.evidence import LONGEST
from domain.outcome import FoundPayment
from domain.payment_status import SyncSource
from domain.refund import RefundFacts, RefundReason, RefundStatus
from processor.stripe_shapes import Shape, expanded, identity, our_id, outcome_of_intent, text

REFUND_STATUS: Final = {
    "succeeded": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.CANCELLED,
}
"""All others, and any to come, wait for something."""
REFUND_REASON: Final = {
    "duplicate": RefundReason.DUPLICATE,
    "fraudulent": RefundReason.FRAUDULENT,
    "requested_by_customer": RefundReason.CUSTOMER_REQUEST,
}
EXPIRED: Final = "expired_uncaptured_charge"

DISPUTE_STATUS: Final = {
    "needs_response": DisputeStatus.NEEDS_RESPONSE,
    "under_review": DisputeStatus.UNDER_REVIEW,
    "appeal_needs_response": DisputeStatus.NEEDS_RESPONSE,
    "appeal_under_review": DisputeStatus.UNDER_REVIEW,
    "won": DisputeStatus.WON,
    "lost": DisputeStatus.LOST,
    "prevented": DisputeStatus.PREVENTED,
    "warning_closed": DisputeStatus.CLOSED,
}
INQUIRY: Final = "warning_"
AWAITS_ANSWER: Final = frozenset({"needs_response", "warning_needs_response"})


def refund_facts(
    refund: Shape, *, source: SyncSource = SyncSource.API_CALL, event_id: str | None = None
) -> RefundFacts:
    """https://docs.stripe.com/api/refunds/object"""
    return RefundFacts(
        refund_id=our_id(refund, "refund_id"),
        processor_refund_id=refund["id"],
        processor_payment_id=identity(refund.get("payment_intent")) or "",
        charge_id=identity(refund.get("charge")),
        status=REFUND_STATUS.get(refund.get("status") or "", RefundStatus.PENDING),
        amount=refund["amount"],
        currency=refund["currency"].upper(),
        reason=REFUND_REASON.get(refund.get("reason") or "", RefundReason.OTHER),
        failure_reason=text(refund.get("failure_reason")),
        source=source,
        event_id=event_id,
    )


def is_release(refund: Shape) -> bool:
    """
    Whether this gives back what was only authorised, for which Stripe makes refunds too.

    Such a one has moved no money, and comes when an authorisation ends without a capture, or as the rest that a
    capture of less leaves over. Its charge is expanded.
    """
    if our_id(refund, "refund_id"):
        return False
    charge = expanded(refund.get("charge"))
    if refund.get("reason") == EXPIRED or charge.get("captured") is False:
        return True
    left_over = (charge.get("amount") or 0) - (charge.get("amount_captured") or 0)
    is_rest = 0 < left_over == refund["amount"]
    return is_rest and refund.get("status") == "succeeded" and refund.get("balance_transaction") is None


def dispute_facts(dispute: Shape) -> DisputeFacts:
    """https://docs.stripe.com/api/disputes/object"""
    details = dispute.get("evidence_details") or {}
    due_by = details.get("due_by")
    is_submitted = bool(details.get("submission_count"))
    return DisputeFacts(
        processor_dispute_id=dispute["id"],
        status=_dispute_status(dispute),
        amount=dispute["amount"],
        currency=dispute["currency"].upper(),
        reason=text(dispute.get("reason")) or "general",
        evidence_due_by=datetime.fromtimestamp(due_by, UTC) if due_by else None,
        evidence=_texts(dispute.get("evidence") or {}),
        is_answered=is_submitted and dispute["status"] not in AWAITS_ANSWER,
    )


def found_payment(intent: Shape) -> FoundPayment:
    return FoundPayment(payment_id=our_id(intent, "payment_id"), outcome=outcome_of_intent(intent))


def _dispute_status(dispute: Shape) -> DisputeStatus:
    """
    https://docs.stripe.com/disputes/how-disputes-work

    An unknown status counts as one in which the bank has the money. So does prevention where it took some.
    """
    told = dispute["status"]
    if told == "prevented" and _taken(dispute) < 0:
        return DisputeStatus.LOST
    usual = DisputeStatus.INQUIRY if told.startswith(INQUIRY) else DisputeStatus.UNDER_REVIEW
    return DISPUTE_STATUS.get(told, usual)


def _taken(dispute: Shape) -> int:
    """What the dispute has done to our balance so far, without fees."""
    return sum(booked.get("amount") or 0 for booked in dispute.get("balance_transactions") or ())


def _texts(evidence: Shape) -> Mapping[str, str]:
    named = {name: text(evidence.get(name)) for name in LONGEST}
    return {name: written for name, written in named.items() if written}
