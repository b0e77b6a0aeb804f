"""The referee's view: what was really captured, per payment intent and in total."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from sandbox.state.objects import Objects, StripeObject


def ledger(objects: Objects) -> dict[str, Any]:
    """Amounts are in minor units of each intent's currency; totals are per currency."""
    refunded = Counter[str]()
    for charge in objects.all("charge"):
        if charge["captured"]:
            refunded[charge["payment_intent"]] += charge["amount_refunded"]
    entries = [_entry(intent, refunded[intent["id"]]) for intent in objects.all("payment_intent")]
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


def _totals(entries: Iterable[dict[str, Any]]) -> dict[str, Any]:
    captured, refunded = Counter[str](), Counter[str]()
    captures = intents = 0
    for entry in entries:
        captured[entry["currency"]] += entry["amount_captured"]
        refunded[entry["currency"]] += entry["amount_refunded"]
        captures += entry["captures"]
        intents += 1
    return {
        "payment_intents": intents,
        "captures": captures,
        "amount_captured": dict(captured),
        "amount_refunded": dict(refunded),
    }
