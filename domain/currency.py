"""
Which currencies Stripe can charge, and what amounts it takes in each.

The rules are Stripe's (https://docs.stripe.com/currencies), not ISO 4217's: an amount is an integer in
the minor unit that Stripe defines, which is not ISO's for ISK, MGA and UGX among others. A currency is
two-decimal unless that page says otherwise. Which of these currencies an account may present also
depends on its country; Stripe has the last word on that.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

DEFAULT_EXPONENT = 2

_TWO_DECIMAL = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BWP BYN BZD CAD CDF CHF CNY "
    "COP CRC CVE CZK DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR JMD "
    "KES KGS KHR KYD KZT LAK LBP LKR LRD LSL MAD MDL MKD MMK MNT MOP MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK "
    "NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SEK SGD SHP SLE SOS SRD STD SZL THB TJS TOP "
    "TRY TTD TWD TZS UAH USD UYU UZS WST XCD XCG YER ZAR ZMW"
)
_ZERO_DECIMAL = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF"
_THREE_DECIMAL_ENDING_IN_ZERO = "BHD JOD KWD OMR TND"
_TWO_DECIMAL_WITHOUT_FRACTIONS = "ISK UGX"
"""
Zero-decimal in life, two-decimal with 00 in the API: 5 ISK is 500.

Of UGX Stripe's page says two things: it stands in the list of zero-decimal currencies (5 UGX is 5), and it
has a paragraph and an example of its own (5 UGX is 500). The example is the more specific and is followed
here, but a mistake would be a factor of one hundred, so UGX is not accepted by default.
"""

_MINIMUMS = {
    "AED": 2_00,
    "AUD": 50,
    "BGN": 1_00,
    "BRL": 50,
    "CAD": 50,
    "CHF": 50,
    "CZK": 15_00,
    "DKK": 2_50,
    "EUR": 50,
    "GBP": 30,
    "HKD": 4_00,
    "HUF": 175_00,
    "INR": 50,
    "JPY": 50,
    "MXN": 10_00,
    "MYR": 2_00,
    "NOK": 3_00,
    "NZD": 50,
    "PLN": 2_00,
    "RON": 2_00,
    "SEK": 3_00,
    "SGD": 50,
    "THB": 10_00,
    "USD": 50,
}
"""
Published per settlement currency, in its minor unit.

They hold exactly when the charge settles in its own currency; otherwise Stripe compares after conversion,
at a rate nobody else knows, and answers `amount_too_small`.
"""

_MAXIMUM = 99_999_999
_LARGER_MAXIMUMS = {
    "INR": 999_999_999,
    "COP": 9_999_999_999,
    "HUF": 9_999_999_999,
    "JPY": 9_999_999_999,
    "LBP": 99_999_999_999,
    "IDR": 999_999_999_999,
}
"""
Eight digits, and the published exceptions; those for COP, HUF, JPY and LBP hold for cards only.

For these four the page's number of digits and its example values disagree (ten digits, yet 9999999999999
for JPY); the number of digits is the smaller and stands here. The API reference says eight digits
throughout. Single networks take less (American Express: nine digits of IDR); Stripe refuses that itself.
"""

_WITHHELD = frozenset({"UGX", "ANG", "BGN"})
"""Not accepted by default: UGX as explained above; ANG and BGN because XCG and EUR replaced them."""


class AmountRefusal(StrEnum):
    """Why an amount cannot be charged."""

    UNKNOWN_CURRENCY = "UNKNOWN_CURRENCY"
    CURRENCY_NOT_ACCEPTED = "CURRENCY_NOT_ACCEPTED"
    NOT_POSITIVE = "NOT_POSITIVE"
    BELOW_MINIMUM = "BELOW_MINIMUM"
    ABOVE_MAXIMUM = "ABOVE_MAXIMUM"
    NOT_A_MULTIPLE = "NOT_A_MULTIPLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Currency:
    """
    Stripe's rule for one currency.

    `minimum`, `maximum` and `step_minor` are in its minor unit, of which 10 ** exponent make one major
    unit; both limits are multiples of the step.
    """

    code: str
    exponent: int
    step_minor: int
    minimum: int
    maximum: int

    @property
    def has_fractions(self) -> bool:
        """Whether an amount may be less than one major unit; false for JPY and for ISK."""
        minor_per_major: int = 10**self.exponent
        return self.step_minor < minor_per_major

    def refusal_of(self, minor: int) -> AmountRefusal | None:
        """Why this amount cannot be charged, or None when it can."""
        if minor <= 0:
            return AmountRefusal.NOT_POSITIVE
        if minor % self.step_minor:
            return AmountRefusal.NOT_A_MULTIPLE
        if minor < self.minimum:
            return AmountRefusal.BELOW_MINIMUM
        if minor > self.maximum:
            return AmountRefusal.ABOVE_MAXIMUM
        return None


def _currencies(codes: str, *, exponent: int, step_minor: int = 1) -> Mapping[str, Currency]:
    return {code: _currency(code, exponent, step_minor) for code in codes.split()}


def _currency(code: str, exponent: int, step_minor: int) -> Currency:
    maximum = _LARGER_MAXIMUMS.get(code, _MAXIMUM)
    return Currency(
        code=code,
        exponent=exponent,
        step_minor=step_minor,
        minimum=_MINIMUMS.get(code, step_minor),
        maximum=maximum - maximum % step_minor,
    )


CURRENCIES: Mapping[str, Currency] = MappingProxyType(
    {
        **_currencies(_TWO_DECIMAL, exponent=2),
        **_currencies(_ZERO_DECIMAL, exponent=0),
        **_currencies(_THREE_DECIMAL_ENDING_IN_ZERO, exponent=3, step_minor=10),
        **_currencies(_TWO_DECIMAL_WITHOUT_FRACTIONS, exponent=2, step_minor=100),
    }
)
DEFAULT_CURRENCIES: frozenset[str] = frozenset(CURRENCIES) - _WITHHELD


def currency_of(code: str) -> Currency | None:
    """The rule for an upper-case code; None for any other text, "usd" included."""
    return CURRENCIES.get(code)


def exponent_of(code: str) -> int:
    """The decimals of a currency; two for an unknown one, as Stripe defines."""
    currency = CURRENCIES.get(code)
    return currency.exponent if currency else DEFAULT_EXPONENT


def refusal_of(
    minor: int, code: str, *, accepted: Collection[str] = DEFAULT_CURRENCIES
) -> AmountRefusal | None:
    """Why an amount in this currency cannot be charged, or None when it can."""
    currency = CURRENCIES.get(code)
    if currency is None:
        return AmountRefusal.UNKNOWN_CURRENCY
    if code not in accepted:
        return AmountRefusal.CURRENCY_NOT_ACCEPTED
    return currency.refusal_of(minor)
