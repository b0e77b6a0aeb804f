"""
What a bearer token must look like before and after its signature is verified.

RFC 7515 (JWS), RFC 7519 (JWT) and RFC 8725 (best current practices). Stricter than they ask: a token brings no
key, only the name of one, whose algorithm it must name as well; and its three parts have exactly one spelling.
"""

import math
import re
from dataclasses import dataclass
from typing import Final, TypeAlias
from uuid import UUID

from domain.actor import Actor, Role
from domain.json_value import JsonObject
from web.strict import base64url, json_object
from web.token_keys import HS256, LONGEST_KEY_ID, PUBLISHED, TokenKey

LONGEST_TOKEN: Final = 8192
"""Characters; looked at before anything is decoded."""
LEEWAY_SECONDS: Final = 10

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_ALGORITHMS = PUBLISHED | {HS256}
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
class TokenHeader:
    """By which algorithm the token says it is signed, and the name of the key, if it has one."""

    algorithm: str
    key_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedToken:
    """Who bears it, until when, in seconds since the epoch, and the key whose word that is."""

    actor: Actor
    expires_at: float
    key: TokenKey

    def has_expired(self, *, now: float) -> bool:
        return now >= self.expires_at + LEEWAY_SECONDS

    def must_not_have_expired(self, *, now: float) -> None:
        if self.has_expired(now=now):
            raise TokenExpired("exp has passed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The issuer and the audience that a token must name; None is not compared."""

    issuer: str | None = None
    audience: str | None = None


def header_of(token: str) -> TokenHeader:
    """Of three parts of canonical base64url that ask for nothing unusual; raises TokenRefused."""
    if len(token) > LONGEST_TOKEN:
        raise TokenRefused("too long")
    if not _COMPACT.fullmatch(token):
        raise TokenRefused("not a compact JWS")
    try:
        header, _payload, _signature = map(base64url, token.split("."))
        return _header(json_object(header))
    except ValueError as malformed:
        raise TokenRefused(str(malformed)) from malformed


def claims_of(payload: bytes) -> Claims:
    """Raises TokenRefused."""
    try:
        return json_object(payload)
    except ValueError as malformed:
        raise TokenRefused(str(malformed)) from malformed


def verified_token(claims: Claims, key: TokenKey, expected: Expected, *, now: float) -> VerifiedToken:
    """What the claims that this key has signed say; raises TokenRefused."""
    if _seconds(claims, "iat") > now + LEEWAY_SECONDS:
        raise TokenRefused("iat lies in the future")
    if "nbf" in claims and _seconds(claims, "nbf") > now + LEEWAY_SECONDS:
        raise TokenRefused("nbf lies in the future")
    _check_origin(claims, expected)
    actor = Actor(role=_role(claims), user_id=_subject(claims))
    token = VerifiedToken(actor=actor, expires_at=_seconds(claims, "exp"), key=key)
    token.must_not_have_expired(now=now)
    return token


def _header(header: JsonObject) -> TokenHeader:
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in _ALGORITHMS:
        raise TokenRefused("another algorithm")
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise TokenRefused("another typ")
    if not header.keys().isdisjoint(_DANGEROUS):
        raise TokenRefused("a header parameter that is not supported")
    return TokenHeader(algorithm=algorithm, key_id=_key_id(header))


def _key_id(header: JsonObject) -> str | None:
    key_id = header.get("kid")
    if "kid" in header and (not isinstance(key_id, str) or not 0 < len(key_id) <= LONGEST_KEY_ID):
        raise TokenRefused("kid is no text, or too long")
    return key_id if isinstance(key_id, str) else None


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
