"""What a payment means for its subscription: it begins, recovers, resumes, changes as was asked, or falls behind."""

from typing import Any

from sandbox.api.endpoint import Call, Handler
from sandbox.billing import invoices
from sandbox.billing.subscriptions import ENDED, keep
from sandbox.state.objects import StripeObject


def paid(call: Call, invoice: StripeObject) -> None:
    """An invoice was paid, however late and by whatever way."""
    subscription = call.objects.find("subscription", invoices.subscription_of(invoice))
    if subscription is None or subscription["status"] in ENDED:
        return
    paid_up = {**subscription, **_saved_method(call, subscription, invoice)}
    if waits_for(subscription, invoice):
        apply_pending(call, subscription, paid_up)
    elif subscription["status"] in ("incomplete", "past_due", "unpaid"):
        status = subscription["status"] if _is_behind(call, subscription) else "active"
        keep(call, subscription, {**paid_up, "status": status})
    elif subscription.get("_resumed_by") == invoice["id"]:
        resumed(call, subscription, paid_up)
    else:
        keep(call, subscription, paid_up)


def failed(call: Call, invoice: StripeObject) -> None:
    """An attempt to collect an invoice failed, or its payer must do something first."""
    subscription = call.named("subscription", invoices.subscription_of(invoice), param="subscription")
    if subscription["status"] == "active" and not waits_for(subscription, invoice):
        keep(call, subscription, {**subscription, "status": "past_due"})


def resumed(call: Call, before: StripeObject, paid_up: StripeObject) -> StripeObject:
    after = {name: value for name, value in paid_up.items() if name not in ("status_details", "_resumed_by")}
    after["status"] = "active"
    call.objects.save(after)
    call.emit("customer.subscription.resumed", after)
    call.emit("customer.subscription.updated", after, before=before)
    return after


def voided(call: Call, subscription: StripeObject, invoice: StripeObject) -> None:
    """An invoice was taken back, so nothing waits for it any more, and nothing is owed for it."""
    if waits_for(subscription, invoice):
        drop_pending(call, subscription)
    elif subscription["status"] == "incomplete":
        expired = {"status": "incomplete_expired", "ended_at": call.clock.now()}
        keep(call, subscription, {**subscription, **expired})
    elif subscription["status"] == "past_due" and not _is_behind(call, subscription):
        keep(call, subscription, {**subscription, "status": "active"})


def set_up(call: Call, intent: StripeObject) -> None:
    """A card was set up that a subscription on trial has waited for."""
    subscription = call.objects.find("subscription", intent.get("_subscription", ""))
    if subscription is not None and intent["status"] == "succeeded":
        method = subscription["default_payment_method"] or intent["payment_method"]
        done = {**subscription, "pending_setup_intent": None, "default_payment_method": method}
        keep(call, subscription, done)


def settling(handler: Handler) -> Handler:
    """A handler of setup intents whose success reaches the subscription that waits for it."""

    def handle(call: Call) -> StripeObject:
        intent = handler(call)
        set_up(call, intent)
        return intent

    return handle


def hold_pending(call: Call, subscription: StripeObject, expires_at: int) -> StripeObject:
    """Keep a change back until its invoice is paid (https://docs.stripe.com/billing/subscriptions/pending-updates)."""
    changes = subscription["_pending"]["changes"]
    waiting = {
        **subscription,
        "pending_update": {
            "billing_cycle_anchor": changes.get("billing_cycle_anchor"),
            "cancel_at_period_end": None,
            "discount": None,
            "discounts": None,
            "expires_at": expires_at,
            "metadata": None,
            "subscription_items": changes["items"]["data"] if "items" in changes else None,
            "trial_end": changes.get("trial_end"),
            "trial_from_plan": None,
        },
    }
    return keep(call, subscription, waiting)


def apply_pending(call: Call, subscription: StripeObject, paid_up: StripeObject) -> StripeObject:
    """Let a change take place that was paid for: at once, or after it had to wait."""
    after = {**paid_up, **paid_up["_pending"]["changes"], "pending_update": None, "_pending": None}
    if subscription["pending_update"] is None:
        return keep(call, subscription, after)
    call.objects.save(after)
    call.emit("customer.subscription.pending_update_applied", after)
    call.emit("customer.subscription.updated", after, before=subscription)
    return after


def drop_pending(call: Call, subscription: StripeObject) -> StripeObject:
    """Forget a change that nobody paid for; the prorations that its invoice had taken along wait again."""
    lines = [*subscription["_pending"]["lines"], *subscription["_pending_lines"]]
    after = {**subscription, "pending_update": None, "_pending": None, "_pending_lines": lines}
    call.objects.save(after)
    call.emit("customer.subscription.pending_update_expired", after)
    call.emit("customer.subscription.updated", after, before=subscription)
    return after


def waits_for(subscription: StripeObject, invoice: StripeObject) -> bool:
    waiting = subscription.get("_pending")
    return waiting is not None and bool(waiting["invoice"] == invoice["id"])


def _is_behind(call: Call, subscription: StripeObject) -> bool:
    """Whether the latest invoice that is final is still to be paid; older debts do not count."""
    final = invoices.of_subscription(call, subscription["id"], "open", "paid", "uncollectible", "void")
    own = [invoice for invoice in final if not waits_for(subscription, invoice)]
    return bool(own) and bool(own[-1]["status"] == "open")


def _saved_method(call: Call, subscription: StripeObject, invoice: StripeObject) -> dict[str, Any]:
    """The card that paid becomes the subscription's own if it was asked for that."""
    payments = invoice["_payments"]["data"]
    if subscription["payment_settings"]["save_default_payment_method"] == "off" or not payments:
        return {}
    payment = call.named("invoice_payment", payments[-1], param="invoice_payment")
    intent = call.named("payment_intent", payment["payment"]["payment_intent"], param="payment_intent")
    method = call.named("payment_method", intent["payment_method"], param="payment_method")
    return {"default_payment_method": method["id"]} if method["customer"] == subscription["customer"] else {}
