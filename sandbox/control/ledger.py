"""
The referee's view: what was really captured, refunded, disputed and subscribed to, and how it was asked for.
GET /_sandbox/ledger answers:

    {"payment_intents": [{"id", "status", "metadata", "customer", "invoice", "idempotency_keys", "currency", "amount",
                          "amount_captured", "captures", "amount_refunded",
                          "refunds": [{"id", "amount", "status", "metadata", "idempotency_keys"}],
                          "disputes": [{"id", "amount", "status", "reason", "balance"}]}],
     "subscriptions": [{"id", "status", "is_live", "customer", "metadata", "idempotency_keys",
                        "invoices": [{"id", "status", "amount_paid", "captures"}]}],
     "customers": [{"id", "user_id", "metadata", "idempotency_keys", "live_subscriptions": [ids]}],
     "customers_per_user": {user id: how many},
     "requests": {"posts_without_key", "paths_without_key": {path: how many},
                  "keys_executed", "keys_executed_again": {key: how often}},
     "totals": {…}}

`captures` counts how often money was taken, `idempotency_keys` lists what a payment intent was asked under, and
what other objects were made under. `user_id` is the one in a customer's metadata; deleted customers are not told of.
A subscription is live unless it was cancelled or never begun. `requests` counts all there ever were, refused ones and
those of web pages included. A key is executed again only once it is forgotten, a day of the sandbox's clock later.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.api.idempotency import Answers
from sandbox.billing.subscriptions import ENDED
from sandbox.state.objects import Objects

Entry = dict[str, Any]
UNDONE = ("failed", "canceled")

INTENT = {
    "id": "id",
    "status": "status",
    "metadata": "metadata",
    "customer": "customer",
    "invoice": "_invoice",
    "idempotency_keys": "_keys",
    "currency": "currency",
    "amount": "amount",
    "amount_captured": "amount_received",
    "captures": "_captures",
}
REFUND = {
    "payment_intent": "payment_intent",
    "id": "id",
    "amount": "amount",
    "status": "status",
    "metadata": "metadata",
    "idempotency_keys": "_keys",
}
DISPUTE = {
    "payment_intent": "payment_intent",
    "id": "id",
    "amount": "amount",
    "status": "status",
    "reason": "reason",
    "balance_transactions": "balance_transactions",
}
CHARGE = {"payment_intent": "payment_intent", "captured": "captured", "amount_refunded": "amount_refunded"}
INVOICE = {
    "subscription": "parent.subscription_details.subscription",
    "id": "id",
    "status": "status",
    "amount_paid": "amount_paid",
}
SUBSCRIPTION = {
    "id": "id",
    "status": "status",
    "customer": "customer",
    "metadata": "metadata",
    "idempotency_keys": "_keys",
}
CUSTOMER = {"id": "id", "metadata": "metadata", "idempotency_keys": "_keys"}


def ledger(objects: Objects, answers: Answers) -> dict[str, Any]:
    """Amounts are in minor units of each intent's currency; totals are per currency."""
    intents = _intents(objects)
    subscriptions = _subscriptions(objects, intents)
    customers = _customers(objects, subscriptions)
    requests = _requests(answers)
    return {
        "payment_intents": intents,
        "subscriptions": subscriptions,
        "customers": customers,
        "customers_per_user": dict(
            Counter(each["user_id"] for each in customers if each["user_id"] is not None)
        ),
        "requests": requests,
        "totals": {
            **_totals(intents),
            "subscriptions": len(subscriptions),
            "live_subscriptions": sum(each["is_live"] for each in subscriptions),
            "customers": len(customers),
            "posts_without_key": requests["posts_without_key"],
        },
    }


def _intents(objects: Objects) -> list[Entry]:
    refunded = Counter[str]()
    for charge in _read(objects, "charge", CHARGE):
        if charge["captured"]:
            refunded[charge["payment_intent"]] += charge["amount_refunded"]
    refunds = _grouped(_read(objects, "refund", REFUND), "payment_intent")
    disputes = _grouped(map(_dispute, _read(objects, "dispute", DISPUTE)), "payment_intent")
    return [
        {
            **intent,
            "amount_refunded": refunded[intent["id"]],
            "refunds": refunds[intent["id"]],
            "disputes": disputes[intent["id"]],
        }
        for intent in _read(objects, "payment_intent", INTENT)
    ]


def _dispute(dispute: Entry) -> Entry:
    """`balance` is what the dispute did to the merchant's balance so far, Stripe's fee included."""
    transactions = dispute.pop("balance_transactions")
    return {**dispute, "balance": sum(transaction["net"] for transaction in transactions)}


def _subscriptions(objects: Objects, intents: list[Entry]) -> list[Entry]:
    captures = Counter[str]()
    for intent in intents:
        if intent["invoice"] is not None:
            captures[intent["invoice"]] += intent["captures"]
    invoices = _grouped(
        ({**invoice, "captures": captures[invoice["id"]]} for invoice in _read(objects, "invoice", INVOICE)),
        "subscription",
    )
    return [
        {
            **subscription,
            "is_live": subscription["status"] not in ENDED,
            "invoices": invoices[subscription["id"]],
        }
        for subscription in _read(objects, "subscription", SUBSCRIPTION)
    ]


def _customers(objects: Objects, subscriptions: list[Entry]) -> list[Entry]:
    live = defaultdict[str, list[str]](list)
    for subscription in subscriptions:
        if subscription["is_live"]:
            live[subscription["customer"]].append(subscription["id"])
    return [
        {
            **customer,
            "user_id": customer["metadata"].get("user_id"),
            "live_subscriptions": live[customer["id"]],
        }
        for customer in _read(objects, "customer", CUSTOMER)
    ]


def _requests(answers: Answers) -> dict[str, Any]:
    missing = answers.missing_keys()
    return {
        "posts_without_key": sum(missing.values()),
        "paths_without_key": missing,
        "keys_executed": answers.executed(),
        "keys_executed_again": answers.executed_again(),
    }


def _read(objects: Objects, kind: str, fields: Mapping[str, str]) -> Iterable[Entry]:
    """Every object of a kind by what the ledger calls its fields; those made by an older sandbox have no keys."""
    for values in objects.fields(kind, *fields.values()):
        entry = dict(zip(fields, values, strict=True))
        if "idempotency_keys" in entry:
            entry["idempotency_keys"] = entry["idempotency_keys"] or []
        yield entry


def _grouped(entries: Iterable[Entry], by: str) -> defaultdict[str, list[Entry]]:
    """Entries by the value of a field, which is then no part of them any more."""
    found = defaultdict[str, list[Entry]](list)
    for entry in entries:
        found[entry.pop(by)].append(entry)
    return found


def _totals(intents: list[Entry]) -> dict[str, Any]:
    """`refunds` counts those that hold: neither failed nor cancelled."""
    captured, refunded = Counter[str](), Counter[str]()
    for intent in intents:
        captured[intent["currency"]] += intent["amount_captured"]
        refunded[intent["currency"]] += intent["amount_refunded"]
    refunds = [refund for intent in intents for refund in intent["refunds"]]
    return {
        "payment_intents": len(intents),
        "captures": sum(intent["captures"] for intent in intents),
        "refunds": sum(refund["status"] not in UNDONE for refund in refunds),
        "disputes": sum(len(intent["disputes"]) for intent in intents),
        "amount_captured": dict(captured),
        "amount_refunded": dict(refunded),
    }
