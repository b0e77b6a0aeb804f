"""
What an event may tell and nobody may keep: client secrets, with which one can act on a payment, and card numbers.

Client secrets stand under their own name, and inside addresses: of the page of a bank, or of what Stripe.js loads. Card
numbers stand where somebody typed one into a description in Stripe's Dashboard.
"""

import re
from typing import Any, Final

import orjson

from domain import card_number
from domain.percent_encoding import WORD_BEGINS, masked_where_encoded

CLIENT_SECRET: Final = "client_secret"  # noqa: S105
WITHHELD: Final = "[client secret]"
SIGN: Final = "_secret_"
"""What all of Stripe's client secrets have in common: https://docs.stripe.com/api/payment_intents/object"""
_SECRET: Final = re.compile(WORD_BEGINS + r"[a-z]{2,16}(?:_[A-Za-z0-9]+)*_secret_[A-Za-z0-9%_-]+")

SUSPICIOUS: Final = r"_secret_|client_secret|%(25)*5[Ff]secret|\d([ .-]?\d){12}"
"""What a stored event's text matches, for PostgreSQL, where there may be something to remove."""


def without_secrets(event: Any) -> Any:
    """The event itself, changed in place, however deep it is; whoever needs a client secret asks Stripe."""
    waiting: list[Any] = [event]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            item.pop(CLIENT_SECRET, None)
            _rename_unfit(item)
            waiting += [_cleaned(item, name) for name in item]
        elif isinstance(item, list):
            waiting += [_cleaned(item, index) for index in range(len(item))]
    return event


def cleaned_payload(payload: str) -> str:
    """A stored event's text without them."""
    return orjson.dumps(without_secrets(orjson.loads(payload))).decode()


def _cleaned(holder: Any, place: Any) -> Any:
    """What is at that place from now on."""
    value = holder[place]
    if isinstance(value, str) and (clean := clean_text(value)) is not value:
        holder[place] = clean
    return value


def _rename_unfit(item: dict[str, Any]) -> None:
    for name in [name for name in item if clean_text(name) is not name]:
        item[clean_text(name)] = item.pop(name)


def clean_text(text: str) -> str:
    """The same object where there is nothing to remove."""
    if SIGN in text:
        text = _SECRET.sub(WITHHELD, text)
    text = masked_where_encoded(text, _SECRET, WITHHELD)
    return card_number.redacted(text) if card_number.contains_card_number(text) else text
