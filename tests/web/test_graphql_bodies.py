"""Bodies and documents that are sent by mistake or malice."""

import gzip
import json
import time

import httpx2
import pytest
from graphql import build_client_schema, get_introspection_query

from domain.actor import Actor
from gql.documents import MOST_DOCUMENTS, Documents
from gql.executor import SCHEMA
from gql.limits import Limits
from tests.api import GRAPHQL, Api
from tests.parts import bearer
from tests.web.graphql_requests import CURRENCIES, JSON, RESPONSE_JSON, body_of, code_of
from tests.web.in_process import Events
from web.body_limit import DEFAULT_BYTES


@pytest.fixture
def api(http: httpx2.AsyncClient, actor: Actor) -> Api:
    return Api(http=http, headers=bearer(actor))


DEEP_VARIABLES = '{"query": "{ currencies { code } }", "variables": ' + '{"a":' * 5000 + "1" + "}" * 5001


BODIES: dict[str, tuple[bytes, dict[str, str], int, str]] = {
    "1 MB": (b" " * 2**20, {}, 413, "CONTENT_TOO_LARGE"),
    "a byte too large": (body_of("#" * DEFAULT_BYTES), {}, 413, "CONTENT_TOO_LARGE"),
    "200,000 brackets": (b"[" * 200_000, {}, 400, "BAD_REQUEST"),
    "200,000 braces": (b'{"a":' * 40_000, {}, 400, "BAD_REQUEST"),
    "deep variables": (DEEP_VARIABLES.encode(), {}, 400, "BAD_REQUEST"),
    "gzip": (gzip.compress(body_of(CURRENCIES)), {"Content-Encoding": "gzip"}, 415, "UNSUPPORTED_MEDIA_TYPE"),
    "gzip in disguise": (gzip.compress(body_of(CURRENCIES)), {}, 400, "BAD_REQUEST"),
    "not UTF-8": (b'{"query": "\xff\xfe"}', {}, 400, "BAD_REQUEST"),
    "UTF-16": (body_of(CURRENCIES).decode().encode("utf-16"), {}, 400, "BAD_REQUEST"),
    "Latin-1": (
        body_of(CURRENCIES),
        {"Content-Type": f"{JSON}; charset=latin-1"},
        415,
        "UNSUPPORTED_MEDIA_TYPE",
    ),
    "text": (body_of(CURRENCIES), {"Content-Type": "text/plain"}, 415, "UNSUPPORTED_MEDIA_TYPE"),
    "no type": (body_of(CURRENCIES), {"Content-Type": ""}, 415, "UNSUPPORTED_MEDIA_TYPE"),
    "GraphQL itself": (
        CURRENCIES.encode(),
        {"Content-Type": "application/graphql"},
        415,
        "UNSUPPORTED_MEDIA_TYPE",
    ),
    "a form": (
        b"query=%7Bx%7D",
        {"Content-Type": "application/x-www-form-urlencoded"},
        415,
        "UNSUPPORTED_MEDIA_TYPE",
    ),
    "an upload": (
        b"--x--",
        {"Content-Type": "multipart/form-data; boundary=x"},
        415,
        "UNSUPPORTED_MEDIA_TYPE",
    ),
    "nothing": (b"", {}, 400, "BAD_REQUEST"),
    "a batch": (b"[%s]" % body_of(CURRENCIES), {}, 400, "BAD_REQUEST"),
    "null": (b"null", {}, 400, "BAD_REQUEST"),
    "a text": (b'"query"', {}, 400, "BAD_REQUEST"),
    "no query": (b"{}", {}, 400, "BAD_REQUEST"),
    "a number for a query": (b'{"query": 1}', {}, 400, "BAD_REQUEST"),
    "a list of variables": (body_of(CURRENCIES, variables=[]), {}, 400, "BAD_REQUEST"),
    "a number for a name": (body_of(CURRENCIES, operationName=1), {}, 400, "BAD_REQUEST"),
    "a text for extensions": (body_of(CURRENCIES, extensions="x"), {}, 400, "BAD_REQUEST"),
    "a float beyond all": (b'{"query": "{x}", "variables": {"a": 1e400}}', {}, 400, "BAD_REQUEST"),
    "not a number": (b'{"query": "{x}", "variables": {"a": NaN}}', {}, 400, "BAD_REQUEST"),
    "a lone surrogate": (b'{"query": "{x}", "variables": {"a": "\\ud800"}}', {}, 400, "BAD_REQUEST"),
}


class TestBodies:
    @pytest.mark.parametrize("name", BODIES)
    async def test_that_are_no_request_are_refused(self, http: httpx2.AsyncClient, name: str) -> None:
        content, headers, status, code = BODIES[name]

        answer = await http.post(GRAPHQL, content=content, headers={"Content-Type": JSON, **headers})

        assert (answer.status_code, code_of(answer)) == (status, code)


def nested(field: str, depth: int) -> str:
    return f"{{ {field} {{" * depth + " id " + "}}" * depth


def doubling(levels: int) -> str:
    """Fragments that would be 2^levels fields if somebody wrote them out."""
    fragments = [f"fragment f{at} on Query {{ ...f{at + 1} ...f{at + 1} }}" for at in range(levels)]
    return " ".join([*fragments, f"fragment f{levels} on Query {{ currencies {{ code }} }} {{ ...f0 }}"])


