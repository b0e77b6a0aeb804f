"""
Who asks: from the Authorization header to an Actor.

Nothing else tells us. Identity headers such as X-User-Id are ignored, wherever they come from.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from jose import jws
from starlette.types import Scope

from domain.actor import ANONYMOUS, Actor, Role
from domain.errors import Unauthenticated
from domain.ports import Clock
from web.clock import system_clock
from web.request_id import request_id
from web.token_keys import HS256, secret_key
from web.token_verifier import ExpiredToken, TokenVerifier

_BEARER: Final = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*)", re.ASCII | re.IGNORECASE)
"""RFC 6750, section 2.1; the scheme's case does not matter (RFC 9110, section 11.1)."""

STRANGER: Final = "is_stranger"
"""In the scope of a request whose token was never anybody's."""


class Authentication:
    """The only place that reads the Authorization header."""

    def __init__(self, verifier: TokenVerifier) -> None:
        self._verifier = verifier

    async def actor(self, scope: Scope) -> Actor:
        """
        Who makes this request, under its request id and from which address; without the header, an anonymous
        caller.

        Raises Unauthenticated for a header that is not exactly one genuine bearer token, and IdentityUnavailable
        where that cannot be told now. The access log finds the actor in the scope, and the rate limits a STRANGER.
        """
        try:
            values = credentials(scope)
            actor = await self._verifier.verify(bearer_token(values)) if values else ANONYMOUS
        except ExpiredToken:
            raise
        except Unauthenticated:
            scope[STRANGER] = True
            raise
        client = scope.get("client")
        scope["actor"] = actor = replace(actor, request_id=request_id(), ip=client[0] if client else None)
        return actor

    def remembers(self, scope: Scope) -> bool:
        """Whether this request's token was verified before and holds still, which costs nothing to tell."""
        try:
            return self._verifier.remembers(bearer_token(credentials(scope)))
        except Unauthenticated:
            return False


def credentials(scope: Scope) -> Sequence[bytes]:
    """Of each Authorization header, as it came."""
    return [value for name, value in scope["headers"] if name == b"authorization"]


def bearer_token(credentials: Sequence[bytes]) -> str:
    """What stands in the headers, of which there is one at least, if it is one token; raises Unauthenticated."""
    found = _BEARER.fullmatch(credentials[0].decode("latin-1"))
    if len(credentials) > 1 or found is None:
        raise Unauthenticated("The Authorization header must be one bearer token.")
    return found[1]


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
    """
    A token as the real issuer would sign it under a shared secret, for the command line and for tests.

    Raises ValueError for a secret that is none.
    """
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
    return jws.sign(named, secret_key(secret).key, algorithm=HS256)
