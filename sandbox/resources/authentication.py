"""3-D Secure: when it is asked for, and the next action that sends the cardholder to it."""

from dataclasses import dataclass
from typing import Any

from sandbox.api.endpoint import Call
from sandbox.cards.catalog import Authentication
from sandbox.resources import wallets
from sandbox.state.ids import new_token
from sandbox.state.objects import StripeObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """Whether the cardholder is there, and whether the merchant insists on 3-D Secure."""

    is_off_session: bool = False
    is_requested: bool = False


def is_needed(method: StripeObject, presence: Presence) -> bool:
    """Whether this card's rule (https://docs.stripe.com/testing#regulatory-cards) asks for it now."""
    match wallets.card_of(method).authentication:
        case Authentication.UNSUPPORTED:
            return False
        case Authentication.ON_REQUEST:
            return presence.is_requested and not presence.is_off_session
        case Authentication.ON_SESSION:
            return not presence.is_off_session
        case Authentication.UNLESS_SET_UP:
            return not (presence.is_off_session and method.get("_is_set_up", False))
        case Authentication.ALWAYS:
            return True


def is_needed_for_setup(method: StripeObject, presence: Presence) -> bool:
    rule = wallets.card_of(method).authentication
    return rule in (Authentication.UNLESS_SET_UP, Authentication.ALWAYS) or (
        presence.is_requested and rule is not Authentication.UNSUPPORTED
    )


def is_requested(intent: StripeObject) -> bool:
    asked = intent["payment_method_options"].get("card", {}).get("request_three_d_secure")
    return asked in ("any", "challenge")


def ask(call: Call, intent: StripeObject, return_url: str | None) -> StripeObject:
    """The intent waiting for its cardholder, on a page whose address cannot be guessed."""
    token = new_token()
    url = f"{call.base_url}/3ds/{intent['id']}/{token}"
    return {
        **intent,
        "status": "requires_action",
        "next_action": _next_action(url, return_url),
        "_authentication": {"token": token, "return_url": return_url},
    }


def answered(intent: StripeObject) -> StripeObject:
    """The intent without its question; the token stays, so that the page can say it was answered."""
    return {**intent, "next_action": None}


def _next_action(url: str, return_url: str | None) -> dict[str, Any]:
    if return_url is not None:
        return {"type": "redirect_to_url", "redirect_to_url": {"return_url": return_url, "url": url}}
    return {
        "type": "use_stripe_sdk",
        "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": url},
    }
