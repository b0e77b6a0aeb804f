"""
Stripe's published test cards and what each of them does (https://docs.stripe.com/testing).

A card is named as in its ids: `visa` is the number 4242…, `pm_card_visa` and `tok_visa`.
"""

import hashlib
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from sandbox.cards import declines
from sandbox.cards.claims import Claim
from sandbox.cards.declines import Decline

Check = Literal["pass", "fail", "unavailable"]
METHOD_PREFIX = "pm_card_"
TOKEN_PREFIX = "tok_"  # noqa: S105  # The public prefix of test tokens, no secret.


class Authentication(Enum):
    """When a card asks for 3-D Secure."""

    UNSUPPORTED = "the card knows no 3-D Secure"
    ON_REQUEST = "only if the merchant asks for it"
    ON_SESSION = "whenever the cardholder is present; off session it counts as set up"
    UNLESS_SET_UP = "always on session; off session unless it was set up for that"
    ALWAYS = "on every payment, set up or not"


class Refunds(Enum):
    """How a card's bank takes money back."""

    AT_ONCE = "at once"
    LATER = "pending first, then succeeded"
    NEVER = "succeeded first, then failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """
    A test card. `decline` is the answer to every charge; `attaches` tells whether the bank vouches for the
    card when it is saved or set up all the same. `claim` is raised against every captured charge.
    """

    name: str
    number: str
    brand: str = "visa"
    country: str = "US"
    funding: Literal["credit", "debit", "prepaid"] = "credit"
    decline: Decline | None = None
    attaches: bool = True
    authentication: Authentication = Authentication.ON_REQUEST
    risk: Literal["normal", "elevated", "highest"] = "normal"
    cvc_check: Check = "pass"
    line1_check: Check = "pass"
    postal_code_check: Check = "pass"
    claim: Claim | None = None
    refunds: Refunds = Refunds.AT_ONCE

    @property
    def last4(self) -> str:
        return self.number[-4:]

    @property
    def fingerprint(self) -> str:
        """The same for every payment method made of this number, as Stripe's are per account."""
        return hashlib.sha256(self.number.encode()).hexdigest()[:16]


def _refused(name: str, number: str, decline: Decline, **traits: bool) -> Card:
    return Card(name=name, number=number, decline=decline, attaches=traits.get("attaches", False))


def _secured(name: str, number: str, when: Authentication, decline: Decline | None = None) -> Card:
    return Card(name=name, number=number, authentication=when, decline=decline)


BRANDS = (
    Card(name="visa", number="4242424242424242"),
    Card(name="visa_debit", number="4000056655665556", funding="debit"),
    Card(name="mastercard", number="5555555555554444", brand="mastercard"),
    Card(name="mastercard_debit", number="5200828282828210", brand="mastercard", funding="debit"),
    Card(name="mastercard_prepaid", number="5105105105105100", brand="mastercard", funding="prepaid"),
    Card(name="amex", number="378282246310005", brand="amex"),
    Card(name="discover", number="6011111111111117", brand="discover"),
    Card(name="diners", number="3056930009020004", brand="diners"),
    Card(name="jcb", number="3566002020360505", brand="jcb", country="JP"),
    Card(name="unionpay", number="6200000000000005", brand="unionpay", country="CN"),
)

COUNTRIES = tuple(
    Card(name=country.lower(), number=number, country=country)
    for country, number in {
        "US": "4242424242424242",
        "BR": "4000000760000002",
        "CA": "4000001240000000",
        "AT": "4000000400000008",
        "BE": "4000000560000004",
        "CH": "4000007560000009",
        "DE": "4000002760000016",
        "DK": "4000002080000001",
        "ES": "4000007240000007",
        "FI": "4000002460000001",
        "FR": "4000002500000003",
        "GB": "4000008260000000",
        "IE": "4000003720000005",
        "IT": "4000003800000008",
        "LU": "4000004420000006",
        "NL": "4000005280000002",
        "NO": "4000005780000007",
        "PL": "4000006160000005",
        "PT": "4000006200000007",
        "SE": "4000007520000008",
        "AE": "4000007840000001",
        "AU": "4000000360000006",
        "CN": "4000001560000002",
        "HK": "4000003440000004",
        "IN": "4000003560000008",
        "JP": "4000003920000003",
        "NZ": "4000005540000008",
        "SG": "4000007020000003",
    }.items()
)

