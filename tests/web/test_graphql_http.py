"""GraphQL over HTTP: https://graphql.github.io/graphql-over-http/draft/, and what is sent by mistake or malice."""

import gzip
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from graphql import build_client_schema, get_introspection_query
from starlette.applications import Starlette

from domain.actor import Actor
from gateway.app import application
from gateway.wiring import Gateway
from gql.documents import MOST_DOCUMENTS, MOST_TOKENS, Documents
from gql.execution import Executor
from persistence.tables import metadata
from sandbox import Sandbox
from tests.api import EURO, GRAPHQL, Api, fresh_key
from tests.parts import bearer
from tests.tables import contents_of
from tests.web.in_process import Events
from web.body_limit import DEFAULT_BYTES

JSON = "application/json"
RESPONSE_JSON = "application/graphql-response+json"
CURRENCIES = "{ currencies { code } }"
CREATE = "mutation($input: CreatePaymentInput!) { createPayment(input: $input) { payment { id } errors { code } } }"


@pytest.fixture
def api(http: httpx2.AsyncClient, actor: Actor) -> Api:
    return Api(http=http, headers=bearer(actor))


def body_of(query: str, **more: Any) -> bytes:
    return json.dumps({"query": query, **more}).encode()


def code_of(answer: httpx2.Response) -> str:
    """From GraphQL's own shape, or from the envelope of what never reached GraphQL."""
    body = answer.json()
    code: str = body["errors"][0]["extensions"]["code"] if "errors" in body else body["error"]["code"]
    return code


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
    "one token too many": (f"{{ {'__typename ' * (MOST_TOKENS - 1)} }}", "GRAPHQL_PARSE_FAILED"),
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
        assert named.json() == {"data": {"__typename": "Query"}}

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


class TestAmounts:
    @pytest.mark.parametrize(
        "minor",
        ["12.5", "1e3", "1250.0", '"12.5"', '"--5"', '""', '" 1250"', '"٣٣٣"', "true", "null", "[1250]", "{}",
         "1e400", "9007199254740992", "123456789012345678901234567890", '"123456789012345678901234567890"'],
    )  # fmt: skip
    @pytest.mark.parametrize("place", ["variables", "literal"])
    async def test_that_are_no_whole_number_are_refused(
        self, api: Api, sandbox: Sandbox, minor: str, place: str
    ) -> None:
        amount = f'{{"amount": {{"minor": {minor}, "currency": "EUR"}}}}'
        given = f'{{"idempotencyKey": "order-17", "charge": {amount}}}'
        literal = (
            given.replace('"amount"', "amount").replace('"minor"', "minor").replace('"currency"', "currency")
        )
        literal = literal.replace('"idempotencyKey"', "idempotencyKey").replace('"charge"', "charge")
        inline = CREATE.replace("($input: CreatePaymentInput!)", "").replace("$input", literal)
        content = (
            f'{{"query": {json.dumps(CREATE)}, "variables": {{"input": {given}}}}}'
            if place == "variables"
            else json.dumps({"query": inline})
        )

        answer = await api.http.post(
            GRAPHQL, content=content, headers={**api.headers, "Content-Type": JSON, "Accept": RESPONSE_JSON}
        )

        assert answer.status_code == 400
        assert code_of(answer) in {
            "INVALID_INPUT",
            "BAD_USER_INPUT",
            "GRAPHQL_VALIDATION_FAILED",
            "BAD_REQUEST",
        }
        assert sandbox.ledger()["totals"]["payment_intents"] == 0

    async def test_may_be_the_digits_of_a_whole_number(self, api: Api) -> None:
        await api.add_card()

        payment = await api.pay(
            "amount { minor decimal }", charge={"amount": {"minor": "1250", "currency": "EUR"}}
        )

        assert payment["amount"] == {"minor": 1250, "decimal": "12.50"}


