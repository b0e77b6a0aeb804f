"""The whole gateway where the User Service publishes its keys, and no secret is shared."""

import asyncio

import httpx2
import pytest
from pydantic import SecretStr

from domain.actor import Actor
from gateway.app import application
from gateway.settings import Settings
from gateway.wiring import Gateway
from tests.api import GRAPHQL
from tests.parts import bearer
from tests.waiting import until
from tests.web.graphql_requests import JSON, RESPONSE_JSON, code_of
from tests.web.issuer import USER, ec_key
from tests.web.user_service import UserService

EC = ec_key()


@pytest.fixture
def settings(settings: Settings, user_service: UserService) -> Settings:
    user_service.keys = [EC]
    return settings.model_copy(update={"jwt_secret": SecretStr(""), "jwt_jwks_url": user_service.url})


def signed() -> dict[str, str]:
    return {"Authorization": f"Bearer {EC.token()}"}


class TestGraphQL:
    async def test_answers_the_bearer_of_a_token_under_a_published_key(
        self, http: httpx2.AsyncClient
    ) -> None:
        answer = await http.post(GRAPHQL, json={"query": "{ viewer { user { id } } }"}, headers=signed())

        assert answer.json()["data"] == {"viewer": {"user": {"id": str(USER)}}}

    async def test_refuses_a_token_under_a_secret(self, http: httpx2.AsyncClient, actor: Actor) -> None:
        answer = await http.post(GRAPHQL, json={"query": "{ viewer { id } }"}, headers=bearer(actor))

        assert (answer.status_code, code_of(answer)) == (401, "UNAUTHENTICATED")
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="payments", error="invalid_token"'

    @pytest.mark.parametrize("media_type", [JSON, RESPONSE_JSON])
    async def test_is_503_where_no_key_can_be_had(
        self, http: httpx2.AsyncClient, user_service: UserService, media_type: str
    ) -> None:
        user_service.answers(500)

        answer = await http.post(
            GRAPHQL, json={"query": "{ viewer { id } }"}, headers={**signed(), "Accept": media_type}
        )

        assert (answer.status_code, code_of(answer)) == (503, "UNAVAILABLE")
        assert answer.headers["Retry-After"] == "1"
        assert answer.json()["errors"][0]["extensions"]["retryAfterSeconds"] == 1
        assert "data" not in answer.json()


class TestServer:
    async def test_reads_the_keys_at_its_start_before_anybody_asks(
        self, gateway: Gateway, user_service: UserService
    ) -> None:
        app = application(gateway)
        keys = gateway.published_keys
        assert keys is not None

        async with app.router.lifespan_context(app):
            await until(lambda: asyncio.sleep(0, keys.get(EC.key_id)))

    async def test_starts_and_is_ready_while_the_user_service_does_not_answer(
        self, gateway: Gateway, user_service: UserService
    ) -> None:
        user_service.goes_on.clear()
        app = application(gateway)

        async with asyncio.timeout(2), app.router.lifespan_context(app):
            await until(lambda: asyncio.sleep(0, user_service.readings))
            async with httpx2.AsyncClient(
                transport=httpx2.ASGITransport(app), base_url="http://gateway"
            ) as http:
                ready, anonymous = (
                    await http.get("/readyz"),
                    await http.post(GRAPHQL, json={"query": "{ currencies { code } }"}),
                )

        assert (ready.status_code, anonymous.status_code) == (200, 200)
