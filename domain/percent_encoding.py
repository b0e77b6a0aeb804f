"""
What stands inside addresses: percent-encoded (RFC 3986, section 2.1), and once more for each address around it.

A page of a bank is told where to send the payer back to, and that page where to send them on: so a secret may stand
behind `%3D` or `%253D`, where to a regular expression no word begins, and its own underscores may be `%5F`.
"""

import re
from typing import Final
from urllib.parse import unquote

MOST_LEVELS: Final = 4
"""How often what is encoded may have been encoded again."""
_ENCODED: Final = [rf"(?<=%{'25' * level}[0-9A-Fa-f]{{2}})" for level in range(MOST_LEVELS)]
WORD_BEGINS: Final = rf"(?:(?<![A-Za-z0-9_])|{'|'.join(_ENCODED)})"
"""What `\\b` is elsewhere, as part of a regular expression."""

_ADDRESS: Final = re.compile(r"""[^\s"'<>]+""")


def masked_where_encoded(text: str, secret: re.Pattern[str], mask: str) -> str:
    """With the mask instead of each address that has such a secret once it is decoded; the same text if none has."""
    if "%" not in text:
        return text
    masked = _ADDRESS.sub(lambda found: mask if _hides(found[0], secret) else found[0], text)
    return text if masked == text else masked


def _hides(address: str, secret: re.Pattern[str]) -> bool:
    for _ in range(MOST_LEVELS):
        decoded = unquote(address)
        if decoded == address:
            return False
        if secret.search(decoded):
            return True
        address = decoded
    return False
