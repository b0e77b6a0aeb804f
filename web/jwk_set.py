"""
The keys that an issuer publishes, as far as they suit us.

RFC 7517 (JWK), RFC 7518, section 6 (their members) and RFC 8725, section 3.5 (no weak keys). What is refused here:
private and symmetric keys, keys for encryption, other curves than P-256, RSA keys that are short or absurdly long, and
any algorithm but RS256 and ES256.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from jose import jwk
from jose.exceptions import JOSEError

from domain.json_value import JsonObject
from web.strict import base64url, json_object
from web.token_keys import ES256, LONGEST_KEY_ID, RS256, TokenKey

MOST_KEYS: Final = 32
RSA_BITS: Final = range(2048, 8192 + 1)
"""RFC 7518, section 3.3; and no more than verifying a signature may cost us."""
COORDINATE_BYTES: Final = 32
"""Of a point on P-256, always all of them (RFC 7518, section 6.2.1.2)."""

_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class UnfitKey(Exception):
    """Why, for the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySet:
    """The keys by their names; and why others were refused, by their names or places."""

    keys: Mapping[str, TokenKey]
    refused: Mapping[str, str]


def key_set(text: bytes) -> KeySet:
    """
    A JWK Set, without the keys that do not suit us (RFC 7517, section 5).

    Raises ValueError for what is none, or has more than MOST_KEYS.
    """
    entries = json_object(text).get("keys")
    if not isinstance(entries, list):
        raise ValueError("no list of keys")
    if len(entries) > MOST_KEYS:
        raise ValueError(f"more than {MOST_KEYS} keys")
    fit: list[TokenKey] = []
    refused: dict[str, str] = {}
    for number, entry in enumerate(entries, 1):
        try:
            fit.append(published_key(entry))
        except UnfitKey as unfit:
            refused[f"key {number}"] = str(unfit)
    named = Counter(key.key_id for key in fit)
    refused |= {key_id: "another key has the same kid" for key_id, times in named.items() if times > 1}
    return KeySet(keys={key.key_id: key for key in fit if named[key.key_id] == 1}, refused=refused)


def published_key(entry: object) -> TokenKey:
    """A public key for RS256 or ES256, as its kind demands whatever its `alg` says; raises UnfitKey."""
    if not isinstance(entry, dict):
        raise UnfitKey("not a JSON object")
    key_id = _key_id(entry)
    _check_purpose(entry)
    algorithm, members = _material(entry)
    if entry.get("alg", algorithm) != algorithm:
        raise UnfitKey(f"its alg is not {algorithm}")
    try:
        key = jwk.construct(dict(members), algorithm)
    except (JOSEError, ValueError) as unfit:
        raise UnfitKey("its numbers make no key") from unfit
    return TokenKey(algorithm=algorithm, key=key, key_id=key_id, members=members)


def _key_id(entry: JsonObject) -> str:
    key_id = entry.get("kid")
    if not isinstance(key_id, str) or not 0 < len(key_id) <= LONGEST_KEY_ID:
        raise UnfitKey(f"its kid is missing, or no text of up to {LONGEST_KEY_ID} characters")
    return key_id


def _check_purpose(entry: JsonObject) -> None:
    if not entry.keys().isdisjoint(_PRIVATE):
        raise UnfitKey("it is private or symmetric")
    if entry.get("use", "sig") != "sig":
        raise UnfitKey("its use is not sig")
    operations = entry.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        raise UnfitKey("its key_ops are without verify")


def _material(entry: JsonObject) -> tuple[str, Mapping[str, str]]:
    """The algorithm, and the members without which there would be no key."""
    match entry.get("kty"):
        case "RSA":
            return RS256, _rsa(entry)
        case "EC":
            return ES256, _curve_point(entry)
        case _:
            raise UnfitKey("its kty is neither RSA nor EC")


def _rsa(entry: JsonObject) -> Mapping[str, str]:
    modulus, exponent = _text(entry, "n"), _text(entry, "e")
    if int.from_bytes(_decoded(modulus, "n")).bit_length() not in RSA_BITS:
        raise UnfitKey(f"it has not {RSA_BITS.start} to {RSA_BITS.stop - 1} bits")
    _decoded(exponent, "e")
    return {"kty": "RSA", "n": modulus, "e": exponent}


def _curve_point(entry: JsonObject) -> Mapping[str, str]:
    if entry.get("crv") != "P-256":
        raise UnfitKey("its crv is not P-256")
    point = {name: _text(entry, name) for name in ("x", "y")}
    if any(len(_decoded(value, name)) != COORDINATE_BYTES for name, value in point.items()):
        raise UnfitKey(f"x or y has not {COORDINATE_BYTES} bytes")
    return {"kty": "EC", "crv": "P-256", **point}


def _text(entry: JsonObject, name: str) -> str:
    value = entry.get(name)
    if not isinstance(value, str):
        raise UnfitKey(f"{name} is missing or not a text")
    return value


def _decoded(value: str, name: str) -> bytes:
    try:
        return base64url(value)
    except ValueError as malformed:
        raise UnfitKey(f"{name} is {malformed}") from malformed
