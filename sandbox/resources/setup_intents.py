"""Setup intents (https://docs.stripe.com/api/setup_intents): saving a card for later, 3-D Secure included."""

from typing import Any

from sandbox.api.endpoint import Call
from sandbox.api.errors import CardError, UnexpectedState
from sandbox.api.listing import listed
from sandbox.cards.declines import Decline
from sandbox.resources import authentication, wallets
from sandbox.resources.authentication import Presence
from sandbox.resources.common import (
    automatic_payment_methods,
    changed,
    payment_method_types,
)
from sandbox.state.ids import new_id, new_secret
from sandbox.state.objects import StripeObject, visible

OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
CARD_OPTIONS: dict[str, Any] = {
    "mandate_options": None,
    "network": None,
    "request_three_d_secure": "automatic",
}
NEVER_SET: dict[str, Any] = dict.fromkeys(
    (
        "application",
        "excluded_payment_method_types",
        "flow_directions",
        "latest_attempt",
        "mandate",
        "on_behalf_of",
        "payment_method_configuration_details",
        "single_use_mandate",
    )
)


def create(call: Call) -> StripeObject:
    intent = _with_settings(call, _blank(call))
    call.objects.insert(intent)
    call.emit("setup_intent.created", intent)
    return _confirmed(call, intent) if call.params.get("confirm") else intent


def retrieve(call: Call) -> StripeObject:
    return call.target("setup_intent")


def update(call: Call) -> StripeObject:
    intent = call.target("setup_intent")
    _require_open(intent, "updated")
    updated = _with_settings(call, intent)
    call.objects.save(updated)
    return updated


def confirm(call: Call) -> StripeObject:
    intent = call.target("setup_intent")
    _require_open(intent, "confirmed")
    return _confirmed(call, _with_settings(call, intent))


def cancel(call: Call) -> StripeObject:
    intent = call.target("setup_intent")
    _require_open(intent, "canceled")
    reason = call.params.get("cancellation_reason")
    canceled = {**intent, "status": "canceled", "cancellation_reason": reason, "next_action": None}
    call.objects.save(canceled)
    call.emit("setup_intent.canceled", canceled)
    return canceled


def list_(call: Call) -> StripeObject:
    return listed(call, "setup_intent", "/v1/setup_intents", "customer", "payment_method")


def authenticate(call: Call, intent: StripeObject, *, succeeded: bool) -> StripeObject:
    """Take the cardholder's answer. A decline of the bank after it shows in the intent, not as an error."""
    intent = authentication.answered(intent)
    method = call.named("payment_method", intent["payment_method"], param="payment_method")
    if not succeeded:
        return _fail(
            call,
            intent,
            {
                "type": "invalid_request_error",
                "code": "setup_intent_authentication_failure",
                "message": "The cardholder could not be authenticated; another payment method may be tried.",
                "payment_method": visible(method),
            },
        )
    try:
        return _set_up(call, intent, method)
    except CardError:
        return call.target("setup_intent")


def _confirmed(call: Call, intent: StripeObject) -> StripeObject:
    if intent["payment_method"] is None:
        raise _unexpected(intent, "A setup intent without a payment method cannot be confirmed.")
    method = call.named("payment_method", intent["payment_method"], param="payment_method")
    wallets.check_owner(method, intent["customer"])
    intent = {**intent, "last_setup_error": None}
    presence = Presence(is_requested=authentication.is_requested(intent))
    if not authentication.is_needed_for_setup(method, presence):
        return _set_up(call, intent, method)
    waiting = authentication.ask(call, intent, call.params.get("return_url"))
    call.objects.save(waiting)
    call.emit("setup_intent.requires_action", waiting)
    return waiting


def _set_up(call: Call, intent: StripeObject, method: StripeObject) -> StripeObject:
    card = wallets.card_of(method)
    if card.decline and not card.attaches:
        raise _decline(call, intent, method, card.decline)
    done = {**intent, "status": "succeeded", "next_action": None}
    call.objects.save(done)
    if intent["customer"]:
        wallets.save_for(call, method, intent["customer"], is_set_up=intent["usage"] == "off_session")
    call.emit("setup_intent.succeeded", done)
    return done


def _decline(call: Call, intent: StripeObject, method: StripeObject, decline: Decline) -> CardError:
    error = decline.error(payment_method=visible(method))
    failed = _fail(call, intent, error.body()["error"])
    error.details["setup_intent"] = visible(failed)
    return error


def _fail(call: Call, intent: StripeObject, error: dict[str, Any]) -> StripeObject:
    failed = {
        **intent,
        "status": "requires_payment_method",
        "payment_method": None,
        "last_setup_error": error,
    }
    call.objects.save(failed)
    call.emit("setup_intent.setup_failed", failed)
    return failed


def _require_open(intent: StripeObject, done: str) -> None:
    if intent["status"] not in OPEN:
        raise _unexpected(intent, f"This SetupIntent could not be {done}: its status is {intent['status']}.")


def _unexpected(intent: StripeObject, message: str) -> UnexpectedState:
    return UnexpectedState(message, code="setup_intent_unexpected_state", setup_intent=visible(intent))


def _with_settings(call: Call, intent: StripeObject) -> StripeObject:
    params = call.params
    updated = changed(intent, params, ("allowed_payment_method_types", "description"))
    if "customer" in params:
        updated["customer"] = call.named("customer", params["customer"], param="customer")["id"]
    if "payment_method_options" in params:
        given = params["payment_method_options"].get("card", {})
        updated["payment_method_options"] = {"card": {**intent["payment_method_options"]["card"], **given}}
    if "payment_method" in params:
        method = wallets.owned_by(call, params["payment_method"], updated["customer"], param="payment_method")
        updated |= {"payment_method": method["id"], "status": "requires_confirmation"}
    return updated


def _blank(call: Call) -> StripeObject:
    id_ = new_id("seti")
    return {
        "id": id_,
        "object": "setup_intent",
        "automatic_payment_methods": automatic_payment_methods(call.params),
        "cancellation_reason": None,
        "client_secret": new_secret(id_),
        "created": call.clock.now(),
        "customer": None,
        "description": None,
        "last_setup_error": None,
        "livemode": False,
        "metadata": {},
        "next_action": None,
        "payment_method": None,
        "payment_method_options": {"card": dict(CARD_OPTIONS)},
        "payment_method_types": payment_method_types(call.params),
        "status": "requires_payment_method",
        "usage": call.params.get("usage", "off_session"),
        **NEVER_SET,
    }
