"""
What a bearer token must look like before and after its signature is verified.

RFC 7515 (JWS), RFC 7519 (JWT) and RFC 8725 (best current practices). Stricter than they ask: nothing about
the key or the algorithm is ever taken from the token, and each token has exactly one spelling.
"""

import json
import math
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NoReturn, TypeAlias
from uuid import UUID

from domain.actor import Actor, Role
from domain.json_value import JsonObject

ALGORITHM: Final = "HS256"
LONGEST_TOKEN: Final = 8192
"""Characters; looked at before anything is decoded."""
LEEWAY_SECONDS: Final = 10

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_TYPES = frozenset({"jwt", "at+jwt"})
_DANGEROUS = ("crit", "b64", "jku", "jwk", "x5c", "x5u", "zip")
"""Header parameters that name a key, fetch one, or change how the token is to be read."""

_BY_STRENGTH = (Role.ADMIN, Role.SUPPORT, Role.SERVICE, Role.USER)
"""What a token can make of its bearer, the strongest first. ANONYMOUS and SYSTEM come from no token."""

Claims: TypeAlias = JsonObject


class TokenRefused(Exception):
    """Why, for our log; the caller does not hear it."""


class TokenExpired(TokenRefused):
    """The token was genuine once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedToken:
    """Who bears it, and until when, in seconds since the epoch."""

    actor: Actor
    expires_at: float

    def must_not_have_expired(self, *, now: float) -> None:
        if now >= self.expires_at + LEEWAY_SECONDS:
            raise TokenExpired("exp has passed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The issuer and the audience that a token must name; None is not compared."""

    issuer: str | None = None
    audience: str | None = None


def check_form(token: str) -> None:
    """Three parts of canonical base64url with a header that asks for nothing unusual; raises TokenRefused."""
    if len(token) > LONGEST_TOKEN:
        raise TokenRefused("too long")
    if not _COMPACT.fullmatch(token):
        raise TokenRefused("not a compact JWS")
    header, _payload, _signature = map(_decoded, token.split("."))
    _check_header(json_object(header))


def verified_token(claims: Claims, expected: Expected, *, now: float) -> VerifiedToken:
    """What the claims of a genuine token say; raises TokenRefused."""
    if _seconds(claims, "iat") > now + LEEWAY_SECONDS:
        raise TokenRefused("iat lies in the future")
    if "nbf" in claims and _seconds(claims, "nbf") > now + LEEWAY_SECONDS:
        raise TokenRefused("nbf lies in the future")
    _check_origin(claims, expected)
    actor = Actor(role=_role(claims), user_id=_subject(claims))
    token = VerifiedToken(actor=actor, expires_at=_seconds(claims, "exp"))
    token.must_not_have_expired(now=now)
    return token


def json_object(text: bytes) -> JsonObject:
    """Strict JSON: no NaN, no name twice, no depth that Python cannot bear; raises TokenRefused."""
    try:
        value = json.loads(text.decode(), parse_constant=_refuse_constant, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as malformed:
        raise TokenRefused("not JSON") from malformed
    if not isinstance(value, dict):
        raise TokenRefused("not a JSON object")
    return value


def _decoded(part: str) -> bytes:
    """Refuses spellings that decode to the same bytes, such as other unused bits at the end (RFC 4648, 3.5)."""
    try:
        content = urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except NotBase64 as malformed:
        raise TokenRefused("not base64url") from malformed
    if urlsafe_b64encode(content).rstrip(b"=") != part.encode():
        raise TokenRefused("not canonical base64url")
    return content


def _check_header(header: Mapping[str, object]) -> None:
    if header.get("alg") != ALGORITHM:
        raise TokenRefused("another algorithm")
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise TokenRefused("another typ")
    if not header.keys().isdisjoint(_DANGEROUS):
        raise TokenRefused("a header parameter that is not supported")


def _check_origin(claims: Claims, expected: Expected) -> None:
    if expected.issuer is not None and claims.get("iss") != expected.issuer:
        raise TokenRefused("another iss")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if expected.audience is not None and expected.audience not in audiences:
        raise TokenRefused("another aud")


def _seconds(claims: Claims, name: str) -> float:
    """A NumericDate (RFC 7519, section 2); a bool is an int to Python, but not here."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TokenRefused(f"{name} is missing or not a number")
    try:
        seconds = float(value)
    except OverflowError as too_large:
        raise TokenRefused(f"{name} is out of range") from too_large
    if not math.isfinite(seconds):
        raise TokenRefused(f"{name} is out of range")
    return seconds


def _subject(claims: Claims) -> UUID:
    """The user's id, in the canonical form of a UUID only, so that a user has one name."""
    subject = claims.get("sub")
    if not isinstance(subject, str):
        raise TokenRefused("sub is missing or not a text")
    try:
        user_id = UUID(subject)
    except ValueError as malformed:
        raise TokenRefused("sub is not a UUID") from malformed
    if str(user_id) != subject.lower():
        raise TokenRefused("sub is not a UUID in its canonical form")
    return user_id


def _role(claims: Claims) -> Role:
    """The strongest role that the token names; one that we do not know gives no more than USER."""
    names = {name.upper() for name in _role_names(claims) if name.isascii()}
    return next((role for role in _BY_STRENGTH if role.value in names), Role.USER)


def _role_names(claims: Claims) -> list[str]:
    roles = claims.get("roles", [])
    if not isinstance(roles, list):
        raise TokenRefused("roles is not a list")
    names = [*roles, claims.get("role", "")]
    texts = [name for name in names if isinstance(name, str)]
    if len(texts) != len(names):
        raise TokenRefused("a role is not a text")
    return texts


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name stands twice")
    return members
