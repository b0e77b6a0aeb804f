"""
Money given back for a charge (https://docs.stripe.com/refunds): made, settled, failed, cancelled.

pending → succeeded | failed | canceled
succeeded → failed, as a bank may send back what it first took
"""

from sandbox.api.endpoint import Call
from sandbox.api.errors import UnexpectedState
from sandbox.cards.catalog import Refunds
from sandbox.currencies import spoken
from sandbox.resources import balance_transactions, wallets
from sandbox.state.ids import new_id
from sandbox.state.objects import StripeObject

SETTLES_AFTER = 3_600
# What becomes of refunds to the cards whose banks take their time.
LATER = {Refunds.LATER: "succeeded", Refunds.NEVER: "failed"}
SUCCESSORS = {"pending": ("succeeded", "failed", "canceled"), "succeeded": ("failed",)}
USUAL_FAILURE = "expired_or_canceled_card"


def charge_of(call: Call, intent: StripeObject) -> StripeObject:
    """The charge of a payment intent that can be refunded; one that has none is refused."""
    charge = intent["latest_charge"] and call.named("charge", intent["latest_charge"], param="charge")
    if not charge or charge["status"] != "succeeded":
        raise UnexpectedState(
            f"This PaymentIntent ({intent['id']}) has no successful charge that could be refunded.",
            param="payment_intent",
        )
    return charge


def make(
    call: Call,
    charge: StripeObject,
    *,
    amount: int | None = None,
    reason: str | None = None,
    metadata: dict[str, str] | None = None,
) -> StripeObject:
    """Give back an amount, in minor units of the charge's currency, or (None) all that is left of it."""
    _require_refundable(call, charge)
    refund = {
        **_new(call, charge, _allowed(call, charge, amount)),
        "metadata": metadata or {},
        "reason": reason,
    }
    if refund["status"] == "succeeded":
        refund["balance_transaction"] = balance_transactions.record_refund(call, refund)
    call.objects.insert(refund)
    call.emit("refund.created", refund)
    call.emit("charge.refunded", _count(call, charge, refund["amount"]), before=charge)
    return refund


def decide(
    call: Call, refund: StripeObject, status: str, *, failure_reason: str = USUAL_FAILURE
) -> StripeObject:
    """Let the bank, or its merchant, settle a refund; what fails or is cancelled can be refunded again."""
    if status not in SUCCESSORS.get(refund["status"], ()):
        raise UnexpectedState(f"A refund that is {refund['status']} cannot become {status}.")
    decided = {**refund, "status": status, "_due": None}
    decided.pop("pending_reason", None)
    if status == "succeeded":
        decided["balance_transaction"] = balance_transactions.record_refund(call, refund)
    else:
        decided |= {"failure_reason": failure_reason, **_undone(call, refund)}
    keep(call, decided, before=refund)
    if status == "failed":
        call.emit("refund.failed", decided)
    return decided


def keep(call: Call, refund: StripeObject, *, before: StripeObject) -> None:
    """Save a changed refund, and tell of it under its old name and its new one, as Stripe does for cards."""
    call.objects.save(refund)
    call.emit("refund.updated", refund, before=before)
    call.emit("charge.refund.updated", refund, before=before)


def settle_due(call: Call) -> None:
    """What the passing of time does: slow banks have taken the money, or have sent it back."""
    for refund in call.objects.all("refund"):
        if refund["_due"] is not None and refund["created"] + SETTLES_AFTER <= call.clock.now():
            decide(call, refund, refund["_due"])


def _require_refundable(call: Call, charge: StripeObject) -> None:
    if charge["status"] != "succeeded":
        raise UnexpectedState(f"The charge {charge['id']} did not succeed, so there is nothing to refund.")
    if not charge["captured"]:
        raise UnexpectedState(
            f"The charge {charge['id']} was not captured. Cancel its PaymentIntent"
            f" ({charge['payment_intent']}) to release the money.",
            param="charge",
        )
    disputes = call.objects.of_payment("dispute", charge["payment_intent"])
    if not all(dispute["is_charge_refundable"] for dispute in disputes):
        raise UnexpectedState(
            f"Charge {charge['id']} was charged back, so it cannot be refunded.", code="charge_disputed"
        )


def _allowed(call: Call, charge: StripeObject, amount: int | None) -> int:
    """The amount to refund. More than what is left is Stripe's own guard's to refuse, if it is on."""
    left: int = charge["amount_captured"] - charge["amount_refunded"]
    if not call.guards.over_refunds:
        return amount or (left if left > 0 else charge["amount_captured"])
    if left <= 0:
        raise UnexpectedState(
            f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded"
        )
    if amount is not None and amount > left:
        asked, rest = spoken(amount, charge["currency"]), spoken(left, charge["currency"])
        raise UnexpectedState(
            f"A refund of {asked} is more than the {rest} that are left of the charge.", param="amount"
        )
    return amount or left


def _new(call: Call, charge: StripeObject, amount: int) -> StripeObject:
    method = call.named("payment_method", charge["payment_method"], param="payment_method")
    refunds = wallets.card_of(method).refunds
    refund = {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": call.clock.now(),
        "currency": charge["currency"],
        "customer": charge["customer"],
        "customer_account": None,
        "destination_details": {
            "card": {
                "reference_status": "pending",
                "reference_type": "acquirer_reference_number",
                "type": "refund",
            },
            "type": "card",
        },
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
        "_due": LATER.get(refunds),
        "_keys": call.origin.keys,
    }
    pending = {"status": "pending", "pending_reason": "processing"}
    return refund | pending if refunds is Refunds.LATER else refund


def _undone(call: Call, refund: StripeObject) -> StripeObject:
    """Take a refund out of its charge, and out of the balance if it was booked there."""
    _count(call, call.named("charge", refund["charge"], param="charge"), -refund["amount"])
    if refund["balance_transaction"] is None:
        return {"failure_balance_transaction": None}
    return {"failure_balance_transaction": balance_transactions.record_refund_failure(call, refund)}


def _count(call: Call, charge: StripeObject, amount: int) -> StripeObject:
    """Save the charge with so much more refunded; a pending refund counts from its beginning."""
    refunded = charge["amount_refunded"] + amount
    counted = {**charge, "amount_refunded": refunded, "refunded": refunded >= charge["amount_captured"]}
    call.objects.save(counted)
    return counted
