"""How a subscription ends: cancelled by somebody, given up after dunning, or never completed."""

from typing import Any

from sandbox.api.endpoint import Call
from sandbox.billing import changes, collection, invoices, outcomes, schedules
from sandbox.billing.lines import Line
from sandbox.billing.subscriptions import ENDED, living, period_of
from sandbox.state.objects import StripeObject


def cancel(
    call: Call,
    subscription: StripeObject,
    *,
    reason: str | None,
    details: dict[str, Any] | None = None,
    prorate: bool = False,
    invoice_now: bool = False,
) -> StripeObject:
    """End a subscription now. What is open stays to be paid by hand, but nothing is collected by itself any more."""
    if subscription["status"] == "incomplete":
        return expire(call, subscription)
    now = call.clock.now()
    ended = {
        **subscription,
        "status": "canceled",
        "canceled_at": subscription["canceled_at"] or now,
        "ended_at": now,
        "cancellation_details": {**subscription["cancellation_details"], "reason": reason, **(details or {})},
        "pause_collection": None,
        "pending_update": None,
        "_pending": None,
        "_pending_lines": [*subscription["_pending_lines"], *credits_of(subscription, now, prorate=prorate)],
    }
    for invoice in invoices.of_subscription(call, subscription["id"], "draft", "open"):
        if outcomes.waits_for(subscription, invoice):
            collection.void(call, invoice)
        else:
            invoices.stop_collecting(call, invoice)
    if invoice_now and ended["_pending_lines"]:
        ended |= {"latest_invoice": _last_invoice(call, ended), "_pending_lines": []}
    return _end(call, ended)


def credits_of(subscription: StripeObject, at: int, *, prorate: bool) -> list[Line]:
    """What is given back of the running period, where that is wanted and the period was paid for."""
    is_paid_for = prorate and subscription["status"] not in ("trialing", "paused", *ENDED)
    return changes.credit_lines(subscription, at) if is_paid_for else []


def cancel_all_of(call: Call, customer: str) -> None:
    for subscription in living(call, customer):
        cancel(call, subscription, reason="cancellation_requested")


def expire(call: Call, subscription: StripeObject) -> StripeObject:
    """The first invoice was not paid in time, or is no longer wanted."""
    for invoice in invoices.of_subscription(call, subscription["id"], "open"):
        collection.void(call, invoice)
    expired = {**subscription, "status": "incomplete_expired", "ended_at": call.clock.now()}
    call.objects.save(expired)
    call.emit("customer.subscription.updated", expired, before=subscription)
    return expired


def _last_invoice(call: Call, subscription: StripeObject) -> str:
    invoice = invoices.draft(
        call,
        subscription,
        subscription["_pending_lines"],
        reason="subscription_update",
        period=(period_of(subscription)[0], call.clock.now()),
    )
    return str(collection.collect(call, invoice, off_session=True).invoice["id"])


def _end(call: Call, ended: StripeObject) -> StripeObject:
    ended = schedules.cancel_of(call, ended)
    call.objects.save(ended)
    call.emit("customer.subscription.deleted", ended)
    return ended
