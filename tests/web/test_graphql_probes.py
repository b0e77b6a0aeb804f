"""
What scanners such as graphql-cop (https://github.com/dolevf/graphql-cop) try, with production's settings.

Each probe is sent without a token, and with one: whoever has an account may be hostile, too.
"""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx2
import pytest
from graphql import build_client_schema, get_introspection_query

from domain.actor import Actor
from gateway.wiring import Gateway
from gql.schema import printed
from tests.api import GRAPHQL
from tests.fuzz.hostile import chain, many, repeated
from tests.parts import bearer
from tests.web.graphql_requests import JSON, RESPONSE_JSON, code_of
from tests.web.in_production import in_production

INTROSPECTION = get_introspection_query()
SCHEMA_TEXT = f"{GRAPHQL}/schema.graphql"

OVERLOADS: dict[str, str] = {
    "aliases": f"{{ {many('__typename', 101)} }}",
    "aliases below the root": f"{{ viewer {{ {many('id', 101)} }} }}",
    "directives": f"{{ __typename {'@aa' * 10} }}",
    "known directives": f"{{ __typename {repeated('@include(if: true)', 500)} }}",
    "field duplication": f"{{ {repeated('__typename', 500)} }}",
    "field duplication in fragments": f"{{ {repeated('... on Query { __typename }', 300)} }}",
    "circular introspection": "{ __schema { types { "
    + "fields { type { " * 4
    + "name"
    + " } }" * 4
    + " } } }",
    "circular fragments": "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }",
    "fragments that double": chain(30, times=2),
    "depth": "{ viewer { " + "payments { nodes { billingAccount { " * 10 + "id" + " } } }" * 10 + " } }",
    "mutations at once": f"mutation {{ {many('resync(input: {id: 1}) { errors { code } }', 6)} }}",
}


@pytest.fixture
async def http(gateway: Gateway) -> AsyncIterator[httpx2.AsyncClient]:
    async with in_production(gateway) as client:
        yield client


@pytest.fixture(params=["anonymous", "user"])
def headers(request: pytest.FixtureRequest, actor: Actor) -> Mapping[str, str]:
    return bearer(actor) if request.param == "user" else {}


async def asked(
    http: httpx2.AsyncClient, query: str, headers: Mapping[str, str] | None = None
) -> httpx2.Response:
    return await http.post(
        GRAPHQL, json={"query": query}, headers={"Accept": RESPONSE_JSON, **(headers or {})}
    )


class TestOverload:
    @pytest.mark.parametrize("name", OVERLOADS)
    async def test_is_refused_in_few_words(
        self, http: httpx2.AsyncClient, headers: Mapping[str, str], name: str
    ) -> None:
        answer = await asked(http, OVERLOADS[name], headers)

        assert answer.status_code == 400
        assert "data" not in answer.json()
        assert len(answer.json()["errors"]) <= 6

    async def test_by_batches_is_refused(self, http: httpx2.AsyncClient, headers: Mapping[str, str]) -> None:
        answer = await http.post(GRAPHQL, json=[{"query": "{ __typename }"}] * 10, headers=headers)

        assert (answer.status_code, code_of(answer)) == (400, "BAD_REQUEST")


class TestSchema:
    @pytest.mark.parametrize(
        "query",
        [
            INTROSPECTION,
            "{ __schema { queryType { name } } }",
            '{ __type(name: "Payment") { name } }',
            "{ currencies { code } ...f } fragment f on Query { a: __schema { description } }",
        ],
    )
    async def test_is_not_told_to_anonymous_callers(self, http: httpx2.AsyncClient, query: str) -> None:
        answer = await asked(http, query)

        assert (answer.status_code, code_of(answer)) == (400, "INTROSPECTION_DISABLED")

    async def test_is_told_to_callers_with_a_token(self, http: httpx2.AsyncClient, actor: Actor) -> None:
        answer = await asked(http, INTROSPECTION, bearer(actor))

        assert build_client_schema(answer.json()["data"]).query_type is not None

    async def test_as_text_needs_a_token_too(self, http: httpx2.AsyncClient, actor: Actor) -> None:
        anonymous = await http.get(SCHEMA_TEXT)
        known = await http.get(SCHEMA_TEXT, headers=bearer(actor))

        assert (anonymous.status_code, code_of(anonymous)) == (401, "UNAUTHENTICATED")
        assert anonymous.headers["WWW-Authenticate"] == 'Bearer realm="payments"'
        assert known.text == printed()

    async def test_is_told_to_nobody_where_the_setting_says_so(
        self, gateway: Gateway, headers: Mapping[str, str]
    ) -> None:
        async with in_production(gateway, introspection=False) as http:
            introspection = await asked(http, INTROSPECTION, headers)
            text = await http.get(SCHEMA_TEXT, headers=headers)

        assert code_of(introspection) == "INTROSPECTION_DISABLED"
        assert text.status_code == 404

    async def test_names_of_types_are_no_secret(self, http: httpx2.AsyncClient) -> None:
        answer = await asked(http, "{ __typename }")

        assert answer.json()["data"] == {"__typename": "Query"}


