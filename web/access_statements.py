"""
Access statements: decisions about access as short-lived JWTs (ES256), and the public keys to check them with.

RFC 7515 (JWS), 7517 (JWK), 7519 (JWT), and 7638 for the name of a key, so that it needs no setting of its own.
"""

import hashlib
import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jose import jwk, jws
from jose.backends.base import Key
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from domain.access_decision import AccessDecision
from domain.json_value import JsonValue
from domain.ports import Clock
from web.clock import system_clock

JWKS: Final = "/.well-known/jwks.json"
ALGORITHM: Final = "ES256"
KIND: Final = "access-statement+jwt"
"""The header's `typ`, so that no other token passes for a statement (RFC 8725, section 3.11)."""
MOST_KEYS: Final = 2
KEYS_ARE_CACHED_FOR: Final = timedelta(minutes=5)

_PEM = re.compile(r"-----BEGIN (EC )?PRIVATE KEY-----[^-]+-----END (EC )?PRIVATE KEY-----")
_WANTED = "one or two unencrypted private keys on the curve P-256, in PEM"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementKey:
    """`public` is its public half as a JWK, under the name that the statements' headers give."""

    private: Key = field(repr=False)
    public: dict[str, str]

    @property
    def name(self) -> str:
        return self.public["kid"]


def statement_keys(pem: str) -> tuple[StatementKey, ...]:
    r"""
    The keys in a setting, the one that signs first; `\n` may stand for a line's end.

    Raises ValueError for anything else than one or two keys for ES256, without repeating it.
    """
    text = pem.replace("\\n", "\n")
    found = [match[0] for match in _PEM.finditer(text)]
    if _PEM.sub("", text).strip() or len(found) > MOST_KEYS:
        raise ValueError(f"It takes {_WANTED}.")
    return tuple(map(_key, found))


def _key(pem: str) -> StatementKey:
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError(f"It takes {_WANTED}.") from None  # What is wrong may quote the key.
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        raise ValueError(f"It takes {_WANTED}.")
    private = jwk.construct(pem, ALGORITHM)
    return StatementKey(private=private, public=_public(private))


def _public(private: Key) -> dict[str, str]:
    known = private.public_key().to_dict()
    coordinates = {name: str(known[name]) for name in ("crv", "kty", "x", "y")}
    return {**coordinates, "kid": _thumbprint(coordinates), "use": "sig", "alg": ALGORITHM}


def _thumbprint(required: dict[str, str]) -> str:
    """RFC 7638, section 3: the hash of the members that make the key, by name and without spaces."""
    canonical = json.dumps(required, sort_keys=True, separators=(",", ":"))
    return urlsafe_b64encode(hashlib.sha256(canonical.encode()).digest()).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedStatements:
    """
    Signs with the first key and publishes all of them; without a key it signs nothing.

    `clock` is real time, by which statements expire, also where decisions are made by a sandbox's.
    """

    keys: Sequence[StatementKey] = ()
    issuer: str
    audience: str
    lifetime: timedelta
    clock: Clock = system_clock

    def signed(self, decision: AccessDecision) -> str | None:
        """The decision as a token that expires within minutes, and no later than the access that it states."""
        if not self.keys:
            return None
        key = self.keys[0]
        headers = {"typ": KIND, "kid": key.name}
        return jws.sign(self._claims(decision), key.private, headers=headers, algorithm=ALGORITHM)

    def published(self) -> dict[str, list[dict[str, str]]]:
        """The public keys, as a JWK Set."""
        return {"keys": [key.public for key in self.keys]}

    def _claims(self, decision: AccessDecision) -> dict[str, JsonValue]:
        now, question = self.clock(), decision.question
        named = {"media_item_id": question.target.media_item_id, "feature": question.target.feature}
        return {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": str(question.user_id),
            "iat": int(now.timestamp()),
            "exp": int((now + self._life_of(decision)).timestamp()),
            **{name: value for name, value in named.items() if value is not None},
            "allowed": decision.allowed,
            "reason": decision.reason.value,
            "until": None if decision.until is None else int(decision.until.timestamp()),
        }

    def _life_of(self, decision: AccessDecision) -> timedelta:
        if decision.until is None:
            return self.lifetime
        return min(self.lifetime, decision.until - decision.evaluated_at)


def jwks_route(statements: SignedStatements) -> Route:
    """The public keys for everybody, to be kept for some minutes."""
    headers = {"Cache-Control": f"public, max-age={int(KEYS_ARE_CACHED_FOR.total_seconds())}"}

    async def published(_: Request) -> Response:
        return JSONResponse(statements.published(), headers=headers)

    return Route(JWKS, published)
