import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from domain.actor import Actor, Role
from domain.errors import Unauthenticated
from web.auth import development_token
from web.token_keys import secret_key
from web.token_verifier import RecentTokens, TokenVerifier
from web.tokens import LEEWAY_SECONDS, LONGEST_TOKEN, Expected, VerifiedToken

SECRET = "a shared secret of more than 32 bytes"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
USER = UUID("6f1f3f0e-8f4e-4f0a-9a59-0d6a4f7c1a11")
HEADER = {"alg": "HS256", "typ": "JWT"}
CLAIMS = {"sub": str(USER), "iat": SECONDS, "exp": SECONDS + 3600, "role": "user"}
PUBLIC_KEY = (
    rsa.generate_private_key(public_exponent=65537, key_size=2048)
    .public_key()
    .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    .decode()
)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def verifier(clock: Clock) -> TokenVerifier:
    return TokenVerifier(secrets=[secret_key(SECRET)], clock=clock)


def picky_verifier(clock: Clock, *, issuer: str) -> TokenVerifier:
    expected = Expected(issuer=issuer, audience="payments")
    return TokenVerifier(secrets=[secret_key(SECRET)], expected=expected, clock=clock)


def encoded(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def signed(signing_input: str, secret: str = SECRET) -> str:
    signature = hmac.digest(secret.encode(), signing_input.encode(), sha256)
    return f"{signing_input}.{encoded(signature)}"


def token(
    claims: Mapping[str, object] | bytes = CLAIMS,
    header: Mapping[str, object] | bytes = HEADER,
    *,
    secret: str = SECRET,
) -> str:
    """A token with a genuine signature, made without the library that verifies it."""
    parts = (part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, claims))
    return signed(".".join(map(encoded, parts)), secret)


def claims(**changes: object) -> dict[str, object]:
    return {**CLAIMS, **changes}


def without(name: str) -> dict[str, object]:
    return {key: value for key, value in CLAIMS.items() if key != name}


def retouched(text: str, *, part: int, char: int) -> str:
    """The same token with one character of one part replaced by its neighbour in the alphabet."""
    parts = text.split(".")
    changed = "B" if parts[part][char] == "A" else "A"
    parts[part] = parts[part][:char] + changed + parts[part][char + 1 :]
    return ".".join(parts)


