"""GraphQL over HTTP: https://graphql.github.io/graphql-over-http/draft/"""

from collections.abc import AsyncIterator

import httpx2
import pytest
from starlette.applications import Starlette

from domain.actor import Actor
from gateway.app import application
from gateway.wiring import Gateway
from sandbox import Sandbox
from tests.api import GRAPHQL, Api
from tests.parts import bearer
from tests.web.graphql_requests import CREATE, CURRENCIES, JSON, RESPONSE_JSON, body_of, code_of


@pytest.fixture
def api(http: httpx2.AsyncClient, actor: Actor) -> Api:
    return Api(http=http, headers=bearer(actor))


class TestStatus:
    BAD = {
        "GRAPHQL_PARSE_FAILED": {"query": "{"},
        "GRAPHQL_VALIDATION_FAILED": {"query": "{ nonsense }"},
        "BAD_USER_INPUT": {
            "query": "query($n: Int!) { payments(first: $n) { totalCount } }",
            "variables": {"n": "1"},
        },
    }

    @pytest.mark.parametrize("code", BAD)
    async def test_of_a_request_at_fault_is_400_without_data_in_the_new_media_type(
        self, http: httpx2.AsyncClient, code: str
    ) -> None:
        answer = await http.post(GRAPHQL, json=self.BAD[code], headers={"Accept": RESPONSE_JSON})

        assert answer.status_code == 400
        assert answer.headers["content-type"] == f"{RESPONSE_JSON}; charset=utf-8"
        assert "data" not in answer.json()
        assert code_of(answer) == code

    @pytest.mark.parametrize("code", BAD)
    async def test_of_a_request_at_fault_is_200_in_the_old_media_type(
        self, http: httpx2.AsyncClient, code: str
    ) -> None:
        answer = await http.post(GRAPHQL, json=self.BAD[code], headers={"Accept": JSON})

        assert answer.status_code == 200
        assert answer.headers["content-type"] == f"{JSON}; charset=utf-8"
        assert "data" not in answer.json()
        assert code_of(answer) == code

    @pytest.mark.parametrize("media_type", [JSON, RESPONSE_JSON])
    async def test_of_an_executed_request_is_200_even_where_fields_failed(
        self, http: httpx2.AsyncClient, media_type: str
    ) -> None:
        answer = await http.post(GRAPHQL, json={"query": "{ viewer { id } }"}, headers={"Accept": media_type})

        assert answer.status_code == 200
        assert answer.json()["data"] == {"viewer": None}
        assert code_of(answer) == "UNAUTHENTICATED"

    @pytest.mark.parametrize(
        ("accept", "given"),
        [
            ("", JSON),
            ("*/*", JSON),
            ("application/*", JSON),
            (f"{RESPONSE_JSON}, {JSON};q=0.9", RESPONSE_JSON),
            (f"text/html, {JSON}; charset=utf-8", JSON),
            (RESPONSE_JSON.upper(), RESPONSE_JSON),
        ],
    )
    async def test_is_told_in_the_type_that_was_asked_for(
        self, http: httpx2.AsyncClient, accept: str, given: str
    ) -> None:
        answer = await http.post(GRAPHQL, json={"query": CURRENCIES}, headers={"Accept": accept})

        assert answer.headers["content-type"] == f"{given}; charset=utf-8"

    async def test_of_types_that_cannot_be_given_is_406(self, http: httpx2.AsyncClient) -> None:
        answer = await http.post(GRAPHQL, json={"query": CURRENCIES}, headers={"Accept": "image/png"})

        assert (answer.status_code, code_of(answer)) == (406, "NOT_ACCEPTABLE")

    async def test_every_error_names_the_request(self, http: httpx2.AsyncClient) -> None:
        for query in ("{", "{ viewer { id } }"):
            answer = await http.post(GRAPHQL, json={"query": query}, headers={"X-Request-ID": "request-17"})
            assert answer.json()["errors"][0]["extensions"]["requestId"] == "request-17"
            assert answer.headers["x-request-id"] == "request-17"