REFUSED = (
    _refused("chargeDeclined", "4000000000000002", declines.GENERIC),
    _refused("chargeDeclinedInsufficientFunds", "4000000000009995", declines.INSUFFICIENT_FUNDS),
    _refused("chargeDeclinedLostCard", "4000000000009987", declines.LOST_CARD),
    _refused("chargeDeclinedStolenCard", "4000000000009979", declines.STOLEN_CARD),
    _refused("chargeDeclinedExpiredCard", "4000000000000069", declines.EXPIRED_CARD),
    _refused("chargeDeclinedIncorrectCvc", "4000000000000127", declines.INCORRECT_CVC),
    _refused("chargeDeclinedProcessingError", "4000000000000119", declines.PROCESSING_ERROR),
    _refused("chargeDeclinedVelocityLimitExceeded", "4000000000006975", declines.VELOCITY),
    _refused("chargeDeclinedFraudulent", "4100000000000019", declines.FRAUDULENT, attaches=True),
    _refused("chargeCustomerFail", "4000000000000341", declines.GENERIC, attaches=True),
)

RISKS_AND_CHECKS = (
    Card(name="riskLevelElevated", number="4000000000009235", risk="elevated"),
    Card(name="riskLevelHighest", number="4000000000004954", risk="highest"),
    Card(name="cvcCheckFail", number="4000000000000101", cvc_check="fail"),
    Card(name="avsZipFail", number="4000000000000036", postal_code_check="fail"),
    Card(name="avsLine1Fail", number="4000000000000028", line1_check="fail"),
    Card(name="avsFail", number="4000000000000010", line1_check="fail", postal_code_check="fail"),
    Card(
        name="avsUnchecked",
        number="4000000000000044",
        line1_check="unavailable",
        postal_code_check="unavailable",
    ),
)

SECURED = (
    _secured("authenticationRequiredOnSetup", "4000002500003155", Authentication.UNLESS_SET_UP),
    _secured("authenticationRequired", "4000002760003184", Authentication.ALWAYS),
    _secured("authenticationRequiredSetupForOffSession", "4000003800000446", Authentication.ON_SESSION),
    _secured(
        "authenticationRequiredChargeDeclinedInsufficientFunds",
        "4000008260003178",
        Authentication.UNLESS_SET_UP,
        declines.INSUFFICIENT_FUNDS,
    ),
    _secured("threeDSecure2Required", "4000000000003220", Authentication.ALWAYS),
    _secured("threeDSecureRequired", "4000000000003063", Authentication.ALWAYS),
    _secured(
        "threeDSecureRequiredChargeDeclined", "4000008400001629", Authentication.ALWAYS, declines.GENERIC
    ),
    _secured("threeDSecureOptional", "4000000000003055", Authentication.ON_REQUEST),
    Card(
        name="amex_threeDSecureNotSupported",
        number="378734493671000",
        brand="amex",
        authentication=Authentication.UNSUPPORTED,
    ),
)

DISPUTED = (
    Card(name="createDispute", number="4000000000000259", claim=Claim()),
    Card(
        name="createDisputeProductNotReceived",
        number="4000000000002685",
        claim=Claim(reason="product_not_received"),
    ),
    Card(name="createDisputeInquiry", number="4000000000001976", claim=Claim(is_inquiry=True)),
)

REFUNDED_LATE = (
    Card(name="pendingRefund", number="4000000000007726", refunds=Refunds.LATER),
    Card(name="refundFail", number="4000000000005126", refunds=Refunds.NEVER),
)

KINDS = (BRANDS, COUNTRIES, REFUSED, RISKS_AND_CHECKS, SECURED, DISPUTED, REFUNDED_LATE)
CARDS = {card.name: card for kind in KINDS for card in kind}
BY_NUMBER = {card.number: card for card in reversed(CARDS.values())}
# The declining and the disputed Visa cards go by two names, and so does the card that Radar blocks.
ALIASES = {f"visa_{card.name}": card.name for card in (*REFUSED, *DISPUTED)} | {
    "radarBlock": "chargeDeclinedFraudulent"
}


def by_method_id(id_: str) -> Card | None:
    """The card behind a test payment method id such as `pm_card_visa`, if it is one."""
    return _named(id_.removeprefix(METHOD_PREFIX)) if id_.startswith(METHOD_PREFIX) else None


def by_token(token: str) -> Card | None:
    return _named(token.removeprefix(TOKEN_PREFIX)) if token.startswith(TOKEN_PREFIX) else None


def has_valid_checksum(number: str) -> bool:
    """Luhn's check digit (ISO/IEC 7812-1), which every card number carries."""
    doubled = (int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(number)))
    return number.isdecimal() and sum(value // 10 + value % 10 for value in doubled) % 10 == 0


def _named(name: str) -> Card | None:
    return CARDS.get(ALIASES.get(name, name))
