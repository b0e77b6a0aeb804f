import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.web.issuer import IssuerKey, ec_key, encoded, number, published, rsa_key
from web.jwk_set import MOST_KEYS, UnfitKey, key_set, published_key
from web.token_keys import LONGEST_KEY_ID

RSA = rsa_key()
EC = ec_key()


def private_of(key: IssuerKey) -> dict[str, str]:
    value = key.private.private_numbers()
    return {"d": number(getattr(value, "private_value", None) or getattr(value, "d"))}  # noqa: B009 - of either kind


UNFIT: dict[str, tuple[object, str]] = {
    "no object": ("key", "not a JSON object"),
    "no kid": (RSA.jwk(kid=None), "kid"),
    "empty kid": (RSA.jwk(kid=""), "kid"),
    "kid a number": (RSA.jwk(kid=1), "kid"),
    "kid too long": (RSA.jwk(kid="k" * (LONGEST_KEY_ID + 1)), "kid"),
    "no kty": (RSA.jwk(kty=None), "kty"),
    "another kty": (RSA.jwk(kty="OKP"), "kty"),
    "kty a list": (RSA.jwk(kty=["RSA"]), "kty"),
    "a secret": ({"kid": "s", "kty": "oct", "alg": "HS256", "k": encoded(b"x" * 32)}, "private or symmetric"),
    "a secret without its value": ({"kid": "s", "kty": "oct", "alg": "HS256"}, "kty"),
    "a public key that is also a secret": (RSA.jwk(k=encoded(b"x" * 32)), "private or symmetric"),
    "a private RSA key": (RSA.jwk(**private_of(RSA)), "private or symmetric"),
    "a private EC key": (EC.jwk(**private_of(EC)), "private or symmetric"),
    "a prime of it": (RSA.jwk(p="AQAB"), "private or symmetric"),
    "for encryption": (RSA.jwk(use="enc"), "use"),
    "use a list": (RSA.jwk(use=["sig"]), "use"),
    "for encryption, by key_ops": (RSA.jwk(key_ops=["wrapKey"]), "key_ops"),
    "key_ops a text": (RSA.jwk(key_ops="verify"), "key_ops"),
    "RSA for HS256": (RSA.jwk(alg="HS256"), "alg is not RS256"),
    "RSA for PS256": (RSA.jwk(alg="PS256"), "alg is not RS256"),
    "RSA for RS512": (RSA.jwk(alg="RS512"), "alg is not RS256"),
    "RSA for ES256": (RSA.jwk(alg="ES256"), "alg is not RS256"),
    "RSA for none": (RSA.jwk(alg="none"), "alg is not RS256"),
    "RSA with alg null": ({**RSA.jwk(), "alg": None}, "alg is not RS256"),
    "EC for HS256": (EC.jwk(alg="HS256"), "alg is not ES256"),
    "EC for ES384": (EC.jwk(alg="ES384"), "alg is not ES256"),
    "RSA of 1024 bits": (rsa_key("short", bits=1024).jwk(), "bits"),
    "RSA of 2047 bits": (RSA.jwk(n=number((1 << 2046) + 1)), "bits"),
    "RSA of 8193 bits": (RSA.jwk(n=number((1 << 8192) + 1)), "bits"),
    "RSA of 500,000 bits": (RSA.jwk(n=number((1 << 500_000) + 1)), "bits"),
    "RSA without n": (RSA.jwk(n=None), "n is missing"),
    "RSA without e": (RSA.jwk(e=None), "e is missing"),
    "n a number": (RSA.jwk(n=17), "n is missing"),
    "n no base64url": (RSA.jwk(n="+/" + RSA.jwk()["n"]), "n is not"),
    "n of another alphabet": (RSA.jwk(n="é" * 400), "n is not"),
    "n padded": (RSA.jwk(n=RSA.jwk()["n"] + "=="), "n is not"),
    "e of 1": (RSA.jwk(e=number(1)), "make no key"),
    "e even": (RSA.jwk(e=number(65536)), "make no key"),
    "e empty": (RSA.jwk(e=""), "make no key"),
    "P-384": (ec_key("p384", curve=ec.SECP384R1()).jwk(), "crv"),
    "no crv": (EC.jwk(crv=None), "crv"),
    "secp256k1": (EC.jwk(crv="secp256k1"), "crv"),
    "no point of the curve": (EC.jwk(x=number(1, 32), y=number(1, 32)), "make no key"),
    "the origin": (EC.jwk(x=encoded(bytes(32)), y=encoded(bytes(32))), "make no key"),
    "a point of P-384 on P-256": (ec_key(curve=ec.SECP384R1()).jwk(crv="P-256", alg="ES256"), "bytes"),
    "x too short": (EC.jwk(x=encoded(b"x" * 31)), "bytes"),
    "y missing": (EC.jwk(y=None), "y is missing"),
}