class TestBadInput:
    """Each a clear error with a stable code; nothing is stored, nobody at Stripe hears of it."""

    CASES: dict[str, tuple[dict[str, Any], str]] = {
        "amount 0": ({"charge": {"amount": {"minor": 0, "currency": "EUR"}}}, "AMOUNT_OUT_OF_RANGE"),
        "negative": ({"charge": {"amount": {"minor": -1250, "currency": "EUR"}}}, "AMOUNT_OUT_OF_RANGE"),
        "over the maximum": ({"charge": {"amount": {"minor": 10**12, "currency": "EUR"}}}, "AMOUNT_OUT_OF_RANGE"),
        "the currency's rule": ({"charge": {"amount": {"minor": 1_001, "currency": "KWD"}}}, "CURRENCY_RULE"),
        "unknown currency": ({"charge": {"amount": {"minor": 1250, "currency": "XYZ"}}}, "CURRENCY_RULE"),
        "unknown method": ({"paymentMethodId": f"mth_{1:032x}"}, "NOT_FOUND"),
        "malformed method": ({"paymentMethodId": "mth_1"}, "NOT_FOUND"),
        "a payment for a method": ({"paymentMethodId": f"pay_{1:032x}"}, "NOT_FOUND"),
        "an id in capitals": ({"paymentMethodId": f"MTH_{1:032X}"}, "NOT_FOUND"),
        "no method": ({}, "INVALID_INPUT"),
        "NUL in a description": ({"description": "a\0b"}, "INVALID_INPUT"),
        "NUL in metadata": ({"metadata": {"a": ["\0"]}}, "INVALID_INPUT"),
        "NUL in a key of metadata": ({"metadata": {"\0": 1}}, "INVALID_INPUT"),
        "an escape in a description": ({"description": "\x1b[31m"}, "INVALID_INPUT"),
        "a long description": ({"description": "a" * 1001}, "INVALID_INPUT"),
        "much metadata": ({"metadata": {str(at): at for at in range(3000)}}, "INVALID_INPUT"),
        "a very long description": ({"description": "a" * 200_000}, "INVALID_INPUT"),
        "deep metadata": ({"metadata": {"a": json.loads("[" * 20 + "]" * 20)}}, "INVALID_INPUT"),
        "a relative URL": ({"returnUrl": "/back"}, "INVALID_INPUT"),
        "a script": ({"returnUrl": "javascript:alert(1)"}, "INVALID_INPUT"),
        "a malformed URL": ({"returnUrl": "https://[::1"}, "INVALID_INPUT"),
    }  # fmt: skip

    @pytest.fixture(autouse=True)
    async def nothing_changed(self, api: Api, database_url: str, sandbox: Sandbox) -> AsyncIterator[None]:
        await api.run("{ viewer { id } }")
        await api.codes("startPaymentMethodSetup", {})  # There is a customer, but no card.
        before, captured = await contents_of(database_url, metadata), sandbox.ledger()
        yield
        assert await contents_of(database_url, metadata) == before
        assert sandbox.ledger() == captured

    async def test_gets_its_code(self, api: Api) -> None:
        for name, (given, code) in self.CASES.items():
            codes = await api.codes("createPayment", {"idempotencyKey": fresh_key(), "charge": EURO, **given})
            assert codes == [code], name

    @pytest.mark.parametrize(
        "given",
        [
            {"unknown": 1},
            {"idempotencyKey": "short"},
            {"idempotencyKey": "x" * 256},
            {"idempotencyKey": "order 17 ü"},
            {"idempotencyKey": "order\n17\n17"},
            {"idempotencyKey": None},
            {"idempotencyKey": 12345678},
            {"idempotencyKey": "order-17\0"},
            {"confirm": "yes"},
            {"confirm": None},
            {"captureMethod": "LATER"},
            {"captureMethod": "automatic"},
            {"captureMethod": 1},
            {"description": 17},
            {"metadata": {"a": json.loads("[" * 900 + "]" * 900)}},
            {"metadata": "text"},
            {"metadata": [1]},
            {"charge": {}},
            {"charge": None},
            {"charge": {"amount": None}},
            {"charge": {"amount": {"minor": 1250}}},
            {"charge": {"amount": {"minor": 1250, "currency": "eur"}}},
            {"charge": {"amount": {"minor": 1250, "currency": "€€€"}}},
            {"charge": {"amount": {"minor": 1250, "currency": ""}}},
            {"paymentMethodId": 1.5},
        ],
    )
    async def test_of_another_form_is_no_input_at_all(self, api: Api, given: dict[str, Any]) -> None:
        wanted = {"idempotencyKey": fresh_key(), "charge": EURO, **given}

        answer = await api.post(CREATE, {"input": wanted}, Accept=RESPONSE_JSON)

        assert answer.status_code == 400
        assert code_of(answer) in {"INVALID_INPUT", "BAD_USER_INPUT"}


class TestReusedKey:
    async def test_with_metadata_deeper_than_python_recurses_is_refused(self, api: Api) -> None:
        await api.add_card()
        given: dict[str, Any] = {"idempotencyKey": fresh_key(), "charge": EURO}
        await api.pay(**given)
        deep = {**given, "metadata": {"a": json.loads("[" * 900 + "]" * 900)}}

        answer = await api.post(CREATE, {"input": deep}, Accept=RESPONSE_JSON)

        assert (answer.status_code, code_of(answer)) == (400, "INVALID_INPUT")


class TestRemovedMethod:
    async def test_pays_nothing(self, api: Api, sandbox: Sandbox) -> None:
        card = await api.add_card()
        await api.mutate("deletePaymentMethod", {"id": card}, "deletedId")

        codes = await api.codes(
            "createPayment", {"idempotencyKey": fresh_key(), "charge": EURO, "paymentMethodId": card}
        )

        assert codes == ["NOT_FOUND"]
        assert sandbox.ledger()["totals"]["payment_intents"] == 0


class TestSurprises:
    async def test_are_logged_with_the_request_and_shown_without_a_reason(
        self, api: Api, monkeypatch: pytest.MonkeyPatch, events: Events
    ) -> None:
        def burst(*_: object) -> None:
            raise RuntimeError("the password is hunter2")

        monkeypatch.setattr("gql.schema.existing", burst)

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
        return Executor().documents

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
