"""What free text and metadata may hold, whoever sends it."""

import json
from collections.abc import Sequence
from math import isfinite
from typing import Final
from urllib.parse import urlsplit

from domain.card_number import contains_card_number
from domain.errors import InvalidInput
from domain.json_value import JsonObject

MAXIMUM_DESCRIPTION: Final = 1000
"""Characters. https://docs.stripe.com/api/payment_intents/create gives the description no tighter limit."""
MAXIMUM_METADATA_BYTES: Final = 8192
MAXIMUM_METADATA_DEPTH: Final = 8
MAXIMUM_URL: Final = 2048
LARGEST_INTEGER: Final = 2**53 - 1
"""Beyond it, readers of JSON may round (RFC 8259, section 6)."""


def checked_text(text: str, *, path: Sequence[str], maximum: int = MAXIMUM_DESCRIPTION) -> str:
    """
    The text itself, if it may be stored, shown and sent: whoever has nothing to say leaves it out.

    Raises InvalidInput for what is blank, which the processor takes for an attempt to unset something
    (https://docs.stripe.com/error-codes#parameter-invalid-empty), and for the reasons of `_must_be_storable`.
    """
    if not text.strip():
        raise InvalidInput("This text is blank: leave it out instead.", path=path, constraint="notBlank")
    _must_be_storable(text, path=path, maximum=maximum)
    return text


def _must_be_storable(text: str, *, path: Sequence[str], maximum: int) -> None:
    """
    Raises InvalidInput for control characters that PostgreSQL or a terminal would choke on, for lone
    surrogates, for more than `maximum` characters, and for card numbers (PCI DSS 4.0.1, requirement 3.2).
    """
    if len(text) > maximum:
        raise InvalidInput(
            f"This text has more than {maximum} characters.", path=path, constraint="maxLength"
        )
    if any(_is_control(character) for character in text):
        raise InvalidInput(
            "Control characters are not allowed here.", path=path, constraint="noControlCharacters"
        )
    if contains_card_number(text):
        raise InvalidInput(
            "This looks like a card number. Never send one to this API.", path=path, constraint="noCardNumber"
        )


def checked_metadata(metadata: JsonObject, *, path: Sequence[str]) -> JsonObject:
    """
    The metadata itself, whose texts may be empty, since it is kept here alone.

    Raises InvalidInput for what cannot be stored, for numbers, size or depth.
    """
    for text in _texts_in(metadata, path=path):
        _must_be_storable(text, path=path, maximum=MAXIMUM_METADATA_BYTES)
    if len(json.dumps(metadata, ensure_ascii=False).encode()) > MAXIMUM_METADATA_BYTES:
        raise InvalidInput(
            f"Metadata may take {MAXIMUM_METADATA_BYTES} bytes of JSON.", path=path, constraint="maxBytes"
        )
    return metadata


def checked_url(url: str, *, path: Sequence[str]) -> str:
    """An absolute http(s) address, or an app's own scheme; raises InvalidInput."""
    try:
        parts = urlsplit(checked_text(url, path=path, maximum=MAXIMUM_URL))
    except ValueError as malformed:
        raise InvalidInput("This is not an absolute URL.", path=path, constraint="absoluteUrl") from malformed
    if not parts.scheme or not parts.netloc or parts.scheme in {"javascript", "data", "file"}:
        raise InvalidInput("This is not an absolute URL.", path=path, constraint="absoluteUrl")
    return url


def _is_control(character: str) -> bool:
    return (
        (character < " " and character not in "\t\n\r")
        or "\x7f" <= character <= "\x9f"
        or _is_lone(character)
    )


def _is_lone(character: str) -> bool:
    return "\ud800" <= character <= "\udfff"


def _texts_in(value: object, *, path: Sequence[str]) -> list[str]:
    texts: list[str] = []
    waiting: list[tuple[object, int]] = [(value, 1)]
    while waiting:
        item, depth = waiting.pop()
        if depth > MAXIMUM_METADATA_DEPTH:
            raise InvalidInput("Metadata is nested too deeply.", path=path, constraint="maxDepth")
        match item:
            case dict() as mapping:
                waiting += [(part, depth + 1) for entry in mapping.items() for part in entry]
            case list() as items:
                waiting += [(part, depth + 1) for part in items]
            case bool() | None:
                pass
            case int() | float():
                texts.append(_written(item, path=path))
            case str() as text:
                texts.append(text)
    return texts


def _written(number: float, *, path: Sequence[str]) -> str:
    is_exact = abs(number) <= LARGEST_INTEGER if isinstance(number, int) else isfinite(number)
    if not is_exact:
        raise InvalidInput("This number cannot be kept exactly in JSON.", path=path, constraint="exactNumber")
    return str(number)
