"""Charges (https://docs.stripe.com/api/charges): what payment intents make when they reach the card."""

from typing import Any

from sandbox.api.endpoint import Call, Endpoint, Resource
from sandbox.api.listing import DATED_PAGE, listed
from sandbox.api.params import Choice, Email, Hash, Metadata, Text, settled
from sandbox.cards import shapes
from sandbox.cards.declines import Decline
from sandbox.resources import balance_transactions, wallets
from sandbox.resources.common import SHIPPING, changed, shipping
from sandbox.state.ids import new_id, new_token
from sandbox.state.objects import StripeObject

AUTHORIZATION_LASTS = 7 * 86_400
DESCRIPTOR = "SANDBOX"


def approve(
    call: Call, intent: StripeObject, method: StripeObject, *, is_authenticated: bool
) -> StripeObject:
    """Authorise the amount, and capture it unless the intent says that this is done by hand."""
    by_hand = intent["capture_method"] == "manual"
    charge = _new(call, intent, method, None, is_authenticated=is_authenticated, holds=by_hand)
    receipt = f"{call.base_url}/receipts/{charge['id']}/{new_token()}"
    charge |= {"paid": True, "status": "succeeded", "receipt_url": receipt}
    if not by_hand:
        charge |= {"captured": True, "amount_captured": intent["amount"]}
    if intent["capture_method"] == "automatic":
        charge["balance_transaction"] = balance_transactions.record(call, charge)
    call.objects.insert(charge)
    call.emit("charge.succeeded", charge)
    return charge


def refuse(call: Call, intent: StripeObject, method: StripeObject, decline: Decline) -> StripeObject:
    charge = _new(call, intent, method, decline, is_authenticated=False, holds=False)
    charge |= {"failure_code": decline.code, "failure_message": decline.message}
    call.objects.insert(charge)
    call.emit("charge.failed", charge)
    return charge


def capture(call: Call, charge_id: str, amount: int, *, books_at_once: bool) -> StripeObject:
    """Take `amount` of what was authorised; the rest is released."""
    charge = call.named("charge", charge_id, param="id")
    captured = {**charge, "captured": True, "amount_captured": amount}
    if books_at_once:
        captured["balance_transaction"] = balance_transactions.record(call, captured)
    call.objects.save(captured)
    call.emit("charge.captured", captured, before=charge)
    return captured


def book(call: Call, charge: StripeObject) -> None:
    """Under asynchronous capture the balance transaction follows in an event of its own."""
    booked = {**charge, "balance_transaction": balance_transactions.record(call, charge)}
    call.objects.save(booked)
    call.emit("charge.updated", booked, before=charge)


def expire(call: Call, charge_id: str) -> None:
    """Tell that an authorisation ran out; as nothing was captured, nothing counts as refunded."""
    call.emit("charge.expired", call.named("charge", charge_id, param="id"))


def retrieve(call: Call) -> StripeObject:
    return call.target("charge")


def update(call: Call) -> StripeObject:
    charge = call.target("charge")
    updated = changed(charge, call.params, ("description", "receipt_email", "transfer_group"))
    if "shipping" in call.params:
        updated["shipping"] = shipping(call.params["shipping"])
    if "fraud_details" in call.params:
        report = call.params["fraud_details"]["user_report"]
        updated["fraud_details"] = {"user_report": report} if report else {}
    call.objects.save(updated)
    if updated != charge:
        call.emit("charge.updated", updated, before=charge)
    return updated


def list_(call: Call) -> StripeObject:
    return listed(call, "charge", "/v1/charges", "customer", "payment_intent")


def _new(
    call: Call,
    intent: StripeObject,
    method: StripeObject,
    decline: Decline | None,
    *,
    is_authenticated: bool,
    holds: bool,
) -> StripeObject:
    card, id_, now = wallets.card_of(method), new_id("ch"), call.clock.now()
    suffix = intent["statement_descriptor_suffix"]
    shown_card = shapes.in_charge(
        card,
        method,
        amount=intent["amount"],
        is_authenticated=is_authenticated,
        capture_before=now + AUTHORIZATION_LASTS if holds else None,
    )
    return {
        "id": id_,
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "balance_transaction": None,
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": f"{DESCRIPTOR}* {suffix}" if suffix else DESCRIPTOR,
        "captured": False,
        "created": now,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "outcome": shapes.outcome(card, decline),
        "paid": False,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": {"card": shown_card, "type": "card"},
        "receipt_email": intent["receipt_email"],
        "receipt_url": None,
        "refunded": False,
        "shipping": intent["shipping"],
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": suffix,
        "status": "failed",
        "transfer_group": intent["transfer_group"],
        **NEVER_SET,
    }


# Fields of products the sandbox has not (Connect, Radar reviews, legacy sources): always there, always null.
NEVER_SET: dict[str, Any] = dict.fromkeys(
    (
        "application",
        "application_fee",
        "application_fee_amount",
        "failure_balance_transaction",
        "on_behalf_of",
        "receipt_number",
        "review",
        "source",
        "source_transfer",
        "transfer_data",
    )
)

RESOURCE = Resource(
    name="charge",
    expandable={
        "balance_transaction": "balance_transaction",
        "customer": "customer",
        "payment_intent": "payment_intent",
        "payment_method": "payment_method",
    },
    endpoints=(
        Endpoint(method="GET", path="/v1/charges/{id}", handler=retrieve, answers="charge"),
        Endpoint(
            method="POST",
            path="/v1/charges/{id}",
            handler=update,
            answers="charge",
            params={
                "description": Text(),
                "fraud_details": Hash(
                    fields={"user_report": Choice(of=("fraudulent", "safe"), required=True, clears=True)}
                ),
                "metadata": Metadata(),
                "receipt_email": Email(),
                "shipping": settled(SHIPPING),
                "transfer_group": Text(),
            },
        ),
        Endpoint(
            method="GET",
            path="/v1/charges",
            handler=list_,
            answers="charge",
            is_list=True,
            params={**DATED_PAGE, "customer": Text(), "payment_intent": Text()},
        ),
    ),
)
