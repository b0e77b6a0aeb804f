"""
The keys that tokens are verified with, each for exactly one algorithm (RFC 8725, section 3.1).

No key is ever used for another: a secret never verifies RS256, nor a public key HS256.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from jose import jwk, jws
from jose.backends.base import Key
from jose.exceptions import JOSEError

HS256: Final = "HS256"
RS256: Final = "RS256"
ES256: Final = "ES256"
PUBLISHED: Final = frozenset({RS256, ES256})
"""What keys that everybody may read are for."""

SHORTEST_SECRET: Final = 32
"""Bytes; a key for HS256 has at least as many as the hash (RFC 7518, section 3.2)."""
LONGEST_KEY_ID: Final = 200
"""Characters."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TokenKey:
    """`members` are those of a JWK without which there would be no key; a secret has none, and no name either."""

    algorithm: str
    key: Key = field(repr=False)
    key_id: str = ""
    members: Mapping[str, str] = field(default_factory=dict)

    def payload(self, token: str) -> bytes | None:
        """What this key has signed; None where it has not, or where the header says another algorithm."""
        try:
            return jws.verify(token, self.key, algorithms=[self.algorithm])
        except JOSEError:
            return None


def secret_key(secret: str) -> TokenKey:
    """Raises ValueError for a secret that is too short, or that is a public key or a certificate."""
    if len(secret.encode()) < SHORTEST_SECRET:
        raise ValueError(f"A secret for {HS256} has at least {SHORTEST_SECRET} bytes.")
    try:
        return TokenKey(algorithm=HS256, key=jwk.construct(secret, HS256))
    except JOSEError as unfit:
        raise ValueError(f"This cannot be a secret for {HS256}.") from unfit
