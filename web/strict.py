"""JSON and base64url without their leniencies, so that nothing reads two ways or can be spelled in two."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from typing import NoReturn

from domain.json_value import JsonObject


def json_object(text: bytes) -> JsonObject:
    """No NaN, no name twice, no depth that Python cannot bear; raises ValueError."""
    try:
        value = json.loads(text.decode(), parse_constant=_refuse_constant, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as malformed:
        raise ValueError("not JSON") from malformed
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value


def base64url(text: str) -> bytes:
    """
    Without padding (RFC 7515, section 2); raises ValueError.

    Refuses spellings that decode to the same bytes, such as other unused bits at the end (RFC 4648, section 3.5).
    """
    try:
        content = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (NotBase64, ValueError) as malformed:
        raise ValueError("not base64url") from malformed
    if urlsafe_b64encode(content).rstrip(b"=").decode() != text:
        raise ValueError("not canonical base64url")
    return content


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name stands twice")
    return members
