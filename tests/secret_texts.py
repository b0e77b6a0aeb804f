"""
What no log and no row may hold, as it looks.

Written apart from web/redaction.py, so that a hole there is not one here as well.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from domain import card_number
from gateway.settings import DEVELOPMENT_JWT_SECRET

CARD_NUMBER: Final = "card number"
TOKEN: Final = "token"
STRIPE_KEY: Final = "key of Stripe's"
WEBHOOK_SECRET: Final = "webhook secret"
CLIENT_SECRET: Final = "client secret"
PASSWORD: Final = "password in an address"
PRIVATE_KEY: Final = "private key"
SHARED_SECRET: Final = "secret that signs tokens"

LOOKS: Final[Mapping[str, re.Pattern[str]]] = {
    kind: re.compile(look)
    for kind, look in {
        TOKEN: r"eyJ[\w-]{6,}\.[\w-]{6,}|[Bb]earer\s+(?!\[)[\w.~+/=-]{16,}",
        STRIPE_KEY: r"[sr]k_(?:test|live)_\w{4,}",
        WEBHOOK_SECRET: r"whsec_\w{4,}",
        CLIENT_SECRET: r"_secret_\w{4,}",
        PASSWORD: r"://[^\s/:@\"']*:(?!\[)[^\s/:@\"']+@",
        PRIVATE_KEY: r"-----BEGIN [A-Z ]*PRIVATE KEY",
        SHARED_SECRET: re.escape(DEVELOPMENT_JWT_SECRET),
    }.items()
}
"""Each begins with what is rare, so that looking for it takes little."""
KINDS: Final = frozenset({CARD_NUMBER, *LOOKS})

_BESIDE: Final = 40
_SHOWN: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    kind: str
    excerpt: str
    """What stands before it, and its beginning."""


def secrets_in(text: str) -> Iterator[Secret]:
    """Each one that is no card number, and the first card number of each line."""
    for kind, look in LOOKS.items():
        for found in look.finditer(text):
            yield Secret(kind=kind, excerpt=_excerpt(text, found.start()))
    if card_number.contains_card_number(text):
        yield from _cards_in(text)


def _cards_in(text: str) -> Iterator[Secret]:
    for line in text.splitlines():
        before, mark, _ = card_number.redacted(line).partition(card_number.REDACTED)
        if mark and mark not in line:
            yield Secret(kind=CARD_NUMBER, excerpt=_excerpt(line, len(before)))


def _excerpt(text: str, start: int) -> str:
    return text[max(0, start - _BESIDE) : start + _SHOWN].replace("\n", " ") + "…"
