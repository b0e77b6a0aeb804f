"""
Who asks: from the Authorization header to an Actor.

Nothing else tells us. Identity headers such as X-User-Id are ignored, wherever they come from.
"""

import re
from collections import OrderedDict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

import structlog
from jose import jwk, jws
from jose.backends.base import Key
from jose.exceptions import JOSEError
from starlette.types import Scope
from structlog.typing import FilteringBoundLogger

from domain.actor import ANONYMOUS, Actor, Role
from domain.errors import Unauthenticated
from domain.ports import Clock
from web.request_id import request_id
from web.tokens import (
    ALGORITHM,
    Expected,
    TokenExpired,
    TokenRefused,
    VerifiedToken,
    check_form,
    json_object,
    verified_token,
)

SHORTEST_SECRET: Final = 32
"""Bytes; a key for HS256 has at least as many as the hash (RFC 7518, section 3.2)."""
REMEMBERED_TOKENS: Final = 1000

_BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*)", re.ASCII | re.IGNORECASE)
"""RFC 6750, section 2.1; the scheme's case does not matter (RFC 9110, section 11.1)."""

log: FilteringBoundLogger = structlog.get_logger()


def system_clock() -> datetime:
    return datetime.now(UTC)


class TokenVerifier(Protocol):
    def verify(self, token: str) -> Actor:
        """The bearer of a genuine token; raises Unauthenticated."""
        ...


class SharedSecretVerifier:
    """
    HS256 tokens under a secret that their issuer shares with us.

    Tokens that were verified are remembered until they expire, since clients send the same one again and again.
    """

    def __init__(
        self,
        secret: str,
        *,
        issuer: str | None = None,
        audience: str | None = None,
        clock: Clock = system_clock,
        remembered: int = REMEMBERED_TOKENS,
    ) -> None:
        """Raises ValueError for a secret that is too short, or that is a public key or a certificate."""
        self._key = signing_key(secret)
        self._expected = Expected(issuer=issuer, audience=audience)
        self._clock = clock
        self._remembered = RecentTokens(remembered)

    def verify(self, token: str) -> Actor:
        """The bearer of a genuine token; raises Unauthenticated."""
        try:
            return self._verified(token, now=self._clock().timestamp()).actor
        except TokenExpired as expired:
            raise Unauthenticated("The bearer token has expired.") from expired
        except TokenRefused as refused:
            log.warning("token.refused", reason=str(refused))
            raise Unauthenticated("The bearer token is not valid.") from refused

    def _verified(self, token: str, *, now: float) -> VerifiedToken:
        known = self._remembered.get(token)
        if known is not None:
            known.must_not_have_expired(now=now)
            return known
        check_form(token)
        verified = verified_token(json_object(self._payload(token)), self._expected, now=now)
        self._remembered.add(token, verified)
        return verified

    def _payload(self, token: str) -> bytes:
        try:
            return jws.verify(token, self._key, algorithms=[ALGORITHM])
        except JOSEError as forged:
            raise TokenRefused("the signature does not match") from forged


class RecentTokens:
    """The last tokens that were verified; the one unused for longest makes room. For one thread."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._tokens: OrderedDict[str, VerifiedToken] = OrderedDict()

    def __len__(self) -> int:
        return len(self._tokens)

    def get(self, token: str) -> VerifiedToken | None:
        known = self._tokens.get(token)
        if known is not None:
            self._tokens.move_to_end(token)
        return known

    def add(self, token: str, verified: VerifiedToken) -> None:
        self._tokens[token] = verified
        if len(self._tokens) > self._capacity:
            self._tokens.popitem(last=False)


class Authentication:
    """The only place that reads the Authorization header."""

    def __init__(self, verifier: TokenVerifier) -> None:
        self._verifier = verifier

    def actor(self, scope: Scope) -> Actor:
        """
        Who makes this request, under its request id and from which address; without the header, an anonymous
        caller.

        Raises Unauthenticated for a header that is not exactly one genuine bearer token. The access log
        finds the actor in the scope.
        """
        values = [value for name, value in scope["headers"] if name == b"authorization"]
        actor = self._bearer(values) if values else ANONYMOUS
        client = scope.get("client")
        scope["actor"] = actor = replace(actor, request_id=request_id(), ip=client[0] if client else None)
        return actor

    def _bearer(self, values: list[bytes]) -> Actor:
        credentials = _BEARER.fullmatch(values[0].decode("latin-1"))
        if len(values) > 1 or credentials is None:
            raise Unauthenticated("The Authorization header must be one bearer token.")
        return self._verifier.verify(credentials[1])


def signing_key(secret: str) -> Key:
    """Raises ValueError for a secret that is too short, or that is a public key or a certificate."""
    if len(secret.encode()) < SHORTEST_SECRET:
        raise ValueError(f"A secret for {ALGORITHM} has at least {SHORTEST_SECRET} bytes.")
    try:
        return jwk.construct(secret, ALGORITHM)
    except JOSEError as unfit:
        raise ValueError(f"This cannot be a secret for {ALGORITHM}.") from unfit


def development_token(
    secret: str,
    *,
    user_id: UUID,
    role: Role = Role.USER,
    lifetime: timedelta = timedelta(hours=1),
    issuer: str | None = None,
    audience: str | None = None,
    clock: Clock = system_clock,
) -> str:
    """A token as the real issuer would sign it, for the command line and for tests."""
    now = clock()
    claims = {
        "sub": str(user_id),
        "role": role.value.lower(),
        "iat": int(now.timestamp()),
        "exp": int((now + lifetime).timestamp()),
        "iss": issuer,
        "aud": audience,
    }
    named = {name: value for name, value in claims.items() if value is not None}
    return jws.sign(named, signing_key(secret), algorithm=ALGORITHM)
