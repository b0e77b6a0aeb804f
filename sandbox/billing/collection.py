"""How invoices get paid: an ordinary payment intent each, attempts, and what follows from them."""

from dataclasses import dataclass, replace
from typing import Any, Literal

from sandbox.api.endpoint import Call, Handler
from sandbox.api.errors import CardError
from sandbox.billing import dunning, invoices, outcomes
from sandbox.billing.subscriptions import method_of
from sandbox.resources import payment_attempts, payment_intents
from sandbox.state.ids import new_id
from sandbox.state.objects import StripeObject

DESCRIPTIONS = {
    "subscription_create": "Subscription creation",
    "subscription_cycle": "Subscription update",
    "subscription_update": "Subscription update",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The invoice after an attempt, and why it was not paid: a decline, no card, or else an action is needed."""

    invoice: StripeObject
    decline: CardError | None = None
    lacks_method: bool = False

    @property
    def is_paid(self) -> bool:
        return bool(self.invoice["status"] == "paid")


def finalize(call: Call, invoice: StripeObject) -> StripeObject:
    """Make an invoice final: with nothing to pay it is paid, and else a payment intent waits for its money."""
    final = invoices.finalize(call, invoice)
    if final["amount_due"] > 0:
        return open_payment(call, final)
    paid = invoices.mark_paid(call, final)
    outcomes.paid(call, paid)
    return paid


def collect(call: Call, invoice: StripeObject, *, off_session: bool) -> Attempt:
    """Finalise an invoice, and attempt at once to get it paid."""
    final = finalize(call, invoice)
    return (
        Attempt(invoice=final) if final["status"] == "paid" else attempt(call, final, off_session=off_session)
    )


def attempt(
    call: Call, invoice: StripeObject, *, off_session: bool, method: StripeObject | None = None
) -> Attempt:
    """Charge the invoice to a card, or else to the one that the subscription pays with."""
    subscription = call.named("subscription", invoices.subscription_of(invoice), param="subscription")
    method = method or method_of(call, subscription)
    if method is None:
        return Attempt(invoice=_failed(call, invoice, None), lacks_method=True)
    intent = {**intent_of(call, invoice), "payment_method": method["id"]}
    try:
        tried, decline = payment_attempts.confirm(call, intent, {"off_session": off_session}), None
    except CardError as error:
        tried, decline = call.named("payment_intent", intent["id"], param="payment_intent"), error
    return Attempt(invoice=follow(call, tried), decline=decline)


def follow(call: Call, intent: StripeObject) -> StripeObject:
    """Take over into its invoice how the payment of an intent went; the invoice comes back."""
    invoice = call.named("invoice", intent["_invoice"], param="invoice")
    if invoice["status"] not in ("open", "uncollectible"):
        return invoice
    match intent["status"]:
        case "succeeded":
            return _paid(call, invoice)
        case "requires_action":
            return _must_act(call, invoice)
        case "requires_payment_method" if intent["last_payment_error"]:
            return _failed(call, invoice, intent["last_payment_error"])
    return invoice


def action_needed(kind: Literal["invoice", "subscription"]) -> CardError:
    return CardError(
        "The payment needs an action of the cardholder before it can be made.",
        code=f"{kind}_payment_intent_requires_action",
    )


def following(handler: Handler) -> Handler:
    """A handler of payment intents whose outcome, a decline included, reaches the invoice that is paid with it."""

    def handle(call: Call) -> StripeObject:
        try:
            intent = handler(call)
        except CardError:
            follow_up(call, call.target("payment_intent"))
            raise
        follow_up(call, intent)
        return intent

    return handle


def follow_up(call: Call, intent: StripeObject) -> None:
    if "_invoice" in intent:
        follow(call, intent)


def intent_of(call: Call, invoice: StripeObject) -> StripeObject:
    """The payment intent of an open invoice; a new one if somebody has cancelled it."""
    payment, intent = _payment_of(call, invoice)
    if intent["status"] != "canceled":
        return intent
    _close(call, payment)
    return intent_of(call, open_payment(call, invoice))


def void(call: Call, invoice: StripeObject) -> StripeObject:
    """Void an open invoice, so that nobody can pay it any more."""
    payment, intent = _payment_of(call, invoice)
    if intent["status"] in payment_intents.CANCELABLE:
        canceling = {"cancellation_reason": "void_invoice"}
        payment_intents.cancel(replace(call, path_ids=(intent["id"],), params=canceling))
    _close(call, payment)
    return invoices.void(call, invoice)


def open_payment(call: Call, invoice: StripeObject) -> StripeObject:
    """Give the invoice a payment intent, which has no card yet."""
    params: dict[str, Any] = {
        "amount": invoice["amount_due"],
        "currency": invoice["currency"],
        "customer": invoice["customer"],
        "description": DESCRIPTIONS[invoice["billing_reason"]],
        "allowed_payment_method_types": ["card"],
        "capture_method": "automatic",
    }
    subscription = call.named("subscription", invoices.subscription_of(invoice), param="subscription")
    if options := subscription["payment_settings"]["payment_method_options"]:
        params["payment_method_options"] = options
    if invoice["billing_reason"] != "subscription_cycle":
        params["setup_future_usage"] = "off_session"
    intent = payment_intents.create(replace(call, params=params))
    call.objects.save({**intent, "_invoice": invoice["id"]})
    payment = _payment(call, invoice, intent)
    call.objects.insert(payment)
    opened = {
        **invoice,
        "_confirmation_secret": {"client_secret": intent["client_secret"], "type": "payment_intent"},
        "_payments": {**invoice["_payments"], "data": [*invoice["_payments"]["data"], payment["id"]]},
    }
    call.objects.save(opened)
    return opened


def propose(call: Call, invoice: StripeObject, method: StripeObject | None) -> None:
    """Let the intent of an invoice know its card, and wait for the payer to confirm it."""
    if method is not None:
        intent = intent_of(call, invoice)
        call.objects.save({**intent, "payment_method": method["id"], "status": "requires_confirmation"})


def _payment_of(call: Call, invoice: StripeObject) -> tuple[StripeObject, StripeObject]:
    """The latest payment of an invoice that is or was open, and its intent."""
    payment = call.named("invoice_payment", invoice["_payments"]["data"][-1], param="invoice_payment")
    intent = call.named("payment_intent", payment["payment"]["payment_intent"], param="payment_intent")
    return payment, intent


def _close(call: Call, payment: StripeObject) -> None:
    transitions = {**payment["status_transitions"], "canceled_at": call.clock.now()}
    call.objects.save({**payment, "status": "canceled", "status_transitions": transitions})


def _paid(call: Call, invoice: StripeObject) -> StripeObject:
    tried = {**invoice, "attempt_count": invoice["attempt_count"] + 1}
    paid = invoices.mark_paid(call, tried)
    payment, _ = _payment_of(call, invoice)
    settled = {
        **payment,
        "amount_paid": invoice["amount_due"],
        "status": "paid",
        "status_transitions": {**payment["status_transitions"], "paid_at": call.clock.now()},
    }
    call.objects.save(settled)
    call.emit("invoice_payment.paid", settled)
    outcomes.paid(call, paid)
    return paid


def _must_act(call: Call, invoice: StripeObject) -> StripeObject:
    waiting = invoices.keep(call, invoice, _in_vain(call, invoice, None))
    call.emit("invoice.payment_action_required", waiting)
    outcomes.failed(call, waiting)
    return waiting


def _failed(call: Call, invoice: StripeObject, error: StripeObject | None) -> StripeObject:
    failed = invoices.keep(call, invoice, _in_vain(call, invoice, error))
    call.emit("invoice.payment_failed", failed)
    if error is not None and error["code"] == "authentication_required":
        call.emit("invoice.payment_action_required", failed)
    outcomes.failed(call, failed)
    return failed


def _in_vain(call: Call, invoice: StripeObject, error: StripeObject | None) -> StripeObject:
    """The invoice with one more attempt that brought no money."""
    planned = dunning.after_failure(call, invoice, error)
    return {**planned, "attempt_count": invoice["attempt_count"] + 1, "attempted": True}


def _payment(call: Call, invoice: StripeObject, intent: StripeObject) -> StripeObject:
    return {
        "id": new_id("inpay"),
        "object": "invoice_payment",
        "amount_paid": None,
        "amount_requested": invoice["amount_due"],
        "created": call.clock.now(),
        "currency": invoice["currency"],
        "invoice": invoice["id"],
        "is_default": True,
        "livemode": False,
        "payment": {"payment_intent": intent["id"], "type": "payment_intent"},
        "status": "open",
        "status_transitions": {"canceled_at": None, "paid_at": None},
    }
