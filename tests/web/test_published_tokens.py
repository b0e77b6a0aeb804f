"""Tokens under the User Service's published keys, from its port to an Actor, and to what callers hear over HTTP."""

import asyncio
import hmac
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from domain.actor import Actor, Role
from domain.errors import IdentityUnavailable, Unauthenticated
from tests.clocks import MonotonicClock
from tests.waiting import until
from tests.web.in_process import Client, Events
from tests.web.issuer import USER, IssuerKey, ec_key, encoded, genuine_claims, rsa_key
from tests.web.user_service import UserService
from web.auth import Authentication, development_token
from web.errors import EXCEPTION_HANDLERS
from web.jwks import KeySetAddress
from web.published_keys import PAUSE, PublishedKeys
from web.strict import base64url
from web.token_keys import secret_key
from web.token_verifier import TokenVerifier
from web.tokens import LONGEST_TOKEN, Expected

ISSUER, AUDIENCE = "https://users.example", "payments"
SECRET = "a shared secret of more than 32 bytes"
RSA, EC, STRANGER = rsa_key(), ec_key(), ec_key()
EXPECTED = Expected(issuer=ISSUER, audience=AUDIENCE)


def claims(**changes: object) -> dict[str, object]:
    return genuine_claims(**{"iss": ISSUER, "aud": AUDIENCE, **changes})


def seconds_from_now(seconds: int) -> int:
    return int(datetime.now(UTC).timestamp()) + seconds


def hs256(key: bytes, **header: object) -> str:
    """Signed as if this public text were a secret."""
    described = {"alg": "HS256", "typ": "JWT", "kid": RSA.key_id, **header}
    signing_input = ".".join(encoded(json.dumps(part).encode()) for part in (described, claims()))
    return f"{signing_input}.{encoded(hmac.digest(key, signing_input.encode(), sha256))}"


def token(key: IssuerKey = RSA, **changes: object) -> str:
    return key.token(claims(**changes))


def with_header(key: IssuerKey = RSA, **header: object) -> str:
    return key.token(claims(), {"alg": key.algorithm, "typ": "JWT", "kid": key.key_id, **header})


def without(part: str) -> str:
    return RSA.token({name: value for name, value in claims().items() if name != part})


def with_signature(signed: str, signature: str | bytes) -> str:
    text = signature if isinstance(signature, str) else encoded(signature)
    return f"{signed.rpartition('.')[0]}.{text}"


def in_der(signed: str) -> str:
    """The same signature as X.509 would have it; JWS joins the two numbers (RFC 7518, section 3.4)."""
    numbers = base64url(signed.rpartition(".")[2])
    r, s = (int.from_bytes(half) for half in (numbers[:32], numbers[32:]))
    return with_signature(signed, encode_dss_signature(r, s))


JWK_TEXT = json.dumps(RSA.jwk())
P384 = ec_key("ec-1", curve=ec.SECP384R1())

