"""Invoices as objects: their lines and amounts, the customer's balance, and what may become of them."""

from typing import Any, Literal

from sandbox.api.endpoint import Call
from sandbox.billing import invoice_shape
from sandbox.billing.lines import Line, Period
from sandbox.currencies import SMALLEST
from sandbox.state.ids import new_token
from sandbox.state.objects import Query, StripeObject, visible

Reason = Literal["subscription_create", "subscription_cycle", "subscription_update"]
DRAFT_LASTS = 3_600


def draft(
    call: Call,
    subscription: StripeObject,
    lines: list[Line],
    *,
    reason: Reason,
    period: Period,
    is_dunned: bool = False,
    waits: bool = False,
) -> StripeObject:
    """
    Make an invoice and tell of it. `waits` leaves an hour before it is finalised by itself; `is_dunned` tells
    whether its payment is tried again by itself when it fails.
    """
    invoice = built(call, subscription, lines, reason=reason, period=period)
    finalizes_at = call.clock.now() + DRAFT_LASTS if waits else None
    invoice |= {
        "auto_advance": True,
        "automatically_finalizes_at": finalizes_at,
        "next_payment_attempt": finalizes_at,
        "_is_dunned": is_dunned,
    }
    call.objects.insert(invoice)
    call.emit("invoice.created", invoice)
    return invoice


def built(
    call: Call, subscription: StripeObject, lines: list[Line], *, reason: Reason, period: Period
) -> StripeObject:
    """An invoice that was not made yet: what a preview shows is what `draft` makes."""
    customer = call.named("customer", subscription["customer"], param="customer")
    blank = invoice_shape.blank(call, subscription, customer, lines, reason, period)
    return {**blank, **_amounts(blank, customer["balance"])}


def of_subscription(call: Call, subscription: str, *statuses: str) -> list[StripeObject]:
    """A subscription's invoices that have one of these statuses, oldest first."""
    path = "parent.subscription_details.subscription"
    query = Query(kind="invoice", inside={path: (subscription,), "status": statuses})
    return call.objects.newest(query, older_than=None, limit=1_000)[::-1]


def subscription_of(invoice: StripeObject) -> str:
    return str(invoice["parent"]["subscription_details"]["subscription"])


def keep(call: Call, before: StripeObject, after: StripeObject) -> StripeObject:
    call.objects.save(after)
    if visible(before) != visible(after):
        call.emit("invoice.updated", after, before=before)
    return after


def finalize(call: Call, invoice: StripeObject) -> StripeObject:
    """Give it its number and its pages, settle it with the customer's balance, and make it final."""
    now, token = call.clock.now(), new_token()
    page = f"{call.base_url}/invoices/{invoice['id']}/{token}"
    customer = call.named("customer", invoice["customer"], param="customer")
    amounts = _amounts(invoice, customer["balance"])
    final = {
        **invoice,
        **amounts,
        "auto_advance": amounts["amount_due"] > 0 and invoice["_is_dunned"],
        "automatically_finalizes_at": None,
        "effective_at": now,
        "ending_balance": _left_over(invoice["total"], customer["balance"], invoice["currency"]),
        "hosted_invoice_url": page,
        "invoice_pdf": f"{page}/pdf",
        "number": f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04}",
        "status": "open",
        "status_transitions": {**invoice["status_transitions"], "finalized_at": now},
        "_token": token,
    }
    _rebalance(call, customer, final["ending_balance"], sequence=customer["next_invoice_sequence"] + 1)
    call.objects.save(final)
    call.emit("invoice.finalized", final)
    return final


def mark_paid(call: Call, invoice: StripeObject) -> StripeObject:
    paid = {
        **invoice,
        "amount_paid": invoice["amount_due"],
        "amount_remaining": 0,
        "attempted": True,
        "auto_advance": False,
        "next_payment_attempt": None,
        "status": "paid",
        "status_transitions": {**invoice["status_transitions"], "paid_at": call.clock.now()},
        "_retry_at": None,
    }
    call.objects.save(paid)
    call.emit("invoice.paid", paid)
    call.emit("invoice.payment_succeeded", paid)
    return paid


def void(call: Call, invoice: StripeObject) -> StripeObject:
    """Take an invoice back, and with it what of the customer's balance it had used."""
    voided = _given_up(call, invoice, "void", "voided_at")
    customer = call.named("customer", invoice["customer"], param="customer")
    used = invoice["starting_balance"] - (invoice["ending_balance"] or 0)
    _rebalance(call, customer, customer["balance"] + used)
    call.emit("invoice.voided", voided)
    return voided


def mark_uncollectible(call: Call, invoice: StripeObject, reason: str) -> StripeObject:
    given_up = _given_up(call, invoice, "uncollectible", "marked_uncollectible_at")
    given_up["status_details"] = {"uncollectible": {"reason": reason}}
    call.objects.save(given_up)
    call.emit("invoice.marked_uncollectible", given_up)
    return given_up


def stop_collecting(call: Call, invoice: StripeObject) -> StripeObject:
    """Leave a draft or open invoice to be dealt with by hand."""
    stopped = {
        **invoice,
        "auto_advance": False,
        "automatically_finalizes_at": None,
        "next_payment_attempt": None,
        "_is_dunned": False,
        "_retry_at": None,
    }
    return keep(call, invoice, stopped)


def _given_up(call: Call, invoice: StripeObject, status: str, when: str) -> StripeObject:
    given_up = {
        **invoice,
        "auto_advance": False,
        "next_payment_attempt": None,
        "status": status,
        "status_transitions": {**invoice["status_transitions"], when: call.clock.now()},
        "_retry_at": None,
    }
    call.objects.save(given_up)
    return given_up


def _amounts(invoice: StripeObject, balance: int) -> dict[str, Any]:
    total, currency = invoice["total"], invoice["currency"]
    due = total + balance - _left_over(total, balance, currency)
    return {"amount_due": due, "amount_remaining": due, "starting_balance": balance}


def _left_over(total: int, balance: int, currency: str) -> int:
    """The customer's balance afterwards: credit that was not needed, or a debt too small for a card."""
    owed = total + balance
    return 0 if owed >= SMALLEST.get(currency, 1) else owed


def _rebalance(
    call: Call, customer: StripeObject, balance: int, *, sequence: int | None = None
) -> StripeObject:
    """The number of the next invoice moves on silently, as at Stripe; the balance does not."""
    counted = {**customer, "next_invoice_sequence": sequence or customer["next_invoice_sequence"]}
    updated = {**counted, "balance": balance}
    call.objects.save(updated)
    if balance != customer["balance"]:
        call.emit("customer.updated", updated, before=counted)
    return updated
