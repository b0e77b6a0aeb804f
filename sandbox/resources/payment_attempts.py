"""What happens when a payment intent meets a card: approval, decline, or a question to the cardholder."""

from typing import Any

from sandbox.api.endpoint import Call
from sandbox.api.errors import CardError, InvalidRequest, UnexpectedState
from sandbox.api.params import Params
from sandbox.cards import declines
from sandbox.cards.declines import Decline
from sandbox.resources import authentication, charges, disputes, wallets
from sandbox.resources.authentication import Presence
from sandbox.state.objects import StripeObject, visible

CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")


def confirm(call: Call, intent: StripeObject, params: Params) -> StripeObject:
    """Charge the intent's payment method, or ask its holder first. A decline is raised, and its traces stay."""
    require_status(intent, CONFIRMABLE, "confirmed")
    if intent["payment_method"] is None:
        raise unexpected(intent, "A payment intent without a payment method cannot be confirmed.")
    presence = Presence(
        is_off_session=bool(params.get("off_session")), is_requested=authentication.is_requested(intent)
    )
    _require_return_url(intent, params, presence)
    method = call.named("payment_method", intent["payment_method"], param="payment_method")
    wallets.check_owner(method, intent["customer"])
    intent = {**intent, "last_payment_error": None, "next_action": None}
    if intent.pop("_is_authenticated", False) or not authentication.is_needed(method, presence):
        return _charge(call, intent, method, is_authenticated=False)
    return _question(call, intent, method, params, presence)


def authenticate(call: Call, intent: StripeObject, *, succeeded: bool) -> StripeObject:
    """Take the cardholder's answer. A decline of the bank after it shows in the intent, not as an error."""
    intent = authentication.answered(intent)
    method = call.named("payment_method", intent["payment_method"], param="payment_method")
    if not succeeded:
        return _fail_authentication(call, intent, method)
    if intent["confirmation_method"] == "manual":
        return keep(call, {**intent, "status": "requires_confirmation", "_is_authenticated": True})
    try:
        return _charge(call, intent, method, is_authenticated=True)
    except CardError:
        return call.target("payment_intent")


def keep(call: Call, intent: StripeObject) -> StripeObject:
    """Save the intent, with the keys it was asked under: the ledger shows them."""
    key = call.origin.idempotency_key
    if key is not None and key not in intent["_keys"]:
        intent = {**intent, "_keys": [*intent["_keys"], key]}
    call.objects.save(intent)
    return intent


def require_status(intent: StripeObject, allowed: tuple[str, ...], done: str) -> None:
    if intent["status"] not in allowed:
        raise unexpected(
            intent,
            f"This PaymentIntent could not be {done}: its status is {intent['status']},"
            f" and that is only possible in {', '.join(allowed)}.",
        )


def unexpected(intent: StripeObject, message: str) -> UnexpectedState:
    return UnexpectedState(message, code="payment_intent_unexpected_state", payment_intent=visible(intent))


def _require_return_url(intent: StripeObject, params: Params, presence: Presence) -> None:
    """Intents that might redirect need somewhere to come back to, even when this card does not redirect."""
    automatic = intent["automatic_payment_methods"]
    may_redirect = automatic is not None and automatic["allow_redirects"] == "always"
    if may_redirect and not presence.is_off_session and not {"return_url", "use_stripe_sdk"} & params.keys():
        raise InvalidRequest(
            "This PaymentIntent accepts payment methods that may redirect, so `return_url` is required; or set"
            " automatic_payment_methods[allow_redirects] to `never`.",
            payment_intent=visible(intent),
        )


def _question(
    call: Call, intent: StripeObject, method: StripeObject, params: Params, presence: Presence
) -> StripeObject:
    if presence.is_off_session:
        raise _decline(call, intent, method, declines.AUTHENTICATION_REQUIRED)
    if params.get("error_on_requires_action"):
        raise _refuse(call, intent, method, declines.AUTHENTICATION_NOT_HANDLED, None)
    waiting = keep(call, authentication.ask(call, intent, params.get("return_url")))
    call.emit("payment_intent.requires_action", waiting)
    return waiting


def _charge(
    call: Call, intent: StripeObject, method: StripeObject, *, is_authenticated: bool
) -> StripeObject:
    decline = _reason_to_decline(call, method)
    if decline is not None:
        raise _decline(call, intent, method, decline)
    charge = charges.approve(call, intent, method, is_authenticated=is_authenticated)
    _remember_method(call, intent, method)
    paid = {**intent, "latest_charge": charge["id"]}
    if intent["capture_method"] == "manual":
        return _held(call, paid)
    return _collected(call, paid, disputes.follow(call, charge))


def _held(call: Call, intent: StripeObject) -> StripeObject:
    held = keep(call, {**intent, "status": "requires_capture", "amount_capturable": intent["amount"]})
    call.emit("payment_intent.amount_capturable_updated", held)
    return held


def _collected(call: Call, intent: StripeObject, charge: StripeObject) -> StripeObject:
    paid = keep(
        call,
        {
            **intent,
            "status": "succeeded",
            "amount_received": charge["amount_captured"],
            "_captures": intent["_captures"] + 1,
        },
    )
    call.emit("payment_intent.succeeded", paid)
    if charge["balance_transaction"] is None:
        charges.book(call, charge)
    return paid


def _reason_to_decline(call: Call, method: StripeObject) -> Decline | None:
    if spoilt := method.get("_declines_with"):
        return declines.BY_DECLINE_CODE[spoilt]
    if wallets.has_expired(call, method):
        return declines.EXPIRED_CARD
    return wallets.card_of(method).decline


def _remember_method(call: Call, intent: StripeObject, method: StripeObject) -> None:
    """A successful payment saves its method for the customer if it was asked to, and else uses it up."""
    if intent["setup_future_usage"] and intent["customer"]:
        is_set_up = intent["setup_future_usage"] == "off_session"
        wallets.save_for(call, method, intent["customer"], is_set_up=is_set_up)
    else:
        wallets.spend(call, method)


def _decline(call: Call, intent: StripeObject, method: StripeObject, decline: Decline) -> CardError:
    charge = charges.refuse(call, intent, method, decline)
    return _refuse(call, {**intent, "latest_charge": charge["id"]}, method, decline, charge["id"])


def _refuse(
    call: Call, intent: StripeObject, method: StripeObject, decline: Decline, charge: str | None
) -> CardError:
    """The intent back to waiting for another method, and the error that tells of it."""
    context = {} if charge is None else {"charge": charge}
    error = decline.error(payment_method=visible(method), **context)
    failed = _without_method(call, intent, error.body()["error"])
    error.details["payment_intent"] = visible(failed)
    return error


def _fail_authentication(call: Call, intent: StripeObject, method: StripeObject) -> StripeObject:
    return _without_method(
        call,
        intent,
        {
            "type": "invalid_request_error",
            "code": "payment_intent_authentication_failure",
            "message": "The cardholder could not be authenticated; another payment method may be tried.",
            "payment_method": visible(method),
        },
    )


def _without_method(call: Call, intent: StripeObject, error: dict[str, Any]) -> StripeObject:
    failed = keep(
        call,
        {
            **intent,
            "status": "requires_payment_method",
            "payment_method": None,
            "last_payment_error": error,
        },
    )
    call.emit("payment_intent.payment_failed", failed)
    return failed