FORGED = {
    **{
        f"alg {alg!r}, unsigned": with_signature(with_header(alg=alg), "")
        for alg in ("none", "None", "NONE", "")
    },
    "alg none over a genuine signature": with_header(alg="none"),
    "HS256 under the public key in PEM": hs256(RSA.pem),
    "HS256 under the public key in PEM, without its last line's end": hs256(RSA.pem.strip()),
    "HS256 under the public key in PEM, without kid": hs256(RSA.pem, kid="hs"),
    "HS256 under the JWK": hs256(JWK_TEXT.encode()),
    "HS256 under the JWK as it is sent": hs256(json.dumps({"keys": [RSA.jwk()]}).encode()),
    "HS256 under the modulus": hs256(RSA.jwk()["n"].encode()),
    "HS256 under an empty secret": hs256(b""),
    "HS256 under a stranger's secret": hs256(b"x" * 32),
    "RS256's key named, ES256 said": with_header(alg="ES256"),
    "ES256's key named, RS256 said": with_header(EC, alg="RS256"),
    "RS512": with_header(alg="RS512"),
    "PS256": with_header(alg="PS256"),
    "EdDSA": with_header(alg="EdDSA"),
    "alg a list": with_header(alg=["RS256"]),
    "signed by a stranger under a known name": with_header(STRANGER, kid=EC.key_id),
    "signed by a stranger under its own name": with_header(STRANGER, kid="stranger"),
    "signed by another published key": with_header(EC, kid=RSA.key_id, alg="RS256"),
    "the signature of other claims": with_signature(token(role="admin"), token().rpartition(".")[2]),
    "ES256 of all zeros": with_signature(token(EC), bytes(64)),
    "ES256 in DER": in_der(token(EC)),
    "ES256 by a P-384 key": with_header(P384),
    "an empty signature": with_signature(token(), ""),
    "embedded jwk": with_header(STRANGER, jwk=STRANGER.jwk()),
    "embedded jwk under a known name": with_header(STRANGER, kid=EC.key_id, jwk=STRANGER.jwk()),
    "embedded jwk, genuinely signed": with_header(jwk=RSA.jwk()),
    "jku": with_header(jku="https://evil.example/keys.json"),
    "x5u": with_header(x5u="https://evil.example/chain.pem"),
    "x5c": with_header(x5c=["MIIB"]),
    "crit": with_header(crit=["exp"]),
    "unencoded payload": with_header(b64=False, crit=["b64"]),
    "zip": with_header(zip="DEF"),
    "no kid": RSA.token(claims(), {"alg": "RS256"}),
    "kid null": with_header(kid=None),
    "kid a number": with_header(kid=1),
    "kid a list": with_header(kid=[RSA.key_id]),
    "kid empty": with_header(kid=""),
    "kid of a file": with_header(kid="../../../../dev/null"),
    "kid of an address": with_header(kid="https://evil.example/keys.json#rsa-1"),
    "kid with SQL": with_header(kid="x' UNION SELECT 'secret"),
    "kid with a NUL": with_header(kid="rsa-1\0"),
    "kid in another case": with_header(kid="RSA-1"),
    "kid very long": with_header(kid="k" * 5000),
    "kid twice": RSA.token(claims(), b'{"alg":"RS256","kid":"rsa-1","kid":"rsa-1"}'),
    "JWE": ".".join([token().split(".")[0], "AAAA", "AAAA", "AAAA", "AAAA"]),
    "JWE by its header": with_header(alg="RSA-OAEP", enc="A256GCM"),
    "JSON serialisation": json.dumps({"payload": "e30", "signatures": []}),
    "too long": token(padding="x" * LONGEST_TOKEN),
    "another iss": token(iss="https://evil.example"),
    "no iss": without("iss"),
    "another aud": token(aud="orders"),
    "no aud": without("aud"),
    "expired": token(exp=seconds_from_now(-60)),
    "no exp": without("exp"),
    "iat in the future": token(iat=seconds_from_now(600)),
    "no iat": without("iat"),
    "not yet": token(nbf=seconds_from_now(600)),
    "no sub": without("sub"),
    "sub no UUID": token(sub="admin"),
    "typ of an ID for a session": with_header(typ="logout+jwt"),
    "typ of our own statements": with_header(EC, typ="access-statement+jwt"),
    "typ of a DPoP proof": with_header(typ="dpop+jwt"),
}


GENUINE = [token(RSA), token(EC)]


def mutations(original: str) -> st.SearchStrategy[str]:
    """One place exchanged, left out, doubled or put elsewhere."""
    place = st.integers(0, len(original) - 1)
    character = st.sampled_from("ABCXYZabcxyz0189-_.=+/ ~\0é")
    exchanged = st.builds(lambda at, by: original[:at] + by + original[at + 1 :], place, character)
    cut = st.builds(
        lambda one, other: original[: min(one, other)] + original[max(one, other) :], place, place
    )
    put_in = st.builds(
        lambda at, more: original[:at] + more + original[at:], place, st.text(character, max_size=9)
    )
    shuffled = st.permutations(original.split(".")).map(".".join)
    spliced = st.builds(lambda at, other: original[:at] + other[at:], place, st.sampled_from(GENUINE))
    return exchanged | cut | put_in | shuffled | spliced


@pytest.fixture
def clock() -> MonotonicClock:
    return MonotonicClock()


@pytest.fixture
async def keys(user_service: UserService, clock: MonotonicClock) -> AsyncIterator[PublishedKeys]:
    user_service.keys = [RSA, EC]
    keys = PublishedKeys(KeySetAddress(user_service.url), lifetime=300, clock=clock)
    yield keys
    user_service.goes_on.set()
    await keys.close()


@pytest.fixture
def verifier(keys: PublishedKeys) -> TokenVerifier:
    return TokenVerifier(published=keys, expected=EXPECTED)


@pytest.fixture
def both(keys: PublishedKeys) -> TokenVerifier:
    return TokenVerifier(secrets=[secret_key(SECRET)], published=keys, expected=EXPECTED)


def shared(secret: str = SECRET) -> str:
    return development_token(secret, user_id=USER, issuer=ISSUER, audience=AUDIENCE)


