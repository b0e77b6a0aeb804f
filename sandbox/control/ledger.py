"""The referee's view: what was really captured, refunded and disputed, per payment intent and in total."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from sandbox.state.objects import Objects, StripeObject

ByIntent = dict[str, list[dict[str, Any]]]
UNDONE = ("failed", "canceled")


def ledger(objects: Objects) -> dict[str, Any]:
    """Amounts are in minor units of each intent's currency; totals are per currency."""
    refunded = Counter[str]()
    for charge in objects.all("charge"):
        if charge["captured"]:
            refunded[charge["payment_intent"]] += charge["amount_refunded"]
    refunds = _by_intent((refund["payment_intent"], _refund(refund)) for refund in objects.all("refund"))
    disputes = _by_intent(
        (dispute["payment_intent"], _dispute(dispute)) for dispute in objects.all("dispute")
    )
    entries = [
        {
            **_entry(intent, refunded[intent["id"]]),
            "refunds": refunds[intent["id"]],
            "disputes": disputes[intent["id"]],
        }
        for intent in objects.all("payment_intent")
    ]
    return {"payment_intents": entries, "totals": _totals(entries)}


def _entry(intent: StripeObject, refunded: int) -> dict[str, Any]:
    return {
        "id": intent["id"],
        "status": intent["status"],
        "metadata": intent["metadata"],
        "customer": intent["customer"],
        "invoice": intent.get("_invoice"),
        "idempotency_keys": intent["_keys"],
        "currency": intent["currency"],
        "amount": intent["amount"],
        "amount_captured": intent["amount_received"],
        "captures": intent["_captures"],
        "amount_refunded": refunded,
    }


def _refund(refund: StripeObject) -> dict[str, Any]:
    return {
        "id": refund["id"],
        "amount": refund["amount"],
        "status": refund["status"],
        "metadata": refund["metadata"],
        "idempotency_keys": refund["_keys"],
    }


def _dispute(dispute: StripeObject) -> dict[str, Any]:
    """`balance` is what the dispute did to the merchant's balance so far, Stripe's fee included."""
    return {
        "id": dispute["id"],
        "amount": dispute["amount"],
        "status": dispute["status"],
        "reason": dispute["reason"],
        "balance": sum(transaction["net"] for transaction in dispute["balance_transactions"]),
    }


def _by_intent(things: Iterable[tuple[str, dict[str, Any]]]) -> ByIntent:
    found: ByIntent = defaultdict(list)
    for intent, thing in things:
        found[intent].append(thing)
    return found


def _totals(entries: list[dict[str, Any]]) -> dict[str, Any]:
    """`refunds` counts those that hold: neither failed nor cancelled."""
    captured, refunded = Counter[str](), Counter[str]()
    for entry in entries:
        captured[entry["currency"]] += entry["amount_captured"]
        refunded[entry["currency"]] += entry["amount_refunded"]
    refunds = [refund for entry in entries for refund in entry["refunds"]]
    return {
        "payment_intents": len(entries),
        "captures": sum(entry["captures"] for entry in entries),
        "refunds": sum(refund["status"] not in UNDONE for refund in refunds),
        "disputes": sum(len(entry["disputes"]) for entry in entries),
        "amount_captured": dict(captured),
        "amount_refunded": dict(refunded),
    }