DOCUMENTS: dict[str, tuple[str, str]] = {
    "unknown field": ("{ nonsense }", "GRAPHQL_VALIDATION_FAILED"),
    "unknown argument": ("{ currencies(a: 1) { code } }", "GRAPHQL_VALIDATION_FAILED"),
    "no selection": ("{ currencies }", "GRAPHQL_VALIDATION_FAILED"),
    "nothing": ("", "GRAPHQL_PARSE_FAILED"),
    "only a comment": ("# hello", "GRAPHQL_PARSE_FAILED"),
    "a NUL": ("{ currencies \0 { code } }", "GRAPHQL_PARSE_FAILED"),
    "a lone surrogate": ('{ payments(after: "\\ud800") { totalCount } }', "GRAPHQL_PARSE_FAILED"),
    "a type definition": ("type Query { a: Int }", "GRAPHQL_VALIDATION_FAILED"),
    "a subscription": ("subscription { payments { id } }", "GRAPHQL_VALIDATION_FAILED"),
    "no such operation": ("query A { currencies { code } }", "BAD_USER_INPUT"),
    "twice the same name": (f"query A {CURRENCIES} query A {CURRENCIES}", "GRAPHQL_VALIDATION_FAILED"),
    "two anonymous operations": (f"{CURRENCIES} {CURRENCIES}", "GRAPHQL_VALIDATION_FAILED"),
    "3,000 fields": (f"{{ {' '.join(f'a{at}: __typename' for at in range(3000))} }}", "GRAPHQL_PARSE_FAILED"),
    "one token too many": (f"{{ {'__typename ' * (Limits().tokens - 1)} }}", "GRAPHQL_PARSE_FAILED"),
    "10,000 directives": (f"{{ __typename {'@include(if: true) ' * 10_000} }}", "GRAPHQL_PARSE_FAILED"),
    "a cycle of fragments": ("{ ...f } fragment f on Query { ...f }", "GRAPHQL_VALIDATION_FAILED"),
    "very deep fields": (nested("viewer", 450), "GRAPHQL_PARSE_FAILED"),
    "very deep lists": (f"{{ nodes(ids: {'[' * 900}{']' * 900}) {{ id }} }}", "GRAPHQL_PARSE_FAILED"),
    "very deep objects": (
        f"{{ payments(filter: {'{a:' * 600}1{'}' * 600}) {{ totalCount }} }}",
        "GRAPHQL_PARSE_FAILED",
    ),
    "very deep types": (f"query($a: {'[' * 900}Int{']' * 900}) {{ __typename }}", "GRAPHQL_PARSE_FAILED"),
}


class TestDocuments:
    @pytest.mark.parametrize("name", DOCUMENTS)
    async def test_that_cannot_be_executed_are_refused(self, http: httpx2.AsyncClient, name: str) -> None:
        document, code = DOCUMENTS[name]
        asked = {"query": document, "operationName": "B" if name == "no such operation" else None}

        answer = await http.post(GRAPHQL, json=asked, headers={"Accept": RESPONSE_JSON})

        assert (answer.status_code, code_of(answer)) == (400, code)
        assert len(answer.json()["errors"]) <= 6

    async def test_with_two_operations_need_a_name(self, http: httpx2.AsyncClient) -> None:
        document = f"query A {CURRENCIES} query B {{ __typename }}"

        nameless = await http.post(GRAPHQL, json={"query": document}, headers={"Accept": RESPONSE_JSON})
        named = await http.post(GRAPHQL, json={"query": document, "operationName": "B"})

        assert (nameless.status_code, code_of(nameless)) == (400, "BAD_USER_INPUT")
        assert named.json()["data"] == {"__typename": "Query"}

    async def test_of_doubling_fragments_take_no_more_time_than_their_length(
        self, http: httpx2.AsyncClient
    ) -> None:
        began = time.perf_counter()

        answer = await http.post(GRAPHQL, json={"query": doubling(26)})

        assert answer.status_code == 200
        assert time.perf_counter() - began < 5  # 2^26 fields would take minutes

    async def test_are_introspected_as_graphiql_does(self, http: httpx2.AsyncClient) -> None:
        answer = await http.post(GRAPHQL, json={"query": get_introspection_query()})

        assert build_client_schema(answer.json()["data"]).query_type is not None


class TestSurprises:
    async def test_are_logged_with_the_request_and_shown_without_a_reason(
        self, api: Api, monkeypatch: pytest.MonkeyPatch, events: Events
    ) -> None:
        def burst(*_: object) -> None:
            raise RuntimeError("the password is hunter2")

        monkeypatch.setattr("gql.payment_queries.one", burst)

        body = await api.answer(f'{{ payment(id: "pay_{0:032x}") {{ id }} currencies {{ code }} }}')

        [error] = body["errors"]
        assert error["extensions"]["code"] == "INTERNAL_ERROR"
        assert "hunter2" not in json.dumps(body)
        assert body["data"]["currencies"]
        [logged] = [event for event in events if event["event"] == "graphql.failed"]
        assert logged["request_id"] == error["extensions"]["requestId"]
        assert isinstance(logged["exc_info"], RuntimeError)


class TestKnownDocuments:
    @pytest.fixture
    def documents(self) -> Documents:
        return Documents(SCHEMA, Limits())

    def test_are_read_once(self, documents: Documents) -> None:
        assert documents.get(CURRENCIES) is documents.get(CURRENCIES)

    def test_that_were_unused_for_longest_make_room(self, documents: Documents) -> None:
        first, second = documents.get(CURRENCIES), documents.get("{ __typename }")
        for number in range(MOST_DOCUMENTS - 1):
            documents.get(f"{{ a{number}: __typename }}")
            documents.get(CURRENCIES)

        assert documents.get(CURRENCIES) is first
        assert documents.get("{ __typename }") is not second

    def test_keep_no_more_text_than_allowed(
        self, documents: Documents, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("gql.documents.MOST_BYTES", 100)
        first = documents.get(CURRENCIES)

        documents.get(f"{{ __typename }} # {'x' * 90}")

        assert documents.get(CURRENCIES) is not first