class TestVerify:
    @pytest.mark.parametrize("key", [RSA, EC])
    async def test_genuine_token_names_its_bearer(self, verifier: TokenVerifier, key: IssuerKey) -> None:
        assert await verifier.verify(token(key, role="support")) == Actor(role=Role.SUPPORT, user_id=USER)

    @pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
    async def test_forged_token_is_refused(self, verifier: TokenVerifier, forged: str) -> None:
        with pytest.raises(Unauthenticated):
            await verifier.verify(forged)

    @pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
    async def test_forged_token_is_refused_where_there_is_a_secret_too(
        self, both: TokenVerifier, forged: str
    ) -> None:
        with pytest.raises(Unauthenticated):
            await both.verify(forged)

    @given(data=st.data())
    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    async def test_no_token_survives_a_change(
        self, verifier: TokenVerifier, clock: MonotonicClock, data: st.DataObject
    ) -> None:
        original = data.draw(st.sampled_from(GENUINE))
        mutated = data.draw(mutations(original).filter(lambda text: text not in GENUINE))
        clock.seconds += PAUSE

        with pytest.raises(Unauthenticated):
            await verifier.verify(mutated)

    async def test_token_for_no_published_key_does_not_make_us_look_for_one(
        self, verifier: TokenVerifier, user_service: UserService
    ) -> None:
        for hopeless in (
            hs256(b"x" * 32),
            with_header(alg="none"),
            with_header(crit=[]),
            with_header(kid=None),
        ):
            with pytest.raises(Unauthenticated):
                await verifier.verify(hopeless)

        assert user_service.readings == []

    async def test_remembered_token_asks_nobody(
        self, verifier: TokenVerifier, user_service: UserService
    ) -> None:
        genuine = token()
        first = await verifier.verify(genuine)
        user_service.goes_on.clear()

        assert await verifier.verify(genuine) is first
        assert len(user_service.readings) == 1


class TestMigration:
    async def test_secret_and_published_keys_hold_side_by_side(self, both: TokenVerifier) -> None:
        assert (await both.verify(token())).user_id == USER
        assert (await both.verify(shared())).user_id == USER

    async def test_secret_holds_while_there_are_no_published_keys(
        self, both: TokenVerifier, user_service: UserService
    ) -> None:
        user_service.answers(500)

        assert (await both.verify(shared())).user_id == USER
        with pytest.raises(IdentityUnavailable):
            await both.verify(token())

    async def test_secret_does_not_hold_under_the_name_of_a_published_key(
        self, both: TokenVerifier, keys: PublishedKeys
    ) -> None:
        await keys.find("rsa-1")

        with pytest.raises(Unauthenticated):
            await both.verify(hs256(SECRET.encode(), kid="rsa-1"))
        assert await both.verify(hs256(SECRET.encode(), kid="hs-1"))

    async def test_secret_is_refused_once_only_published_keys_are_left(
        self, verifier: TokenVerifier, events: Events
    ) -> None:
        with pytest.raises(Unauthenticated):
            await verifier.verify(shared())

        assert events[-1]["reason"] == "no secret is shared"

    async def test_two_secrets_hold_during_a_rotation(self) -> None:
        verifier = TokenVerifier(secrets=[secret_key(SECRET), secret_key("b" * 32)])

        assert (await verifier.verify(shared())).user_id == USER
        assert (await verifier.verify(shared("b" * 32))).user_id == USER
        with pytest.raises(Unauthenticated):
            await verifier.verify(shared("c" * 32))


class TestRotation:
    async def test_token_of_a_withdrawn_key_is_forgotten_and_others_are_not(
        self, user_service: UserService, clock: MonotonicClock
    ) -> None:
        user_service.keys = [RSA, EC]
        keys = PublishedKeys(KeySetAddress(user_service.url), lifetime=0.02, clock=clock)
        verifier = TokenVerifier(published=keys)
        of_rsa, of_ec = token(RSA), token(EC)
        first = [await verifier.verify(each) for each in (of_rsa, of_ec)]

        user_service.keys = [EC]
        async with keys.followed():
            await until(lambda: asyncio.sleep(0, keys.get("rsa-1") is None))
        clock.seconds += PAUSE

        with pytest.raises(Unauthenticated):
            await verifier.verify(of_rsa)
        assert await verifier.verify(of_ec) is first[1]
        await keys.close()

    async def test_token_of_a_replaced_key_is_forgotten_though_its_name_stays(
        self, user_service: UserService
    ) -> None:
        user_service.keys = [EC]
        keys = PublishedKeys(KeySetAddress(user_service.url), lifetime=0.02)
        verifier = TokenVerifier(published=keys)
        old = token(EC)
        await verifier.verify(old)
        former, fresh = keys.get("ec-1"), ec_key("ec-1")

        user_service.keys = [fresh]
        async with keys.followed():
            await until(lambda: asyncio.sleep(0, keys.get("ec-1") is not former))

        with pytest.raises(Unauthenticated):
            await verifier.verify(old)
        assert await verifier.verify(token(fresh))
        await keys.close()


