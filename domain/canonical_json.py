"""JSON with one spelling for each value, for hashing."""

import json
from typing import Final

from domain.json_value import JsonObject, JsonValue

_ENCODER: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)


def canonical_json(value: JsonValue | JsonObject) -> str:
    """The order of keys in the value does not matter. Raises ValueError for what JSON has no number for."""
    return _ENCODER.encode(value)