class TestSuggestions:
    SPOILT = {
        "a field": ("{ currencie { code } }", {}),
        "an argument": ("{ payments(firts: 1) { totalCount } }", {}),
        "a type": ("{ ... on Qery { __typename } }", {}),
        "an enum": ("{ payments(filter: {status: COMPLETE}) { totalCount } }", {}),
        "a key of an input": ("{ payments(filter: {statos: FAILED}) { totalCount } }", {}),
        "a variable's enum": (
            "query($f: PaymentFilter) { payments(filter: $f) { totalCount } }",
            {"f": {"statos": "FAILED"}},
        ),
    }

    @pytest.mark.parametrize("name", SPOILT)
    async def test_are_for_callers_with_a_token(
        self, http: httpx2.AsyncClient, actor: Actor, name: str
    ) -> None:
        query, variables = self.SPOILT[name]
        request = {"query": query, "variables": variables}

        known = await http.post(GRAPHQL, json=request, headers=bearer(actor))
        anonymous = await http.post(GRAPHQL, json=request)

        assert "Did you mean" in known.text
        assert "errors" in anonymous.json()
        assert "Did you mean" not in anonymous.text


class TestForgery:
    """What a page of another origin could have a browser send (CSRF)."""

    async def test_by_get_changes_nothing(self, http: httpx2.AsyncClient, headers: Mapping[str, str]) -> None:
        answer = await http.get(
            GRAPHQL,
            params={"query": "mutation { resync(input: {id: 1}) { errors { code } } }"},
            headers=headers,
        )

        assert (answer.status_code, code_of(answer)) == (405, "METHOD_NOT_ALLOWED")

    @pytest.mark.parametrize(
        "content_type",
        ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"],
    )
    async def test_by_a_form_is_refused(
        self, http: httpx2.AsyncClient, headers: Mapping[str, str], content_type: str
    ) -> None:
        answer = await http.post(
            GRAPHQL, content=b"query=%7B__typename%7D", headers={**headers, "Content-Type": content_type}
        )

        assert (answer.status_code, code_of(answer)) == (415, "UNSUPPORTED_MEDIA_TYPE")

    async def test_with_a_cookie_is_anonymous(self, http: httpx2.AsyncClient, actor: Actor) -> None:
        token = bearer(actor)["Authorization"].removeprefix("Bearer ")

        answer = await http.get(
            GRAPHQL, params={"query": "{ viewer { id } }"}, headers={"Cookie": f"token={token}"}
        )

        assert code_of(answer) == "UNAUTHENTICATED"


class TestLeaks:
    async def test_no_page_is_shown_to_browsers(self, http: httpx2.AsyncClient) -> None:
        answers = [
            await http.get(path, headers={"Accept": "text/html"})
            for path in (GRAPHQL, "/explorer/config.json", "/graphiql", "/playground", "/altair", "/")
        ]

        assert {answer.status_code for answer in answers} == {404, 406}

    async def test_no_trace_of_the_execution_is_told(
        self, http: httpx2.AsyncClient, headers: Mapping[str, str]
    ) -> None:
        answer = await asked(
            http, "{ currencies { code } }", {**headers, "apollo-federation-include-trace": "ftv1"}
        )

        assert answer.json()["extensions"].keys() == {"cost"}

    async def test_no_surprise_is_told(
        self, http: httpx2.AsyncClient, actor: Actor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def burst(*_: object) -> None:
            raise RuntimeError("the password is hunter2")

        monkeypatch.setattr("gql.payment_queries.one", burst)

        answer = await asked(http, f'{{ payment(id: "pay_{0:032x}") {{ id }} }}', bearer(actor))

        assert code_of(answer) == "INTERNAL_ERROR"
        assert "hunter2" not in answer.text
        assert "Traceback" not in answer.text

    @pytest.mark.parametrize(
        "body", [{}, {"query": None}, {"query": "{"}, {"query": "query { a(b: ) }"}, "x"]
    )
    async def test_no_malformed_request_is_our_fault(
        self, http: httpx2.AsyncClient, headers: Mapping[str, str], body: Any
    ) -> None:
        answer = await http.post(
            GRAPHQL,
            content=json.dumps(body),
            headers={**headers, "Content-Type": JSON, "Accept": RESPONSE_JSON},
        )

        assert answer.status_code == 400
        assert 'File "' not in answer.text