class TestPublishedKey:
    @pytest.mark.parametrize("key", [RSA, EC])
    @pytest.mark.parametrize(
        "changes", [{}, {"alg": None}, {"use": None}, {"key_ops": ["verify"]}, {"x5c": ["MII"]}]
    )
    def test_that_suits_is_for_one_algorithm_whatever_is_left_out(
        self, key: IssuerKey, changes: dict[str, Any]
    ) -> None:
        taken = published_key(key.jwk(**changes))

        assert (taken.key_id, taken.algorithm) == (key.key_id, key.algorithm)
        assert taken.payload(key.token(b"signed")) == b"signed"

    @pytest.mark.parametrize(("entry", "reason"), UNFIT.values(), ids=UNFIT)
    def test_that_does_not_suit_is_refused_and_says_why(self, entry: object, reason: str) -> None:
        with pytest.raises(UnfitKey, match=reason):
            published_key(entry)

    def test_has_signed_nothing_under_another_algorithm(self) -> None:
        key = published_key(RSA.jwk())

        assert [key.payload(RSA.with_header(alg=alg)) for alg in ("RS512", "PS256", "none", "HS256")] == [
            None
        ] * 4


class TestKeySet:
    def test_keeps_what_suits_beside_what_does_not(self) -> None:
        taken = key_set(published(RSA, EC.jwk(crv="P-384"), EC, {"kty": "OKP", "kid": "ed"}))

        assert taken.keys.keys() == {"rsa-1", "ec-1"}
        assert taken.refused == {"key 2": "its crv is not P-256", "key 4": "its kty is neither RSA nor EC"}

    def test_name_of_two_keys_is_nobodys(self) -> None:
        taken = key_set(published(RSA, EC.jwk(kid="rsa-1"), ec_key("other")))

        assert taken.keys.keys() == {"other"}
        assert taken.refused == {"rsa-1": "another key has the same kid"}

    def test_of_as_many_keys_as_allowed_is_taken(self) -> None:
        assert len(key_set(published(*(EC.jwk(kid=f"k{n}") for n in range(MOST_KEYS)))).keys) == MOST_KEYS

    @pytest.mark.parametrize(
        "text",
        [
            b"",
            b"<html>",
            b"\xff\xfe",
            b"null",
            b"[]",
            b"{}",
            b'{"keys": null}',
            b'{"keys": {}}',
            b'{"keys": "rsa"}',
            b'{"keys": [], "keys": []}',
            b'{"keys": [NaN]}',
            b'{"keys": ' + b"[" * 60_000,
            json.dumps({"keys": [{}] * (MOST_KEYS + 1)}).encode(),
            json.dumps(RSA.jwk()).encode(),
        ],
    )
    def test_that_is_none_is_refused_as_a_whole(self, text: bytes) -> None:
        with pytest.raises(ValueError, match=r"not JSON|no list|more than|not a JSON object"):
            key_set(text)
