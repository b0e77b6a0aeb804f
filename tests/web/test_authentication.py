from collections.abc import Iterator
from uuid import UUID

import pytest
from starlette.types import Scope

from domain.actor import ANONYMOUS, Actor, Role
from domain.errors import Unauthenticated
from web.auth import Authentication, development_token
from web.request_id import use_request_id
from web.token_keys import secret_key
from web.token_verifier import TokenVerifier

SECRET = "a shared secret of more than 32 bytes"
USER = UUID("6f1f3f0e-8f4e-4f0a-9a59-0d6a4f7c1a11")
TOKEN = development_token(SECRET, user_id=USER).encode()


@pytest.fixture
def authentication() -> Authentication:
    return Authentication(TokenVerifier(secrets=[secret_key(SECRET)]))


@pytest.fixture(autouse=True)
def _request() -> Iterator[None]:
    use_request_id("request-17")
    yield
    use_request_id("")


def scope(*authorizations: bytes, **others: bytes) -> Scope:
    identity = [(name.replace("_", "-").encode(), value) for name, value in others.items()]
    return {"type": "http", "headers": [*identity, *((b"authorization", each) for each in authorizations)]}


class TestActor:
    async def test_without_the_header_the_caller_is_anonymous(self, authentication: Authentication) -> None:
        actor = await authentication.actor(scope())

        assert actor == Actor(role=ANONYMOUS.role, request_id="request-17")

    @pytest.mark.parametrize("scheme", [b"Bearer ", b"bearer ", b"BEARER ", b"Bearer  "])
    async def test_bearer_is_the_one_whom_the_token_names(
        self, authentication: Authentication, scheme: bytes
    ) -> None:
        actor = await authentication.actor(scope(scheme + TOKEN))

        assert actor == Actor(role=Role.USER, user_id=USER, request_id="request-17")

    @pytest.mark.parametrize(
        "value",
        [
            b"",
            b" ",
            b"Bearer",
            b"Bearer ",
            TOKEN,
            b" Bearer " + TOKEN,
            b"Bearer " + TOKEN + b" ",
            b"Bearer\t" + TOKEN,
            b"Bearer: " + TOKEN,
            b"Bearer " + TOKEN + b", Bearer " + TOKEN,
            b"Bearer " + TOKEN + b" " + TOKEN,
            b'Bearer "' + TOKEN + b'"',
            b"Bearer token=" + TOKEN,
            b"Basic " + TOKEN,
            b"Token " + TOKEN,
            b"DPoP " + TOKEN,
            b"B\xe9arer " + TOKEN,
            b"Bearer " + TOKEN + b"\xff",
            b"Bearer \xc2\xa0" + TOKEN,
            b"Bearer\xa0" + TOKEN,
            b"Bearer " + TOKEN + b"\n",
            b"\0Bearer " + TOKEN,
            b"Bearer " + b"=" * 100_000,
        ],
    )
    async def test_anything_else_is_refused_rather_than_anonymous(
        self, authentication: Authentication, value: bytes
    ) -> None:
        with pytest.raises(Unauthenticated):
            await authentication.actor(scope(value))

    async def test_two_headers_are_refused_even_if_both_are_genuine(
        self, authentication: Authentication
    ) -> None:
        with pytest.raises(Unauthenticated):
            await authentication.actor(scope(b"Bearer " + TOKEN, b"Bearer " + TOKEN))

    async def test_identity_headers_tell_nothing(self, authentication: Authentication) -> None:
        actor = await authentication.actor(
            scope(
                x_user_id=str(USER).encode(), x_role=b"admin", x_forwarded_user=b"admin", cookie=b"a=" + TOKEN
            )
        )

        assert actor.role is Role.ANONYMOUS
        assert actor.user_id is None

    async def test_address_is_the_connections(self, authentication: Authentication) -> None:
        asked = {**scope(b"Bearer " + TOKEN, x_forwarded_for=b"192.0.2.66"), "client": ("192.0.2.7", 40_000)}

        assert (await authentication.actor(asked)).ip == "192.0.2.7"

    async def test_actor_is_left_in_the_scope_for_the_access_log(
        self, authentication: Authentication
    ) -> None:
        asked = scope(b"Bearer " + TOKEN)

        actor = await authentication.actor(asked)

        assert asked["actor"] is actor
