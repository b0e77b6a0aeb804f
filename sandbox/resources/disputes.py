"""
Disputes (https://docs.stripe.com/disputes): a cardholder's bank asks, takes the money, and decides.

inquiry     warning_needs_response → warning_under_review → warning_closed, or a chargeback
chargeback  needs_response → under_review → won | lost, and a bank may change its mind

A bank has the money while a chargeback is open or lost.
"""

from datetime import UTC, datetime, time, timedelta
from typing import Any

from sandbox.api.endpoint import Call
from sandbox.api.errors import UnexpectedState
from sandbox.cards.claims import Claim
from sandbox.resources import balance_transactions, refunds, wallets
from sandbox.resources.evidence import NO_EVIDENCE
from sandbox.state.ids import new_id
from sandbox.state.objects import StripeObject

AWAITING = ("needs_response", "warning_needs_response")
INQUIRY = ("warning_needs_response", "warning_under_review", "warning_closed")
TAKEN = ("needs_response", "under_review", "lost")
CLOSED = ("won", "lost", "warning_closed")
STATUSES = ("needs_response", "under_review", "won", "lost", *INQUIRY)

RESPONSE_DAYS = 8
INQUIRY_LASTS = 120 * 86_400


def follow(call: Call, charge: StripeObject) -> StripeObject:
    """Let the claim of a test card follow its captured charge; the charge as it then is."""
    method = call.named("payment_method", charge["payment_method"], param="payment_method")
    claim = wallets.card_of(method).claim
    if claim is None:
        return charge
    open_(call, charge, claim)
    return call.named("charge", charge["id"], param="charge")


def open_(call: Call, charge: StripeObject, claim: Claim, *, amount: int | None = None) -> StripeObject:
    """
    Dispute a captured charge: all that was not refunded of it, or an amount in minor units of its currency.

    A chargeback takes the money at once, and refunds that were still pending fail.
    """
    if not charge["captured"]:
        raise UnexpectedState(f"The charge {charge['id']} was not captured, so nobody can dispute it.")
    if amount is not None and amount > charge["amount_captured"]:
        raise UnexpectedState("More than was captured cannot be disputed.", param="amount")
    dispute = _new(call, charge, claim, amount or _undisputed(charge))
    if not claim.is_inquiry:
        _stop_refunds(call, dispute)
        dispute["balance_transactions"] = [balance_transactions.withdraw(call, dispute)]
    call.objects.insert(dispute)
    disputed = call.named("charge", charge["id"], param="charge")
    call.objects.save({**disputed, "disputed": True})
    call.emit("charge.dispute.created", dispute)
    if not claim.is_inquiry:
        call.emit("charge.dispute.funds_withdrawn", dispute)
    return dispute


def submit(call: Call, dispute: StripeObject, *, before: StripeObject) -> StripeObject:
    """
    Hand the evidence to the bank.

    Stripe's test evidence decides right afterwards: the answer still says that it is under review.
    """
    earlier = before["evidence_details"]["submission_count"]
    details = {
        **dispute["evidence_details"],
        "submission_count": earlier + 1,
        "submission_method": "manual",
    }
    status = "warning_under_review" if dispute["status"] in INQUIRY else "under_review"
    submitted = {**dispute, "status": status, "evidence_details": details}
    call.objects.save(submitted)
    call.emit("charge.dispute.updated", submitted, before=before)
    verdict = _verdict(submitted)
    if verdict is not None:
        move(call, submitted, verdict)
    return submitted


def move(call: Call, dispute: StripeObject, status: str) -> StripeObject:
    """
    Bring a dispute into any status that its bank could decide on, back and forth; the money follows.

    An inquiry may become a chargeback, and never the other way round.
    """
    if status not in STATUSES:
        raise UnexpectedState(f"A dispute is never {status}, but one of {', '.join(STATUSES)}.")
    if status == dispute["status"]:
        return dispute
    if status in INQUIRY and dispute["status"] not in INQUIRY:
        raise UnexpectedState(f"A chargeback cannot become an inquiry, so not {status} either.")
    moved = {**dispute, "status": status, "is_charge_refundable": status not in TAKEN}
    if dispute["status"] in INQUIRY and status not in INQUIRY:
        moved |= _as_chargeback(call, dispute)
    moved, event = _with_money(call, moved)
    call.objects.save(moved)
    if event is not None:
        call.emit(event, moved)
    call.emit(f"charge.dispute.{'closed' if status in CLOSED else 'updated'}", moved, before=dispute)
    return moved


