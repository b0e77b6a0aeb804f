"""Signed statements about access, checked with what is published alone, by the example of docs/access.md."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from jose import jws, jwt
from starlette.applications import Starlette
from starlette.testclient import TestClient

from domain.access import AccessQuestion, AccessReason, AccessTarget
from domain.access_decision import AccessDecision
from gateway.development_key import new_key
from tests.domain.values import OWNER
from web.access_statements import JWKS, SignedStatements, jwks_route, statement_keys
from web.envelope import Envelope

GUIDE: Final = Path(__file__).parents[2] / "docs" / "access.md"
KEY, OTHER_KEY = new_key(), new_key()
MINUTES: Final = timedelta(minutes=5)

Clock = Callable[[], datetime]


def now() -> datetime:
    return datetime.now(UTC)


def statements(pem: str = KEY, *, clock: Clock = now, **changes: Any) -> SignedStatements:
    usual = {"issuer": "payments-gateway", "audience": "media-service", "lifetime": MINUTES}
    return SignedStatements(keys=statement_keys(pem), clock=clock, **{**usual, **changes})


def a_decision(*, until: timedelta | None = None, **known: Any) -> AccessDecision:
    usual: dict[str, Any] = {
        "question": AccessQuestion(user_id=OWNER, target=AccessTarget(media_item_id="film-17")),
        "allowed": True,
        "reason": AccessReason.OWNED,
        "explanation": "This was bought.",
        "evaluated_at": now(),
    }
    decision = AccessDecision(**{**usual, **known})
    return decision if until is None else replace(decision, until=decision.evaluated_at + until)


def signed(by: SignedStatements, decision: AccessDecision | None = None) -> str:
    token = by.signed(decision or a_decision())
    assert token is not None
    return token


def served(by: SignedStatements) -> Any:
    """What anybody gets at the address of the keys."""
    app = Starlette(routes=[jwks_route(by)])
    with TestClient(Envelope(app)) as client:
        return client.get(JWKS)


class Checker:
    """The Media Service: the example from the guide, as it stands there, and the keys that it fetches."""

    def __init__(self, by: SignedStatements) -> None:
        [example] = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
        self.names: dict[str, Any] = {}
        exec(compile(example, str(GUIDE), "exec"), self.names)  # noqa: S102 - it is ours, and to be tried.
        self.publisher, self.fetched = by, 0
        self.checks = self.names["AccessStatements"](self.fetch)

    def fetch(self) -> dict[str, Any]:
        self.fetched += 1
        keys: dict[str, Any] = served(self.publisher).json()
        return keys

    def allows(self, token: str, *, user_id: str = str(OWNER), media_item_id: str = "film-17") -> bool:
        found: bool = self.checks.allow(token, user_id=user_id, media_item_id=media_item_id)
        return found


def resigned(claims: Mapping[str, Any], pem: str, **headers: Any) -> str:
    """A statement as somebody with this key would write it."""
    by = statements(pem)
    usual = {"typ": "access-statement+jwt", "kid": by.keys[0].name}
    return jws.sign(dict(claims), by.keys[0].private, headers={**usual, **headers}, algorithm="ES256")


class TestStatement:
    def test_says_what_was_decided_and_lives_for_minutes(self) -> None:
        moment = datetime(2026, 7, 1, 12, tzinfo=UTC)
        decision = a_decision(until=timedelta(days=1), reason=AccessReason.SUBSCRIBED, evaluated_at=moment)

        token = signed(statements(clock=lambda: moment), decision)

        assert jwt.get_unverified_claims(token) == {
            "iss": "payments-gateway",
            "aud": "media-service",
            "sub": str(OWNER),
            "iat": int(moment.timestamp()),
            "exp": int((moment + MINUTES).timestamp()),
            "media_item_id": "film-17",
            "allowed": True,
            "reason": "SUBSCRIBED",
            "until": int((moment + timedelta(days=1)).timestamp()),
        }

    def test_about_a_feature_names_it(self) -> None:
        question = AccessQuestion(user_id=OWNER, target=AccessTarget(feature="hd"))

        claims = jwt.get_unverified_claims(signed(statements(), a_decision(question=question)))

        assert claims["feature"] == "hd"
        assert "media_item_id" not in claims

    def test_does_not_outlive_the_access(self) -> None:
        claims = jwt.get_unverified_claims(signed(statements(), a_decision(until=timedelta(seconds=90))))

        assert claims["exp"] - claims["iat"] in {90, 91}

    def test_expires_by_real_time_where_a_sandbox_decides(self) -> None:
        decided_at = now() + timedelta(days=400)

        token = signed(statements(), a_decision(evaluated_at=decided_at, until=timedelta(minutes=1)))

        claims = jwt.get_unverified_claims(token)
        assert claims["exp"] <= now().timestamp() + 61

    def test_is_not_given_without_a_key(self) -> None:
        assert statements("").signed(a_decision()) is None


class TestPublishedKeys:
    def test_hold_nothing_private_and_may_be_kept_for_minutes(self) -> None:
        response = served(statements(KEY + OTHER_KEY))

        assert response.headers["cache-control"] == "public, max-age=300"
        assert response.headers["content-type"] == "application/json"
        keys = response.json()["keys"]
        assert len({key["kid"] for key in keys}) == 2
        assert {frozenset(key) for key in keys} == {frozenset({"kty", "crv", "x", "y", "kid", "use", "alg"})}
        assert {(key["kty"], key["crv"], key["use"], key["alg"]) for key in keys} == {
            ("EC", "P-256", "sig", "ES256")
        }

    def test_are_none_without_a_key(self) -> None:
        assert served(statements("")).json() == {"keys": []}

    def test_keep_their_names(self) -> None:
        assert statements(KEY).published() == statements(KEY).published()


class TestChecker:
    def test_lets_in_whom_the_statement_is_about(self) -> None:
        by = statements()

        assert Checker(by).allows(signed(by))

    @pytest.mark.parametrize(
        "asked", [{"user_id": "0195d1c5-0000-7000-8000-000000000002"}, {"media_item_id": "film-18"}]
    )
    def test_lets_nobody_in_by_a_statement_about_something_else(self, asked: dict[str, str]) -> None:
        by = statements()

        assert not Checker(by).allows(signed(by), **asked)

    def test_lets_nobody_in_by_a_statement_about_a_feature(self) -> None:
        by = statements()
        question = AccessQuestion(user_id=OWNER, target=AccessTarget(feature="film-17"))

        assert not Checker(by).allows(signed(by, a_decision(question=question)))

    def test_takes_a_refusal_for_one(self) -> None:
        by = statements()

        assert not Checker(by).allows(signed(by, a_decision(allowed=False, reason=AccessReason.REFUNDED)))

    def test_refuses_one_that_has_expired(self) -> None:
        by = statements(clock=lambda: now() - timedelta(minutes=6))

        assert not Checker(by).allows(signed(by))

    @pytest.mark.parametrize("changes", [{"issuer": "somebody"}, {"audience": "another-service"}])
    def test_refuses_one_of_or_for_somebody_else(self, changes: dict[str, Any]) -> None:
        by = statements(**changes)

        assert not Checker(by).allows(signed(by))

    def test_refuses_one_without_an_end(self) -> None:
        by = statements()
        claims = jwt.get_unverified_claims(signed(by))
        del claims["exp"]

        assert not Checker(by).allows(resigned(claims, KEY))

    def test_refuses_a_token_of_another_kind(self) -> None:
        by = statements()
        claims = jwt.get_unverified_claims(signed(by))

        assert Checker(by).allows(resigned(claims, KEY))
        assert not Checker(by).allows(resigned(claims, KEY, typ="JWT"))

    def test_refuses_what_was_changed(self) -> None:
        by = statements()
        header, _payload, signature = signed(by, a_decision(allowed=False)).split(".")
        _header, payload, _signature = signed(by).split(".")

        assert not Checker(by).allows(f"{header}.{payload}.{signature}")

    def test_refuses_a_key_of_somebody_else_under_our_keys_name(self) -> None:
        by = statements()
        claims = jwt.get_unverified_claims(signed(by))

        assert not Checker(by).allows(resigned(claims, OTHER_KEY, kid=by.keys[0].name))

    def test_refuses_what_was_signed_with_our_public_key_as_a_secret(self) -> None:
        by = statements()
        claims = jwt.get_unverified_claims(signed(by))
        secret = by.published()["keys"][0]["x"]

        forged = jws.sign(claims, secret, headers={"kid": by.keys[0].name, "typ": "access-statement+jwt"})

        assert not Checker(by).allows(forged)

    @pytest.mark.parametrize("token", ["", "nonsense", "a.b.c", "eyJhbGciOiJub25lIn0.e30."])
    def test_refuses_nonsense(self, token: str) -> None:
        assert not Checker(statements()).allows(token)

    @pytest.mark.parametrize("name", [["a"], {"a": 1}, 17, None])
    def test_refuses_a_key_whose_name_is_no_name(self, name: object) -> None:
        by = statements()

        assert not Checker(by).allows(resigned(jwt.get_unverified_claims(signed(by)), KEY, kid=name))

    def test_asks_for_the_keys_once_however_many_strange_statements_come_in(self) -> None:
        by = statements()
        checker = Checker(by)

        for _ in range(5):
            checker.allows(signed(statements(OTHER_KEY)))

        assert checker.allows(signed(by))
        assert checker.fetched == 1


class TestRotation:
    def test_refuses_no_good_statement_at_any_step(self) -> None:
        """Neither by a checker that knows the keys of the step before, nor by one that has fetched them anew."""
        steps = [KEY, KEY + OTHER_KEY, OTHER_KEY + KEY, OTHER_KEY]

        for before, after in pairwise(steps):
            checker, former = Checker(statements(before)), signed(statements(before))
            assert checker.allows(former)
            assert checker.allows(signed(statements(after)))
            assert Checker(statements(after)).allows(former)

    def test_signs_with_the_first_key(self) -> None:
        token = signed(statements(OTHER_KEY + KEY))

        assert jwt.get_unverified_header(token)["kid"] == statements(OTHER_KEY).keys[0].name

    def test_learns_of_a_new_key_when_a_statement_names_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        checker = Checker(statements(KEY))
        assert checker.allows(signed(statements(KEY)))
        checker.publisher = statements(OTHER_KEY)
        monkeypatch.setitem(checker.names, "PAUSE", 0)

        assert checker.allows(signed(statements(OTHER_KEY)))
        assert not checker.allows(signed(statements(KEY)))


def pem_of(key: Any, *, password: bytes | None = None) -> str:
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    written: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    return written.decode()


ELLIPTIC: Final = load_pem_private_key(KEY.encode(), password=None)
UNFIT: Final = {
    "nonsense": "nonsense",
    "a broken one": KEY.replace("M", "!", 1),
    "cut short": KEY[:80] + "\n-----END PRIVATE KEY-----",
    "three of them": KEY + OTHER_KEY + new_key(),
    "something beside it": KEY + "and a comment",
    "of another curve": pem_of(generate_private_key(SECP384R1())),
    "of another kind": pem_of(rsa.generate_private_key(public_exponent=65537, key_size=2048)),
    "encrypted": pem_of(ELLIPTIC, password=b"secret"),
    "public": ELLIPTIC.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
}


class TestKeys:
    @pytest.mark.parametrize("text", UNFIT.values(), ids=UNFIT.keys())
    def test_that_are_unfit_are_refused_and_not_repeated(self, text: str) -> None:
        with pytest.raises(ValueError, match="one or two unencrypted private keys") as refused:
            statement_keys(text)

        assert text not in str(refused.value)
        assert refused.value.__suppress_context__ or refused.value.__context__ is None

    @pytest.mark.parametrize(
        "text",
        [
            KEY,
            KEY.replace("\n", "\\n"),
            ELLIPTIC.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode(),
        ],
    )
    def test_are_taken_in_every_usual_form(self, text: str) -> None:
        [key] = statement_keys(text)

        assert key.name == statement_keys(KEY)[0].name

    def test_are_not_shown(self) -> None:
        assert "Key object" not in repr(statement_keys(KEY))