def other_last_bits(text: str) -> str:
    """Another spelling of the same signature: 43 characters hold 258 bits, of which 256 count."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + alphabet[alphabet.index(text[-1]) + 1]


def unsigned(alg: object) -> str:
    return f"{encoded(json.dumps({'alg': alg}).encode())}.{encoded(json.dumps(CLAIMS).encode())}."


WITH_HEADER: dict[str, dict[str, object]] = {
    "another HMAC": {"alg": "HS512"},
    "RS256": {"alg": "RS256"},
    "ES256": {"alg": "ES256"},
    "PS256": {"alg": "PS256"},
    "EdDSA": {"alg": "EdDSA"},
    "alg none over a genuine signature": {"alg": "none"},
    "alg in lower case": {"alg": "hs256"},
    "alg as a list": {"alg": ["HS256"]},
    "alg null": {"alg": None},
    "typ of a refresh token": {"typ": "rt+jwt"},
    "typ of a logout token": {"typ": "logout+jwt"},
    "typ a number": {"typ": 1},
    "crit": {"crit": ["exp"]},
    "empty crit": {"crit": []},
    "jku": {"jku": "https://evil.example/keys"},
    "x5u": {"x5u": "https://evil.example/cert"},
    "embedded jwk": {"jwk": {"kty": "oct", "k": encoded(b"x" * 32)}},
    "x5c": {"x5c": ["MIIB"]},
    "unencoded payload": {"b64": False},
    "zip": {"zip": "DEF"},
}

WITH_CLAIMS: dict[str, dict[str, object]] = {
    "no exp": without("exp"),
    "exp a text": claims(exp=str(SECONDS + 3600)),
    "exp a bool": claims(exp=True),
    "exp null": claims(exp=None),
    "exp a list": claims(exp=[SECONDS + 3600]),
    "exp beyond any float": claims(exp=10**400),
    "no iat": without("iat"),
    "iat a text": claims(iat=str(SECONDS)),
    "iat a bool": claims(iat=True),
    "iat in the future": claims(iat=SECONDS + LEEWAY_SECONDS + 1),
    "nbf in the future": claims(nbf=SECONDS + LEEWAY_SECONDS + 1),
    "nbf a text": claims(nbf="0"),
    "nbf null": claims(nbf=None),
    "no sub": without("sub"),
    "sub no UUID": claims(sub="ada"),
    "sub a number": claims(sub=7),
    "sub null": claims(sub=None),
    "sub empty": claims(sub=""),
    "sub in braces": claims(sub="{" + str(USER) + "}"),
    "sub as a URN": claims(sub=USER.urn),
    "sub without dashes": claims(sub=USER.hex),
    "sub with a space": claims(sub=f"{USER} "),
    "role a number": claims(role=1),
    "role null": claims(role=None),
    "role a list": claims(role=["admin"]),
    "roles a text": claims(roles="admin"),
    "roles with a number": claims(roles=["user", 1]),
}

RAW = {
    "empty": "",
    "blank": " ",
    "one part": "abc",
    "two parts": ".".join(token().split(".")[:2]),
    "four parts": f"{token()}.abc",
    "five parts, a JWE": "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..AAAA.AAAA.AAAA",
    "dots only": "..",
    "a length that no bytes encode to": "AAAAA.AAAA.AAAA",
    "no signature": token().rpartition(".")[0] + ".",
    "signature of another secret": token(secret="another secret of more than 32 bytes"),
    "signature of an empty secret": token(secret=""),
    "signed with a public key": token(header={"alg": "RS256"}, secret=PUBLIC_KEY),
    "first character of the signature changed": retouched(token(), part=2, char=0),
    "payload changed": retouched(token(), part=1, char=9),
    "header changed": retouched(token(), part=0, char=-1),
    "another spelling of the signature": other_last_bits(token()),
    "padded": f"{token()}=",
    "padded in the middle": token().replace(".", "=.", 1),
    "a character that lenient decoders skip": token().replace(".", "!.", 1),
    "a line feed at the end": f"{token()}\n",
    "leading space": f" {token()}",
    "standard base64": token().replace("-", "+").replace("_", "/") + "+/",
    "a NUL": f"{token()}\0",
    "non-ASCII": f"{token()}é",
    "full-width letters": token().replace("e", "\uff45"),
    "a lone surrogate": "\ud800.\ud800.\ud800",
    "parts swapped": ".".join(reversed(token().split("."))),
    "too long by one": "e" * (LONGEST_TOKEN - 3) + ".e.e",
    "a megabyte": "e" * 2**20,
    "a genuine one that is too long": token(claims(padding="x" * LONGEST_TOKEN)),
    "header no JSON": token(header=b"{"),
    "header a list": token(header=b'["HS256"]'),
    "header not UTF-8": token(header=b'{"alg":"HS256","x":"\xff"}'),
    "header with alg twice": token(header=b'{"alg":"none","alg":"HS256"}'),
    "header without alg": token(header={"typ": "JWT"}),
    "header too deep": token(header=b'{"alg":"HS256","x":' + b"[" * 4000 + b"]" * 1500),
    "payload no JSON": token(b"hello"),
    "payload a number": token(b"7"),
    "payload null": token(b"null"),
    "payload too deep": token(b"[" * 5000),
    "payload not UTF-8": token(b"\xff\xfe"),
    "exp NaN": token(json.dumps(CLAIMS).replace(str(SECONDS + 3600), "NaN").encode()),
    "exp Infinity": token(json.dumps(CLAIMS).replace(str(SECONDS + 3600), "Infinity").encode()),
    "NaN in a claim that nobody reads": token(json.dumps({**CLAIMS, "x": float("nan")}).encode()),
    "exp 1e999": token(json.dumps(CLAIMS).replace(str(SECONDS + 3600), "1e999").encode()),
    "exp of 5000 digits": token(json.dumps(CLAIMS).replace(str(SECONDS + 3600), "9" * 5000).encode()),
    "sub twice": token(json.dumps(CLAIMS).replace("{", f'{{"sub": "{USER}", ', 1).encode()),
}

FORGED = {
    **RAW,
    **{f"alg {alg!r}, unsigned": unsigned(alg) for alg in ("none", "None", "NONE", "nOnE", "", None, False)},
    **{name: token(header={**HEADER, **header}) for name, header in WITH_HEADER.items()},
    **{name: token(changed) for name, changed in WITH_CLAIMS.items()},
}


class TestVerify:
    async def test_genuine_token_names_its_bearer(self, verifier: TokenVerifier) -> None:
        assert await verifier.verify(token()) == Actor(role=Role.USER, user_id=USER)

    @pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
    async def test_forged_or_malformed_token_is_refused_without_saying_why(
        self, verifier: TokenVerifier, forged: str
    ) -> None:
        with pytest.raises(Unauthenticated) as refused:
            await verifier.verify(forged)

        assert refused.value.message == "The bearer token is not valid."

    @given(st.text(max_size=200) | st.from_regex(r"\A[\w-]{0,40}\.[\w-]{0,40}\.[\w-]{0,40}\Z"))
    async def test_any_other_text_is_refused(self, text: str) -> None:
        with pytest.raises(Unauthenticated):
            await TokenVerifier(secrets=[secret_key(SECRET)]).verify(text)

    @pytest.mark.parametrize("part", [0, 1, 2])
    async def test_no_single_character_can_be_exchanged(self, verifier: TokenVerifier, part: int) -> None:
        genuine = token()

        for char in range(len(genuine.split(".")[part])):
            with pytest.raises(Unauthenticated):
                await verifier.verify(retouched(genuine, part=part, char=char))

    async def test_refusal_is_logged_with_its_reason_and_without_the_token(
        self, verifier: TokenVerifier, events: list[dict[str, object]]
    ) -> None:
        with pytest.raises(Unauthenticated):
            await verifier.verify(token(claims(iat="now")))

        (event,) = events
        assert event["event"] == "token.refused"
        assert event["reason"] == "iat is missing or not a number"
        assert token(claims(iat="now")) not in str(event)

    @pytest.mark.parametrize("typ", ["JWT", "jwt", "at+jwt", "AT+JWT"])
    async def test_usual_types_are_taken(self, verifier: TokenVerifier, typ: str) -> None:
        assert (await verifier.verify(token(header={"alg": "HS256", "typ": typ}))).user_id == USER

    async def test_header_without_a_type_and_with_a_key_id_is_taken(self, verifier: TokenVerifier) -> None:
        assert (await verifier.verify(token(header={"alg": "HS256", "kid": "2026-01"}))).user_id == USER

    async def test_upper_case_subject_is_the_same_user(self, verifier: TokenVerifier) -> None:
        assert (await verifier.verify(token(claims(sub=str(USER).upper())))).user_id == USER


class TestTime:
    @pytest.mark.parametrize("exp", [SECONDS - LEEWAY_SECONDS, 0, -1, SECONDS - 3600.5])
    async def test_expired_token_is_refused_and_says_so(self, verifier: TokenVerifier, exp: float) -> None:
        with pytest.raises(Unauthenticated, match="has expired"):
            await verifier.verify(token(claims(exp=exp)))

    @pytest.mark.parametrize("exp", [SECONDS - LEEWAY_SECONDS + 1, SECONDS + 0.5, SECONDS * 1000, 1e18])
    async def test_token_is_taken_until_the_leeway_ends(self, verifier: TokenVerifier, exp: float) -> None:
        assert (await verifier.verify(token(claims(exp=exp)))).user_id == USER

    @pytest.mark.parametrize("name", ["iat", "nbf"])
    async def test_clock_of_the_issuer_may_run_a_little_ahead(
        self, verifier: TokenVerifier, name: str
    ) -> None:
        ahead = {name: SECONDS + LEEWAY_SECONDS}

        assert (await verifier.verify(token(claims(**ahead)))).user_id == USER

    async def test_forged_token_does_not_learn_that_it_has_expired(self, verifier: TokenVerifier) -> None:
        with pytest.raises(Unauthenticated, match="not valid"):
            await verifier.verify(token(claims(exp=0), secret="another secret of more than 32 bytes"))


class TestRole:
    @pytest.mark.parametrize(
        ("named", "role"),
        [
            ({"role": "admin"}, Role.ADMIN),
            ({"role": "Support"}, Role.SUPPORT),
            ({"role": "SERVICE"}, Role.SERVICE),
            ({"roles": ["user", "service"]}, Role.SERVICE),
            ({"roles": ["service", "support"]}, Role.SUPPORT),
            ({"roles": ["support", "ADMIN", "user"]}, Role.ADMIN),
            ({"role": "user", "roles": ["support"]}, Role.SUPPORT),
            ({"role": "customer"}, Role.USER),
            ({"roles": []}, Role.USER),
            ({"role": ""}, Role.USER),
            ({"role": "administrator"}, Role.USER),
            ({"role": "admin "}, Role.USER),
            ({"role": "adm\u0131n"}, Role.USER),
            ({"role": "system"}, Role.USER),
            ({"roles": ["SYSTEM", "ANONYMOUS"]}, Role.USER),
        ],
    )
    async def test_strongest_known_role_wins(
        self, verifier: TokenVerifier, named: dict[str, object], role: Role
    ) -> None:
        assert (await verifier.verify(token({**without("role"), **named}))).role is role

    async def test_token_without_a_role_is_a_user(self, verifier: TokenVerifier) -> None:
        assert (await verifier.verify(token(without("role")))).role is Role.USER


class TestOrigin:
    @pytest.fixture
    def picky(self, clock: Clock) -> TokenVerifier:
        return picky_verifier(clock, issuer="https://id.example")

    @pytest.mark.parametrize("aud", ["payments", ["payments"], ["orders", "payments"]])
    async def test_named_issuer_and_audience_are_taken(self, picky: TokenVerifier, aud: object) -> None:
        assert (await picky.verify(token(claims(iss="https://id.example", aud=aud)))).user_id == USER

    @pytest.mark.parametrize(
        "origin",
        [
            {},
            {"iss": "https://id.example"},
            {"aud": "payments"},
            {"iss": "https://evil.example", "aud": "payments"},
            {"iss": "https://id.example/", "aud": "payments"},
            {"iss": ["https://id.example"], "aud": "payments"},
            {"iss": None, "aud": "payments"},
            {"iss": "https://id.example", "aud": "payments-admin"},
            {"iss": "https://id.example", "aud": ["orders"]},
            {"iss": "https://id.example", "aud": []},
            {"iss": "https://id.example", "aud": [["payments"]]},
            {"iss": "https://id.example", "aud": {"payments": True}},
            {"iss": "https://id.example", "aud": None},
        ],
    )
    async def test_any_other_origin_is_refused(self, picky: TokenVerifier, origin: dict[str, object]) -> None:
        with pytest.raises(Unauthenticated):
            await picky.verify(token(claims(**origin)))

    async def test_origin_is_not_compared_unless_configured(self, verifier: TokenVerifier) -> None:
        assert (await verifier.verify(token(claims(iss="anybody", aud="anything")))).user_id == USER


class TestRemembering:
    async def test_remembered_token_expires_all_the_same(self, verifier: TokenVerifier, clock: Clock) -> None:
        await verifier.verify(token())

        clock.now += timedelta(seconds=3600 + LEEWAY_SECONDS)

        with pytest.raises(Unauthenticated, match="has expired"):
            await verifier.verify(token())

    async def test_second_use_gives_the_same_actor(self, verifier: TokenVerifier) -> None:
        assert await verifier.verify(token()) is await verifier.verify(token())

    def test_token_unused_for_longest_makes_room(self) -> None:
        verified = VerifiedToken(
            actor=Actor(role=Role.USER, user_id=USER), expires_at=0, key=secret_key(SECRET)
        )
        recent = RecentTokens(2)
        for text in ("first", "second"):
            recent.add(text, verified)
        recent.get("first")

        recent.add("third", verified)

        assert len(recent) == 2
        assert recent.get("second") is None
        assert recent.get("first") is verified


class TestSecret:
    @pytest.mark.parametrize("secret", ["", "x" * 31, "é" * 15])
    def test_secret_of_less_than_32_bytes_is_refused(self, secret: str) -> None:
        with pytest.raises(ValueError, match="at least 32 bytes"):
            secret_key(secret)

    def test_public_key_is_no_secret(self) -> None:
        with pytest.raises(ValueError, match="cannot be a secret"):
            secret_key(PUBLIC_KEY)


class TestDevelopmentToken:
    @pytest.mark.parametrize("role", [Role.USER, Role.SUPPORT, Role.ADMIN, Role.SERVICE])
    async def test_is_what_the_verifier_takes(self, clock: Clock, role: Role) -> None:
        verifier = picky_verifier(clock, issuer="dev")

        made = development_token(
            SECRET, user_id=USER, role=role, issuer="dev", audience="payments", clock=clock
        )

        assert await verifier.verify(made) == Actor(role=role, user_id=USER)

    async def test_ends_with_its_lifetime(self, verifier: TokenVerifier, clock: Clock) -> None:
        made = development_token(SECRET, user_id=USER, lifetime=timedelta(minutes=5), clock=clock)

        clock.now += timedelta(minutes=5, seconds=LEEWAY_SECONDS)

        with pytest.raises(Unauthenticated, match="has expired"):
            await verifier.verify(made)
