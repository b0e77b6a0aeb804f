"""An amount beside its currency."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from domain.currency import CURRENCIES, DEFAULT_CURRENCIES, AmountRefusal, exponent_of, refusal_of
from domain.money_format import formatted


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """
    An amount in minor units of an upper-case currency code, as Stripe counts them.

    Any amount can be written down, a negative one (a credit line) and one in an unknown currency too;
    `refusal` tells whether it can be charged.
    """

    minor: int
    currency: str

    @property
    def exponent(self) -> int:
        """How many of the minor unit's digits are decimals of the major unit."""
        return exponent_of(self.currency)

    @property
    def decimal(self) -> Decimal:
        """The exact amount in major units, with all its decimals: 12340 KWD is 12.340."""
        digits = tuple(int(digit) for digit in str(abs(self.minor)))
        return Decimal((self.minor < 0, digits, -self.exponent))

    def formatted(self, locale: str = "en") -> str:
        """The amount for human eyes, as `money_format` writes it."""
        return formatted(
            self.minor,
            self.currency,
            exponent=self.exponent,
            locale=locale,
            drops_zero_fraction=not self._has_fractions,
        )

    def refusal(self, accepted: Collection[str] = DEFAULT_CURRENCIES) -> AmountRefusal | None:
        """Why this cannot be charged where these currencies are accepted, or None when it can."""
        return refusal_of(self.minor, self.currency, accepted=accepted)

    @property
    def _has_fractions(self) -> bool:
        currency = CURRENCIES.get(self.currency)
        return currency is None or currency.has_fractions
