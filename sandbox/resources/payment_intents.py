"""Payment intents (https://docs.stripe.com/api/payment_intents)."""

from typing import Any

from sandbox.api.endpoint import Call
from sandbox.api.errors import InvalidRequest
from sandbox.api.listing import listed
from sandbox.api.params import Params
from sandbox.currencies import check_amount, checked_currency
from sandbox.resources import charges, disputes, payment_attempts, wallets
from sandbox.resources.common import automatic_payment_methods, changed, payment_method_types, shipping
from sandbox.resources.payment_attempts import keep, require_status
from sandbox.state.ids import new_id, new_secret
from sandbox.state.objects import StripeObject

CHANGEABLE = ("requires_payment_method", "requires_confirmation")
CANCELABLE = (*CHANGEABLE, "requires_action", "requires_capture", "processing")
PLAIN = (
    "description",
    "receipt_email",
    "setup_future_usage",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
)


def create(call: Call) -> StripeObject:
    intent = _new(call)
    call.objects.insert(intent)
    call.emit("payment_intent.created", intent)
    if call.params.get("confirm"):
        return payment_attempts.confirm(call, intent, call.params)
    if only_confirming := {"error_on_requires_action", "off_session", "return_url"} & call.params.keys():
        raise InvalidRequest("That may only be given with confirm=true.", param=min(only_confirming))
    return keep(call, intent)


def retrieve(call: Call) -> StripeObject:
    return call.target("payment_intent")


def update(call: Call) -> StripeObject:
    intent = call.target("payment_intent")
    if call.params.keys() - {"metadata", "description", "expand"}:
        require_status(intent, CHANGEABLE, "updated")
    return keep(call, _with_settings(call, intent))


def confirm(call: Call) -> StripeObject:
    """Settings that come along are only kept once the status has allowed the confirmation."""
    intent = call.target("payment_intent")
    require_status(intent, payment_attempts.CONFIRMABLE, "confirmed")
    if call.is_publishable and intent["confirmation_method"] == "manual":
        raise InvalidRequest("This PaymentIntent can only be confirmed with a secret key.")
    return payment_attempts.confirm(call, _with_settings(call, intent), call.params)


def capture(call: Call) -> StripeObject:
    intent = call.target("payment_intent")
    require_status(intent, ("requires_capture",), "captured")
    amount: int = call.params.get("amount_to_capture") or intent["amount_capturable"]
    if amount > intent["amount_capturable"]:
        raise InvalidRequest(
            f"{amount} was asked for, but only {intent['amount_capturable']} can be captured.",
            code="amount_too_large",
            param="amount_to_capture",
        )
    if call.params.get("final_capture") is False:
        raise InvalidRequest("This payment can be captured only once.", param="final_capture")
    disputes.follow(call, charges.capture(call, intent["latest_charge"], amount, books_at_once=True))
    paid = keep(
        call,
        {
            **changed(intent, call.params, ("statement_descriptor", "statement_descriptor_suffix")),
            "status": "succeeded",
            "amount_capturable": 0,
            "amount_received": amount,
            "_captures": intent["_captures"] + 1,
        },
    )
    call.emit("payment_intent.succeeded", paid)
    return paid


def cancel(call: Call) -> StripeObject:
    intent = call.target("payment_intent")
    require_status(intent, CANCELABLE, "canceled")
    return _close(call, intent, call.params.get("cancellation_reason"))


def _close(call: Call, intent: StripeObject, reason: str | None) -> StripeObject:
    """
    Cancel an intent and drop what it holds. Since Stripe's version 2025-03-31.basil neither that nor a
    partial capture shows as a refund.
    """
    canceled = keep(
        call,
        {
            **intent,
            "status": "canceled",
            "amount_capturable": 0,
            "canceled_at": call.clock.now(),
            "cancellation_reason": reason,
            "next_action": None,
        },
    )
    call.emit("payment_intent.canceled", canceled)
    return canceled


def list_(call: Call) -> StripeObject:
    return listed(call, "payment_intent", "/v1/payment_intents", "customer")


def expire_authorizations(call: Call) -> None:
    """What the passing of time does: an authorisation nobody captured in a week is given back."""
    oldest = call.clock.now() - charges.AUTHORIZATION_LASTS
    for intent in call.objects.all("payment_intent"):
        if intent["status"] == "requires_capture" and intent["created"] <= oldest:
            charges.expire(call, intent["latest_charge"])
            _close(call, intent, "expired")


def _with_settings(call: Call, intent: StripeObject) -> StripeObject:
    params = call.params
    updated = changed(intent, params, PLAIN)
    if "amount" in params or "currency" in params:
        updated["currency"] = checked_currency({**intent, **params}["currency"])
        updated["amount"] = params.get("amount", intent["amount"])
        check_amount(updated["amount"], updated["currency"])
    if "shipping" in params:
        updated["shipping"] = shipping(params["shipping"])
    if "customer" in params:
        updated["customer"] = call.named("customer", params["customer"], param="customer")["id"]
    if "allowed_payment_method_types" in params:
        updated["allowed_payment_method_types"] = params["allowed_payment_method_types"]
        updated["payment_method_types"] = payment_method_types(params)
    if "payment_method_options" in params:
        updated["payment_method_options"] = _options(intent["payment_method_options"], params)
    if "capture_method" in params:
        updated["capture_method"] = params["capture_method"]
    return _with_method(call, updated)


def _with_method(call: Call, intent: StripeObject) -> StripeObject:
    """The intent with the method that was named; the one it had must still fit its customer."""
    if "payment_method" not in call.params:
        return intent
    method = wallets.owned_by(call, call.params["payment_method"], intent["customer"], param="payment_method")
    waits = intent["status"] in CHANGEABLE
    return {
        **intent,
        "payment_method": method["id"],
        "status": "requires_confirmation" if waits else intent["status"],
    }


def _options(current: StripeObject, params: Params) -> StripeObject:
    return {
        **current,
        "card": {**current.get("card", {}), **params["payment_method_options"].get("card", {})},
    }


def _new(call: Call) -> StripeObject:
    id_, currency = new_id("pi"), checked_currency(call.params["currency"])
    check_amount(call.params["amount"], currency)
    blank = {
        "id": id_,
        "object": "payment_intent",
        "amount": call.params["amount"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": new_secret(id_),
        "confirmation_method": call.params.get("confirmation_method", "automatic"),
        "created": call.clock.now(),
        "currency": currency,
        "customer": None,
        "description": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": {},
        "next_action": None,
        "payment_method": None,
        "payment_method_options": {"card": dict(CARD_OPTIONS)},
        "automatic_payment_methods": automatic_payment_methods(call.params),
        "payment_method_types": payment_method_types(call.params),
        "receipt_email": None,
        "setup_future_usage": None,
        "shipping": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "requires_payment_method",
        "transfer_group": None,
        **NEVER_SET,
        "_captures": 0,
        "_keys": [],
    }
    return _with_settings(call, blank)


CARD_OPTIONS: dict[str, Any] = {
    "installments": None,
    "mandate_options": None,
    "network": None,
    "request_three_d_secure": "automatic",
}
# Fields of products the sandbox has not (Connect, Radar reviews, managed payments): always there, always null.
NEVER_SET: dict[str, Any] = dict.fromkeys(
    (
        "application",
        "application_fee_amount",
        "customer_account",
        "excluded_payment_method_types",
        "managed_payments",
        "on_behalf_of",
        "payment_method_configuration_details",
        "processing",
        "review",
        "source",
        "transfer_data",
    )
)
