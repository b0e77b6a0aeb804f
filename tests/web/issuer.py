"""The User Service's part in tokens: keys that sign, what is published of them, and tokens made without our library."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

USER = UUID("6f1f3f0e-8f4e-4f0a-9a59-0d6a4f7c1a11")


def encoded(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def number(value: int, size: int | None = None) -> str:
    return encoded(value.to_bytes(size or (value.bit_length() + 7) // 8))


def genuine_claims(**changes: object) -> dict[str, object]:
    now = int(datetime.now(UTC).timestamp())
    return {"sub": str(USER), "iat": now, "exp": now + 3600, "role": "user", **changes}


@dataclass(frozen=True, kw_only=True)
class IssuerKey:
    key_id: str
    private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

    @property
    def algorithm(self) -> str:
        return "RS256" if isinstance(self.private, rsa.RSAPrivateKey) else "ES256"

    @property
    def pem(self) -> bytes:
        return self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def jwk(self, **changes: object) -> dict[str, Any]:
        """As it is published; what is changed to None is left out."""
        described = {"kid": self.key_id, "use": "sig", "alg": self.algorithm, **self._members(), **changes}
        return {name: value for name, value in described.items() if value is not None}

    def token(
        self,
        claims: Mapping[str, object] | bytes | None = None,
        header: Mapping[str, object] | bytes | None = None,
    ) -> str:
        """With a genuine signature over whatever is said."""
        parts = (self._header() if header is None else header, genuine_claims() if claims is None else claims)
        texts = (part if isinstance(part, bytes) else json.dumps(part).encode() for part in parts)
        signing_input = ".".join(map(encoded, texts))
        return f"{signing_input}.{encoded(self._signature(signing_input.encode()))}"

    def with_header(self, **changes: object) -> str:
        return self.token(header={**self._header(), **changes})

    def _header(self) -> dict[str, object]:
        return {"alg": self.algorithm, "typ": "JWT", "kid": self.key_id}

    def _members(self) -> dict[str, str]:
        if isinstance(self.private, rsa.RSAPrivateKey):
            public = self.private.public_key().public_numbers()
            return {"kty": "RSA", "n": number(public.n), "e": number(public.e)}
        point, size = self.private.public_key().public_numbers(), self._coordinate_bytes(self.private)
        crv = {"secp256r1": "P-256", "secp384r1": "P-384"}[self.private.curve.name]
        return {"kty": "EC", "crv": crv, "x": number(point.x, size), "y": number(point.y, size)}

    def _signature(self, content: bytes) -> bytes:
        hashed: HashAlgorithm = SHA256()
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(content, PKCS1v15(), hashed)
        size = self._coordinate_bytes(self.private)
        r, s = decode_dss_signature(self.private.sign(content, ec.ECDSA(hashed)))
        return r.to_bytes(size) + s.to_bytes(size)

    @staticmethod
    def _coordinate_bytes(private: ec.EllipticCurvePrivateKey) -> int:
        return private.curve.key_size // 8


@cache
def rsa_key(key_id: str = "rsa-1", *, bits: int = 2048) -> IssuerKey:
    return IssuerKey(key_id=key_id, private=rsa.generate_private_key(public_exponent=65537, key_size=bits))


def ec_key(key_id: str = "ec-1", *, curve: ec.EllipticCurve | None = None) -> IssuerKey:
    return IssuerKey(key_id=key_id, private=ec.generate_private_key(curve or ec.SECP256R1()))


def published(*keys: IssuerKey | dict[str, Any]) -> bytes:
    members = [key.jwk() if isinstance(key, IssuerKey) else key for key in keys]
    return json.dumps({"keys": members}).encode()