class TestGet:
    async def test_runs_a_query(self, http: httpx2.AsyncClient) -> None:
        asked = {
            "query": "query Q($id: ID!) { currencies { code } payment(id: $id) { id } }",
            "operationName": "Q",
        }

        answer = await http.get(
            GRAPHQL, params={**asked, "variables": f'{{"id": "pay_{1:032x}"}}', "extensions": "{}"}
        )

        assert answer.status_code == 200
        assert code_of(answer) == "UNAUTHENTICATED"

    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    async def test_runs_no_mutation(
        self, http: httpx2.AsyncClient, api: Api, sandbox: Sandbox, method: str
    ) -> None:
        await api.add_card()
        mutation = CREATE.replace("($input: CreatePaymentInput!)", "").replace(
            "$input", '{idempotencyKey: "order-17", charge: {amount: {minor: 1250, currency: "EUR"}}}'
        )
        sneaked = f"query Q {CURRENCIES} {mutation.replace('mutation', 'mutation M')}"

        for params in ({"query": mutation}, {"query": sneaked, "operationName": "M"}):
            answer = await http.request(
                method, GRAPHQL, params=params, headers={**api.headers, "Content-Type": JSON},
                content=body_of(mutation),
            )  # fmt: skip
            assert answer.status_code == 405
            assert "POST" in answer.headers["allow"]
        assert sandbox.ledger()["totals"]["payment_intents"] == 0

    @pytest.mark.parametrize(
        "params",
        [
            {},
            {"query": CURRENCIES, "variables": "{"},
            {"query": CURRENCIES, "variables": "[]"},
            {"query": ""},
        ],
    )
    async def test_of_something_else_is_refused(
        self, http: httpx2.AsyncClient, params: dict[str, str]
    ) -> None:
        answer = await http.get(GRAPHQL, params=params, headers={"Accept": RESPONSE_JSON})

        assert answer.status_code == 400


class TestOtherMethods:
    @pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
    async def test_are_refused(self, http: httpx2.AsyncClient, method: str) -> None:
        answer = await http.request(method, GRAPHQL, json={"query": CURRENCIES})

        assert (answer.status_code, code_of(answer)) == (405, "METHOD_NOT_ALLOWED")
        assert {"GET", "POST"} <= set(answer.headers["allow"].replace(" ", "").split(","))


class TestCrossOrigin:
    APP = "https://app.example"

    @pytest.fixture
    async def open_http(self, gateway: Gateway) -> AsyncIterator[httpx2.AsyncClient]:
        settings = gateway.settings.model_copy(update={"allowed_origins": (self.APP,)})
        app: Starlette = application(Gateway(**{**vars(gateway), "settings": settings}))
        async with httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=app), base_url="http://gateway"
        ) as client:
            yield client

    def preflight(self, origin: str) -> dict[str, str]:
        return {
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type",
        }

    async def test_preflight_of_a_listed_origin_is_allowed(self, open_http: httpx2.AsyncClient) -> None:
        answer = await open_http.options(GRAPHQL, headers=self.preflight(self.APP))

        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == self.APP
        assert "access-control-allow-credentials" not in answer.headers

    @pytest.mark.parametrize(
        "origin", ["https://evil.example", "null", "http://app.example", f"{APP}.evil.example"]
    )
    async def test_preflight_of_another_origin_is_refused(
        self, open_http: httpx2.AsyncClient, origin: str
    ) -> None:
        answer = await open_http.options(GRAPHQL, headers=self.preflight(origin))

        assert answer.status_code == 400
        assert "access-control-allow-origin" not in answer.headers

    async def test_answer_is_readable_for_a_listed_origin_only(self, open_http: httpx2.AsyncClient) -> None:
        readable = {}
        for origin in (self.APP, "https://evil.example"):
            answer = await open_http.post(GRAPHQL, json={"query": CURRENCIES}, headers={"Origin": origin})
            readable[origin] = answer.headers.get("access-control-allow-origin")

        assert readable == {self.APP: self.APP, "https://evil.example": None}


class TestTokens:
    @pytest.mark.parametrize(
        "authorization",
        [
            "Bearer nonsense",
            "Bearer a.b.c",
            "Basic dXNlcjpwYXNz",
            "Bearer",
            "",
            "Bearer a b",
            "bearer\ttoken",
        ],
    )
    async def test_that_are_none_are_401_with_a_challenge(
        self, http: httpx2.AsyncClient, authorization: str
    ) -> None:
        answer = await http.post(
            GRAPHQL, json={"query": CURRENCIES}, headers={"Authorization": authorization}
        )

        assert (answer.status_code, code_of(answer)) == (401, "UNAUTHENTICATED")
        assert answer.headers["www-authenticate"] == 'Bearer realm="payments", error="invalid_token"'

    async def test_of_another_secret_or_changed_on_the_way_are_401(
        self, http: httpx2.AsyncClient, api: Api
    ) -> None:
        genuine = api.headers["Authorization"]
        head, claims, signature = genuine.split(".")
        flipped = f"{head}.{claims}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"

        for forged in (flipped, f"{head}.{claims}.", genuine[:-2]):
            answer = await http.post(GRAPHQL, json={"query": CURRENCIES}, headers={"Authorization": forged})
            assert answer.status_code == 401

    async def test_identity_headers_are_ignored(self, http: httpx2.AsyncClient, actor: Actor) -> None:
        pretended = {
            "X-User-Id": str(actor.user_id),
            "X-Role": "admin",
            "X-Forwarded-User": str(actor.user_id),
        }

        answer = await http.post(GRAPHQL, json={"query": "{ viewer { id } }"}, headers=pretended)

        assert code_of(answer) == "UNAUTHENTICATED"