def pass_deadlines(call: Call) -> None:
    """What the passing of time does: unanswered chargebacks are lost, and inquiries come to nothing."""
    now = call.clock.now()
    for dispute in call.objects.all("dispute"):
        if dispute["status"] == "needs_response" and is_late(call, dispute):
            move(call, dispute, "lost")
        elif dispute["status"] in INQUIRY and dispute["created"] + INQUIRY_LASTS < now:
            move(call, dispute, "warning_closed")


def is_late(call: Call, dispute: StripeObject) -> bool:
    return bool(dispute["evidence_details"]["due_by"] < call.clock.now())


def _undisputed(charge: StripeObject) -> int:
    """What the merchant still has of a charge; the whole of it if everything was refunded."""
    return int(charge["amount_captured"] - charge["amount_refunded"] or charge["amount_captured"])


def _verdict(dispute: StripeObject) -> str | None:
    """What a text decides in test mode (https://docs.stripe.com/testing#evidence)."""
    is_inquiry = dispute["status"] in INQUIRY
    match dispute["evidence"]["uncategorized_text"]:
        case "winning_evidence":
            return "warning_closed" if is_inquiry else "won"
        case "losing_evidence":
            return "warning_closed" if is_inquiry else "lost"
        case "escalate_inquiry_evidence" if is_inquiry:
            return "needs_response"
    return None


def _with_money(call: Call, dispute: StripeObject) -> tuple[StripeObject, str | None]:
    """The dispute with the booking that its status asks for, and the event that tells of it."""
    booked = dispute["balance_transactions"]
    is_taken = sum(transaction["amount"] for transaction in booked) < 0
    if dispute["status"] in TAKEN and not is_taken:
        _stop_refunds(call, dispute)
        taken = balance_transactions.withdraw(call, dispute)
        return {**dispute, "balance_transactions": [*booked, taken]}, "charge.dispute.funds_withdrawn"
    if dispute["status"] not in TAKEN and is_taken:
        given = balance_transactions.reinstate(call, dispute)
        return {**dispute, "balance_transactions": [*booked, given]}, "charge.dispute.funds_reinstated"
    return dispute, None


def _stop_refunds(call: Call, dispute: StripeObject) -> None:
    for refund in call.objects.of_payment("refund", dispute["payment_intent"]):
        if refund["status"] == "pending":
            refunds.decide(call, refund, "failed", failure_reason="charge_for_pending_refund_disputed")


def _as_chargeback(call: Call, dispute: StripeObject) -> StripeObject:
    """What changes when an inquiry is escalated, beside its status; there is time anew to answer."""
    brand = dispute["payment_method_details"]["card"]["brand"]
    details = {**dispute["evidence_details"], "due_by": _due_by(call)}
    return {
        "evidence_details": details,
        "payment_method_details": _method_details(brand, Claim(reason=dispute["reason"])),
    }


def _method_details(brand: str, claim: Claim) -> dict[str, Any]:
    card = {
        "brand": brand,
        "case_type": "inquiry" if claim.is_inquiry else "chargeback",
        "network": brand,
        "network_reason_code": claim.network_code(brand),
    }
    return {"card": card, "type": "card"}


def _due_by(call: Call) -> int:
    """The end of a day (UTC), as in Stripe's test mode."""
    day = datetime.fromtimestamp(call.clock.now(), UTC).date() + timedelta(days=RESPONSE_DAYS)
    return int(datetime.combine(day, time(23, 59, 59), UTC).timestamp())


def _new(call: Call, charge: StripeObject, claim: Claim, amount: int) -> StripeObject:
    return {
        "id": new_id("du"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": call.clock.now(),
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": dict(NO_EVIDENCE),
        "evidence_details": {
            "due_by": _due_by(call),
            "enhanced_eligibility": {},
            "has_evidence": False,
            # Only evidence that arrived late makes this true, and the sandbox takes none that is late.
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "is_charge_refundable": claim.is_inquiry,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": _method_details(charge["payment_method_details"]["card"]["brand"], claim),
        "reason": claim.reason,
        "status": "warning_needs_response" if claim.is_inquiry else "needs_response",
    }
