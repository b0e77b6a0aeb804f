"""
Amounts for human eyes, in a handful of locales.

A courtesy for receipts and error messages, not CLDR: a client that localises seriously has the platform's own
formatter, and formats the minor units. Digits are always Western, and a minus sign always stands first.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

NO_BREAK_SPACE = "\u00a0"
NARROW_NO_BREAK_SPACE = "\u202f"
RIGHT_SINGLE_QUOTE = "\u2019"

SYMBOLS: Mapping[str, str] = {
    "AUD": "A$",
    "BRL": "R$",
    "CAD": "CA$",
    "CNY": "CN¥",
    "CZK": "Kč",
    "EUR": "€",
    "GBP": "£",
    "HKD": "HK$",
    "HUF": "Ft",
    "ILS": "₪",
    "INR": "₹",
    "JPY": "¥",
    "KRW": "₩",
    "KZT": "₸",
    "MXN": "MX$",
    "NGN": "₦",
    "NZD": "NZ$",
    "PHP": "₱",
    "PLN": "zł",
    "TRY": "₺",
    "TWD": "NT$",
    "UAH": "₴",
    "USD": "$",
    "VND": "₫",
}
"""What readers everywhere tell apart; kr and lei stand for several currencies, so a code is clearer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Convention:
    """How one language writes an amount."""

    decimal_mark: str
    group_mark: str
    symbol_first: bool = False
    gap: str = NO_BREAK_SPACE
    smallest_grouped: int = 1_000
    home_symbols: Mapping[str, str] = field(default_factory=dict)

    def symbol(self, currency: str) -> str:
        """The sign that readers of this language expect, or the code."""
        return self.home_symbols.get(currency) or SYMBOLS.get(currency, currency)

    def number(self, units: int, fraction: str) -> str:
        grouped = f"{units:,}".replace(",", self.group_mark) if units >= self.smallest_grouped else str(units)
        return grouped + self.decimal_mark + fraction if fraction else grouped

    def joined(self, number: str, symbol: str) -> str:
        if not self.symbol_first:
            return number + self.gap + symbol
        return symbol + self._gap_after(symbol) + number

    def _gap_after(self, symbol: str) -> str:
        return self.gap or (NO_BREAK_SPACE if symbol[-1:].isalpha() else "")


CONVENTIONS: Mapping[str, Convention] = {
    "en": Convention(decimal_mark=".", group_mark=",", symbol_first=True, gap=""),
    "cs": Convention(decimal_mark=",", group_mark=NO_BREAK_SPACE),
    "da": Convention(decimal_mark=",", group_mark=".", home_symbols={"DKK": "kr."}),
    "de": Convention(decimal_mark=",", group_mark="."),
    "de-at": Convention(decimal_mark=",", group_mark=NO_BREAK_SPACE, symbol_first=True),
    "de-ch": Convention(decimal_mark=".", group_mark=RIGHT_SINGLE_QUOTE, symbol_first=True),
    "es": Convention(decimal_mark=",", group_mark=".", smallest_grouped=10_000),
    "es-mx": Convention(
        decimal_mark=".", group_mark=",", symbol_first=True, gap="", home_symbols={"MXN": "$", "USD": "USD"}
    ),
    "fi": Convention(decimal_mark=",", group_mark=NO_BREAK_SPACE),
    "fr": Convention(decimal_mark=",", group_mark=NARROW_NO_BREAK_SPACE),
    "it": Convention(decimal_mark=",", group_mark="."),
    "ja": Convention(decimal_mark=".", group_mark=",", symbol_first=True, gap=""),
    "ko": Convention(decimal_mark=".", group_mark=",", symbol_first=True, gap=""),
    "nb": Convention(decimal_mark=",", group_mark=NO_BREAK_SPACE, home_symbols={"NOK": "kr"}),
    "nl": Convention(decimal_mark=",", group_mark=".", symbol_first=True),
    "pl": Convention(decimal_mark=",", group_mark=NO_BREAK_SPACE, smallest_grouped=10_000),
    "pt": Convention(decimal_mark=",", group_mark=".", symbol_first=True),
    "pt-pt": Convention(decimal_mark=",", group_mark=NO_BREAK_SPACE, smallest_grouped=10_000),
    "sv": Convention(decimal_mark=",", group_mark=NO_BREAK_SPACE, home_symbols={"SEK": "kr"}),
    "zh": Convention(
        decimal_mark=".", group_mark=",", symbol_first=True, gap="", home_symbols={"CNY": "¥", "JPY": "JP¥"}
    ),
}


def formatted(
    minor: int, currency: str, *, exponent: int, locale: str, drops_zero_fraction: bool = False
) -> str:
    """
    An amount in minor units with its sign, marks and symbol.

    `locale` is a BCP 47 tag or its POSIX spelling (de-CH, de_CH); an unknown one falls back to its
    language, and an unknown language to English. `drops_zero_fraction` writes 5 for 5.00, never for 5.01.
    """
    convention = _convention(locale)
    units, rest = divmod(abs(minor), 10**exponent)
    fraction = "" if exponent == 0 or (drops_zero_fraction and rest == 0) else f"{rest:0{exponent}d}"
    sign = "-" if minor < 0 else ""
    return sign + convention.joined(convention.number(units, fraction), convention.symbol(currency))


def _convention(locale: str) -> Convention:
    tag = locale.lower().replace("_", "-")
    return CONVENTIONS.get(tag) or CONVENTIONS.get(tag.partition("-")[0]) or CONVENTIONS["en"]