def counted(reason: str) -> float:
    return REGISTRY.get_sample_value("payments_tokens_refused_total", {"reason": reason}) or 0.0


class TestToldToOperators:
    async def test_refusal_by_its_reason_without_the_token(
        self, verifier: TokenVerifier, events: Events
    ) -> None:
        before = counted("invalid")
        forged = with_header(STRANGER, kid="stranger")

        with pytest.raises(Unauthenticated):
            await verifier.verify(forged)

        assert {**events[-1]} == {
            "event": "token.refused",
            "reason": "no such key is published",
            "log_level": "warning",
        }
        assert counted("invalid") == before + 1

    async def test_expiry_is_counted_and_not_logged(self, verifier: TokenVerifier, events: Events) -> None:
        before = counted("expired")

        with pytest.raises(Unauthenticated, match="has expired"):
            await verifier.verify(token(exp=seconds_from_now(-60)))

        assert counted("expired") == before + 1
        assert [event["event"] for event in events] == ["jwks.changed"]

    async def test_outage_is_counted_apart(
        self, verifier: TokenVerifier, user_service: UserService, events: Events
    ) -> None:
        user_service.answers(500)
        before = counted("unavailable"), counted("invalid")

        with pytest.raises(IdentityUnavailable):
            await verifier.verify(token())

        assert (counted("unavailable"), counted("invalid")) == (before[0] + 1, before[1])
        assert events[-1]["event"] == "token.unverifiable"

    async def test_tokens_that_cannot_be_verified_once_per_pause(
        self, keys: PublishedKeys, user_service: UserService, clock: MonotonicClock, events: Events
    ) -> None:
        user_service.answers(500)
        began = datetime.now(UTC)
        verifier = TokenVerifier(
            published=keys, clock=lambda: began + timedelta(seconds=clock.seconds - 1_000)
        )

        for _pause in range(3):
            for _ in range(5):
                with pytest.raises(IdentityUnavailable) as unavailable:
                    await verifier.verify(token())
            clock.seconds += unavailable.value.retry_after_seconds

        assert [event["event"] for event in events].count("token.unverifiable") == 3


@pytest.fixture
def app(verifier: TokenVerifier) -> Starlette:
    authentication = Authentication(verifier)

    async def who(request: Request) -> Response:
        actor = await authentication.actor(request.scope)
        return JSONResponse({"role": actor.role.value})

    return Starlette(routes=[Route("/", who)], exception_handlers=EXCEPTION_HANDLERS)


def sendable(forged: str) -> bool:
    return forged.isascii() and forged.isprintable()


class TestOverHttp:
    async def test_forged_tokens_are_all_401_with_a_challenge(
        self, client: Client, app: Starlette, clock: MonotonicClock
    ) -> None:
        answers = {}
        async with client(app) as http:
            for name, forged in FORGED.items():
                if sendable(forged):
                    answers[name] = await http.get("/", headers={"Authorization": f"Bearer {forged}"})
                    clock.seconds += PAUSE

        assert len(answers) > 50
        assert {
            name: answer.status_code for name, answer in answers.items() if answer.status_code != 401
        } == {}
        challenges = {answer.headers["WWW-Authenticate"] for answer in answers.values()}
        assert challenges == {'Bearer realm="payments", error="invalid_token"'}

    async def test_outage_without_any_key_is_503_and_says_when_to_come_back(
        self, client: Client, app: Starlette, user_service: UserService
    ) -> None:
        user_service.answers(500)

        async with client(app) as http:
            answer = await http.get("/", headers={"Authorization": f"Bearer {token()}"})

        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "1"
        assert "WWW-Authenticate" not in answer.headers
        assert answer.json()["error"]["code"] == "UNAVAILABLE"

    async def test_outage_does_not_concern_anonymous_callers(
        self, client: Client, app: Starlette, user_service: UserService
    ) -> None:
        user_service.answers(500)

        async with client(app) as http:
            answer = await http.get("/")

        assert answer.status_code == 200
        assert user_service.readings == []
