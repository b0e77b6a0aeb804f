"""Well-formed requests whose values are wrong."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from domain.actor import Actor
from persistence.tables import metadata
from sandbox import Sandbox
from tests.api import EURO, GRAPHQL, Api, fresh_key
from tests.parts import bearer
from tests.tables import contents_of
from tests.web.graphql_requests import CREATE, JSON, RESPONSE_JSON, code_of


@pytest.fixture
def api(http: httpx2.AsyncClient, actor: Actor) -> Api:
    return Api(http=http, headers=bearer(actor))


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
