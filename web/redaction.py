"""What no log may hold: card numbers, tokens, keys, passwords, client secrets, the values of a row."""

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import islice
from typing import Any, Final
from uuid import UUID

from domain import card_number
from domain.json_value import JsonValue
from domain.percent_encoding import WORD_BEGINS, masked_where_encoded

REDACTED: Final = "[redacted]"
CUT_OFF: Final = "…"
LONGEST_TEXT: Final = 16_384
"""Characters; enough for the end of any traceback."""
LONGEST_SECRET: Final = 8500
"""Characters; no token that is read is longer, nor what PostgreSQL tells of one key."""
SHORTEST_SECRET: Final = 13
"""Characters of a card number. What is no card number is known by its punctuation."""
MOST_ITEMS: Final = 100
"""Per collection."""
MOST_VALUES: Final = 1000
"""Per event, all collections together."""
DEEPEST: Final = 6

_SHORTEST_CARD_NUMBER, _LONGEST_CARD_NUMBER = 10**12, 10**19

_SECRET_KEY = re.compile(
    r"authorization|secret|signature|token|passw|passphrase|cookie|api[_-]?key|private[_-]?key|dsn|database[_-]?url"
    r"|(?:metadata|statement)[_-]?keys?|cvc|cvv",
    re.IGNORECASE,
)

_SECRET_TEXT = re.compile(
    r"(?:whsec|[sr]k_(?:test|live))_[A-Za-z0-9+/=_-]+"  # Stripe's webhook secrets and API keys
    rf"|{WORD_BEGINS}"
    r"[a-z]{2,16}_(?:(?:test|live)_)?[A-Za-z0-9]+_secret_[A-Za-z0-9%_-]+"  # Stripe's client secrets
    rf"|{WORD_BEGINS}"
    r"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)*"  # JWS and JWE
    r"|(?<=bearer )[A-Za-z0-9._~+/=-]{8,}"
    r"|(?<=://)[^\s/:@]{0,128}:[^\s@]{1,128}(?=@)",  # the user and password of a URL
    re.IGNORECASE,
)

_ROW_VALUES = re.compile(
    r"(Failing row contains |Key \(.{1,256}?\)=)\(.*?\)"
    r"(\.(?=\n|\Z)| (?:already exists|is not present|is still referenced|conflicts with)\b)",
    re.DOTALL,
)
"""PostgreSQL tells in the detail of an error what was in the row: descriptions, metadata, idempotency keys."""


def redacted_event(event: Mapping[str, Any]) -> dict[str, JsonValue]:
    """
    The event as JSON, with what is secret masked, by the key above it or by its own looks.

    Anything that JSON does not know becomes its text. What is deeper or longer than a log needs is cut off.
    """
    return _Redaction().mapping(event, depth=0)


def redacted_text(text: str) -> str:
    """The text, cut to its end where it is too long: the last lines of a traceback tell the most."""
    if len(text) < SHORTEST_SECRET and text.isalnum():
        return text
    end = text[-(LONGEST_TEXT + LONGEST_SECRET) :]
    masked = _masked(end)
    if len(end) < len(text):
        # It may begin in the middle of a secret, which is not known by its looks.
        masked = masked[LONGEST_SECRET:]
    return masked[-LONGEST_TEXT:]


def _masked(text: str) -> str:
    if _may_hold_secret(text.lower()):
        text = _SECRET_TEXT.sub(REDACTED, text)
    if "%" in text:
        text = masked_where_encoded(text, _SECRET_TEXT, REDACTED)
    if "DETAIL:" in text:
        text = _ROW_VALUES.sub(rf"\1({REDACTED})\2", text)
    return card_number.redacted(text) if card_number.contains_card_number(text) else text


class _Redaction:
    """One walk through an event, which ends after so many values however they are nested."""

    def __init__(self) -> None:
        self._left = MOST_VALUES

    def value(self, value: object, *, depth: int) -> JsonValue:
        """The kinds of values in the order in which they are common."""
        self._left -= 1
        if isinstance(value, str):
            return redacted_text(value)
        match value:
            case None | bool():
                return value
            case int() | float() if -_SHORTEST_CARD_NUMBER < value < _SHORTEST_CARD_NUMBER:
                return value
            case UUID():
                return str(value)
            case int():
                return redacted_text(str(value) if abs(value) < _LONGEST_CARD_NUMBER else hex(value))
            case Mapping() | list() | tuple() | set() | frozenset() if depth > DEEPEST or self._left < 0:
                return CUT_OFF
            case Mapping():
                return self.mapping(value, depth=depth)
            case list() | tuple() | set() | frozenset():
                return [self.value(item, depth=depth + 1) for item in islice(value, MOST_ITEMS)]
        return redacted_text(str(value))

    def mapping(self, mapping: Mapping[Any, object], *, depth: int) -> dict[str, JsonValue]:
        found: dict[str, JsonValue] = {}
        for key, value in islice(mapping.items(), MOST_ITEMS):
            shown, is_secret = _looked_at(str(key))
            found[shown] = REDACTED if is_secret and value else self.value(value, depth=depth + 1)
        return found


def _may_hold_secret(lower: str) -> bool:
    """What the patterns above all need and most texts lack; looked for first, since it is cheap to find."""
    return "_" in lower or "://" in lower or "eyj" in lower or "bearer " in lower


@lru_cache(maxsize=1024)
def _looked_at(key: str) -> tuple[str, bool]:
    """The key as it is shown, and whether what stands under it is secret."""
    return redacted_text(key), _SECRET_KEY.search(key) is not None
