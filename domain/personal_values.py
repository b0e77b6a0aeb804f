"""
What an audit record tells of a person, kept apart from what its hash covers.

The record has a digest of it instead: SHA-256, with a salt of its own that is kept and goes with the values. So they
can be taken away for good while the trail goes on proving all else, and nobody finds out by trying what they were.
"""

import hashlib
import secrets
from collections.abc import Mapping
from typing import Final

from domain.canonical_json import canonical_json
from domain.json_value import JsonObject, JsonValue

PERSONAL: Final = frozenset({"billing_name", "fingerprint", "receipt_url"})
"""Attributes of audited objects."""
WITHHELD: Final = "[personal]"
"""What the record itself says where a value is, or was, apart."""
SALT_BYTES: Final = 16

CHANGES: Final = "changes"
IP: Final = "ip"
NOTE: Final = "note"
SALT: Final = "salt"


def personal_values(changes: JsonObject, *, note: str | None, ip: str | None) -> JsonObject | None:
    """What of these is personal, with its salt; None where nothing is. `note` is what the actor said about it."""
    apart = {name: pair for name, pair in changes.items() if name in PERSONAL}
    given: dict[str, JsonValue] = {CHANGES: apart or None, NOTE: note, IP: ip}
    told = {name: value for name, value in given.items() if value is not None}
    return {**told, SALT: secrets.token_hex(SALT_BYTES)} if told else None


def without_personal_values(changes: JsonObject) -> JsonObject:
    """It still tells whether there was a value before, and after."""
    return {name: _withheld(pair) if name in PERSONAL else pair for name, pair in changes.items()}


def with_personal_values(changes: JsonObject, personal: JsonObject | None) -> JsonObject:
    """The way back, as far as they are there."""
    apart = (personal or {}).get(CHANGES)
    return {**changes, **apart} if isinstance(apart, Mapping) else changes


def personal_digest(personal: JsonObject) -> str:
    """In hexadecimal digits; the same before and after PostgreSQL, since there are only texts in it."""
    return hashlib.sha256(canonical_json(personal).encode()).hexdigest()


def _withheld(pair: JsonValue) -> JsonValue:
    return [value and WITHHELD for value in pair] if isinstance(pair, list) else pair
