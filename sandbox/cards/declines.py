"""
The ways in which a card can be refused (https://docs.stripe.com/declines/codes).

`advice_code` is Stripe's advice to the merchant; the two network codes are what the card network would
have answered (https://docs.stripe.com/declines/network-codes).
"""

from dataclasses import dataclass
from typing import Any, Literal

from sandbox.api.errors import CardError

Advice = Literal["confirm_card_data", "do_not_try_again", "try_again_later"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decline:
    code: str
    decline_code: str | None
    message: str
    param: str | None = None
    advice_code: Advice | None = None
    network_advice_code: str | None = None
    network_decline_code: str | None = None
    is_blocked: bool = False

    def details(self) -> dict[str, Any]:
        """What an error says beside message, code and param."""
        advice = {
            "decline_code": self.decline_code,
            "advice_code": self.advice_code,
            "network_advice_code": self.network_advice_code,
            "network_decline_code": self.network_decline_code,
        }
        return {name: value for name, value in advice.items() if value is not None}

    def error(self, **context: Any) -> CardError:
        return CardError(self.message, code=self.code, param=self.param, **self.details(), **context)


def _declined(decline_code: str, *, message: str = "Your card was declined.", **codes: Any) -> Decline:
    return Decline(code="card_declined", decline_code=decline_code, message=message, **codes)


GENERIC = _declined("generic_decline", advice_code="try_again_later", network_decline_code="05")
INSUFFICIENT_FUNDS = _declined(
    "insufficient_funds",
    message="Your card has insufficient funds.",
    advice_code="try_again_later",
    network_advice_code="02",
    network_decline_code="51",
)
LOST_CARD = _declined(
    "lost_card", advice_code="do_not_try_again", network_advice_code="03", network_decline_code="41"
)
STOLEN_CARD = _declined(
    "stolen_card", advice_code="do_not_try_again", network_advice_code="03", network_decline_code="43"
)
VELOCITY = _declined(
    "card_velocity_exceeded",
    message="Your card was declined for making repeated attempts too frequently.",
    advice_code="try_again_later",
    network_decline_code="65",
)
FRAUDULENT = _declined("fraudulent", is_blocked=True)
EXPIRED_CARD = Decline(
    code="expired_card",
    decline_code="expired_card",
    message="Your card has expired.",
    param="exp_month",
    advice_code="confirm_card_data",
    network_advice_code="01",
    network_decline_code="54",
)
INCORRECT_CVC = Decline(
    code="incorrect_cvc",
    decline_code="incorrect_cvc",
    message="Your card's security code is incorrect.",
    param="cvc",
    advice_code="confirm_card_data",
    network_decline_code="N7",
)
PROCESSING_ERROR = Decline(
    code="processing_error",
    decline_code="processing_error",
    message="The card could not be processed just now. Please try again soon.",
    advice_code="try_again_later",
    network_decline_code="96",
)
AUTHENTICATION_REQUIRED = Decline(
    code="authentication_required",
    decline_code="authentication_required",
    message="Your card was declined. This payment needs the cardholder to authenticate.",
    network_decline_code="1A",
)
AUTHENTICATION_NOT_HANDLED = Decline(
    code="authentication_required",
    decline_code="authentication_not_handled",
    message="This payment needs an action of the cardholder, and it was asked to fail in that case.",
)
INCORRECT_NUMBER = Decline(
    code="incorrect_number", decline_code=None, message="Your card number is incorrect.", param="number"
)
EXPIRY_MONTH = Decline(
    code="invalid_expiry_month",
    decline_code=None,
    message="Your card's expiration month is invalid.",
    param="exp_month",
)
EXPIRY_YEAR = Decline(
    code="invalid_expiry_year",
    decline_code=None,
    message="Your card's expiration year is invalid.",
    param="exp_year",
)
INVALID_CVC = Decline(
    code="invalid_cvc", decline_code=None, message="Your card's security code is invalid.", param="cvc"
)

# What a bank may come to say of a card that it has accepted before.
BY_DECLINE_CODE = {
    str(decline.decline_code): decline
    for decline in (
        AUTHENTICATION_REQUIRED,
        EXPIRED_CARD,
        FRAUDULENT,
        GENERIC,
        INCORRECT_CVC,
        INSUFFICIENT_FUNDS,
        LOST_CARD,
        PROCESSING_ERROR,
        STOLEN_CARD,
        VELOCITY,
    )
}
