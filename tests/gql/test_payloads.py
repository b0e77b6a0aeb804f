"""What mutations answer: payloads, business errors with all their fields, replays."""

import asyncio
import re
from dataclasses import fields
from typing import Any

import pytest
from graphql import GraphQLInputObjectType, build_schema, get_named_type

from domain.commands.catalogue import COMMANDS
from domain.commands.command import Command
from gql.errors import input_name
from gql.schema import printed
from sandbox import Sandbox
from sandbox.control.faults import Kind, Rule
from tests.api import EURO, Api, fresh_key
from tests.waiting import until

COMMON = "code message path retry"
CREATE = "mutation($input: CreatePaymentInput!) { createPayment(input: $input) { payment { id status } } }"
OPERATION = """query($key: IdempotencyKey!) {
    operation(mutation: "createPayment", idempotencyKey: $key) {
        state replayed requestId startedAt finishedAt expiresAt mutation idempotencyKey
        resource { ... on Payment { id status } } errors { code }
    }
}"""


def creation(**given: Any) -> dict[str, Any]:
    return {"idempotencyKey": fresh_key(), "charge": EURO, **given}


def spoilt(kind: Kind, *, times: int | None = None, seconds: float = 0) -> Rule:
    return Rule(path=re.compile("/payment_intents$"), kind=kind, method="POST", times=times, seconds=seconds)


class TestSimpleError:
    @pytest.mark.parametrize(
        ("mutation", "given", "path", "constraint"),
        [
            ("createPayment", creation(description="a\0b"), ["description"], "noControlCharacters"),
            ("createPayment", creation(description="x" * 1001), ["description"], "maxLength"),
            ("createPayment", creation(returnUrl="javascript:alert(1)"), ["returnUrl"], "absoluteUrl"),
            ("createPayment", creation(metadata={"a": "x" * 9000}), ["metadata"], "maxLength"),
            ("createPayment", creation(offSession=True, confirm=False), ["offSession"], None),
            ("createPayment", creation(), ["paymentMethodId"], "required"),
            ("addPaymentMethod", {"stripePaymentMethodId": "tok_visa"}, ["stripePaymentMethodId"], "pm_…"),
            ("updatePaymentMethod", {"id": f"mth_{0:032x}", "expMonth": 1}, ["expMonth"], None),
            ("updatePaymentMethod", {"id": f"mth_{0:032x}", "makeDefault": False}, ["makeDefault"], None),
        ],
    )
    async def test_names_the_input_field_as_the_input_spells_it(
        self, api: Api, mutation: str, given: dict[str, Any], path: list[str], constraint: str | None
    ) -> None:
        selection = f"operation {{ id }} errors {{ {COMMON} ... on SimpleError {{ constraint }} }}"

        payload = await api.mutate(mutation, given, selection)

        [error] = payload["errors"]
        assert error["message"]
        assert error == {
            "code": "INVALID_INPUT",
            "message": error["message"],
            "path": ["input", *path],
            "retry": "SAME_KEY",
            "constraint": constraint,
        }
        assert payload["operation"] is None

    async def test_leaves_the_key_free_for_the_corrected_input(self, api: Api) -> None:
        await api.add_card()
        wrong = creation(description="a\0b")
        assert await api.codes("createPayment", wrong) == ["INVALID_INPUT"]

        payment = await api.pay(**{**wrong, "description": "ab"})

        assert payment["status"] == "COMPLETED"

    async def test_of_an_unknown_object_names_the_field_and_advises_against_trying_again(
        self, api: Api
    ) -> None:
        given = {"idempotencyKey": fresh_key(), "paymentId": f"pay_{0:032x}"}

        payload = await api.mutate("confirmPayment", given, f"errors {{ __typename {COMMON} }}")

        [error] = payload["errors"]
        assert error.pop("message")
        assert error == {
            "__typename": "SimpleError",
            "code": "NOT_FOUND",
            "path": ["input", "paymentId"],
            "retry": "NEVER",
        }


class TestStateConflictError:
    SELECTION = f"payment {{ id }} errors {{ {COMMON} ... on StateConflictError {{ current allowed }} }}"

    async def test_tells_the_state_and_what_may_be_done_instead(self, api: Api, admins: Api) -> None:
        await api.add_card()
        authorized = await api.pay(captureMethod="MANUAL")
        given = {"idempotencyKey": fresh_key(), "paymentId": authorized["id"]}

        payload = await api.mutate("confirmPayment", given, self.SELECTION)

        [error] = payload["errors"]
        assert error.pop("message")
        assert error == {
            "code": "STATE_CONFLICT",
            "path": ["input", "paymentId"],
            "retry": "NEVER",
            "current": "AUTHORIZED",
            "allowed": ["CAPTURE", "CANCEL"],
        }

    async def test_of_a_removed_method(self, api: Api) -> None:
        card = await api.add_card()
        await api.mutate("deletePaymentMethod", {"id": card}, "deletedId")

        payload = await api.mutate(
            "updatePaymentMethod",
            {"id": card, "billingName": "Ada"},
            f"errors {{ {COMMON} ... on StateConflictError {{ current allowed }} }}",
        )

        [error] = payload["errors"]
        assert (error["code"], error["current"], error["allowed"]) == ("STATE_CONFLICT", "DETACHED", [])
        assert error["path"] == ["input", "id"]


class TestIdempotencyError:
    FIRST = "first { state resource { ... on Payment { id } } } differingFields"

    async def test_of_a_reused_key_names_the_fields_that_differ_as_the_input_spells_them(
        self, api: Api, sandbox: Sandbox
    ) -> None:
        await api.add_card()
        card = await api.add_card("pm_card_mastercard")
        given = creation(description="tea")
        first = await api.pay(**given)
        another = {
            **given,
            "charge": {"amount": {"minor": 1251, "currency": "EUR"}},
            "paymentMethodId": card,
            "confirm": False,
            "captureMethod": "MANUAL",
            "savePaymentMethod": True,
            "description": "coffee",
            "metadata": {"order": 17},
            "returnUrl": "https://shop.example/back",
        }

        payload = await api.mutate(
            "createPayment",
            another,
            f"payment {{ id }} errors {{ {COMMON} ... on IdempotencyError {{ {self.FIRST} }} }}",
        )

        [error] = payload["errors"]
        assert payload["payment"] is None
        assert (error["code"], error["retry"]) == ("KEY_REUSED", "NEW_KEY")
        assert error["path"] == ["input", "idempotencyKey"]
        assert error["first"] == {"state": "SUCCEEDED", "resource": {"id": first["id"]}}
        assert set(error["differingFields"]) == another.keys() - {"idempotencyKey"}
        assert sandbox.ledger()["totals"]["captures"] == 1

    @pytest.mark.parametrize(
        ("mutation", "first", "second"),
        [
            (
                "addPaymentMethod",
                {"stripePaymentMethodId": "pm_card_visa"},
                {"stripePaymentMethodId": "pm_card_amex", "makeDefault": True},
            ),
            ("startPaymentMethodSetup", {}, {"makeDefault": True}),
        ],
    )
    async def test_of_a_reused_key_for_a_method(
        self, api: Api, mutation: str, first: dict[str, Any], second: dict[str, Any]
    ) -> None:
        key = {"idempotencyKey": fresh_key()}
        assert await api.codes(mutation, {**first, **key}) == []

        payload = await api.mutate(
            mutation, {**second, **key}, "errors { code ... on IdempotencyError { differingFields } }"
        )

        [error] = payload["errors"]
        assert error["code"] == "KEY_REUSED"
        assert set(error["differingFields"]) == second.keys()

    async def test_of_a_changed_method_names_its_id_and_its_successor(self, api: Api) -> None:
        cards = [await api.add_card(name) for name in ("pm_card_visa", "pm_card_mastercard", "pm_card_amex")]
        key = fresh_key()
        await api.mutate("deletePaymentMethod", {"id": cards[0], "idempotencyKey": key}, "deletedId")

        payload = await api.mutate(
            "deletePaymentMethod",
            {"id": cards[1], "replaceWithId": cards[2], "idempotencyKey": key},
            "deletedId errors { ... on IdempotencyError { differingFields } }",
        )

        assert payload["deletedId"] is None
        assert set(payload["errors"][0]["differingFields"]) == {"id", "replaceWithId"}

    @pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
    def test_has_an_input_field_for_each_field_of_a_command(self, command: type[Command[Any, Any]]) -> None:
        roots = build_schema(printed()).mutation_type
        assert roots is not None
        given = get_named_type(roots.fields[command.mutation].args["input"].type)
        assert isinstance(given, GraphQLInputObjectType)

        named = {input_name(command.mutation, part.name) for part in fields(command)}

        assert named == given.fields.keys() - {"idempotencyKey"}

    async def test_while_the_first_request_is_running_shows_it(self, api: Api, sandbox: Sandbox) -> None:
        await api.add_card()
        given = creation()
        sandbox.faults.add([spoilt(Kind.DELAY, times=1, seconds=60)])
        first = asyncio.create_task(api.pay(**given))
        await until_running(api, given["idempotencyKey"])

        payload = await api.mutate(
            "createPayment", given, f"errors {{ {COMMON} ... on IdempotencyError {{ {self.FIRST} }} }}"
        )
        sandbox.faults.release()

        [error] = payload["errors"]
        assert (error["code"], error["retry"]) == ("KEY_IN_PROGRESS", "LATER_SAME_KEY")
        assert error["path"] == ["input", "idempotencyKey"]
        assert error["first"]["state"] == "RUNNING"
        assert error["differingFields"] == []
        assert error["first"]["resource"] == {"id": (await first)["id"]}


async def until_running(api: Api, key: str) -> None:
    async def operation() -> Any:
        return (await api.run(OPERATION, {"key": key}))["operation"]

    await until(operation)


class TestDeclinedError:
    async def test_comes_with_the_failed_payment(self, api: Api) -> None:
        card = await api.add_card("pm_card_chargeCustomerFail")
        decline = "code category networkAdvice fixableBy customerMessage retryable"

        payload = await api.mutate(
            "createPayment",
            creation(paymentMethodId=card),
            f"payment {{ status decline {{ {decline} }} actions capturedAmount {{ minor }} }} operation {{ state }}"
            f" errors {{ {COMMON} ... on DeclinedError {{ decline {{ {decline} }} }} }}",
        )

        [error] = payload["errors"]
        assert payload["operation"] == {"state": "FAILED"}
        assert payload["payment"]["status"] == "FAILED"
        assert payload["payment"]["actions"] == ["RETRY", "CANCEL"]
        assert payload["payment"]["capturedAmount"] == {"minor": 0}
        assert payload["payment"]["decline"] == error["decline"]
        assert (error["code"], error["path"]) == ("DECLINED", [])
        assert error["retry"] == ("AFTER_CUSTOMER_ACTION" if error["decline"]["retryable"] else "NEVER")
        assert error["message"] == error["decline"]["customerMessage"]

    async def test_is_told_again_by_a_replay(self, api: Api, sandbox: Sandbox) -> None:
        given = creation(paymentMethodId=await api.add_card("pm_card_chargeCustomerFail"))
        told = "payment { id status } operation { id } errors { code message retry }"
        first = await api.mutate("createPayment", given, told)

        again = await api.mutate("createPayment", given, told)

        assert again == first
        assert sandbox.ledger()["totals"]["payment_intents"] == 1

    async def test_is_overcome_with_another_card(self, api: Api) -> None:
        failed = await api.pay(paymentMethodId=await api.add_card("pm_card_chargeCustomerFail"))
        given = {
            "idempotencyKey": fresh_key(),
            "paymentId": failed["id"],
            "paymentMethodId": await api.add_card(),
        }

        payload = await api.mutate(
            "confirmPayment", given, "payment { id status decline { code } } errors { code }"
        )

        assert payload == {
            "payment": {"id": failed["id"], "status": "COMPLETED", "decline": None},
            "errors": [],
        }


class TestAmountError:
    SELECTION = """errors { code path retry ... on AmountError {
        minimum { minor currency decimal } maximum { minor } rule { code exponent stepMinor }
    } }"""

    @pytest.mark.parametrize("minor", [0, -1, 49, 100_000_000, 2**53 - 1])
    async def test_out_of_range_tells_the_range(self, api: Api, minor: int) -> None:
        given = creation(charge={"amount": {"minor": minor, "currency": "EUR"}})

        payload = await api.mutate("createPayment", given, self.SELECTION)

        assert payload["errors"] == [
            {
                "code": "AMOUNT_OUT_OF_RANGE",
                "path": ["input", "charge", "amount", "minor"],
                "retry": "SAME_KEY",
                "minimum": {"minor": 50, "currency": "EUR", "decimal": "0.50"},
                "maximum": {"minor": 99_999_999},
                "rule": {"code": "EUR", "exponent": 2, "stepMinor": 1},
            }
        ]

    async def test_against_the_currencys_rule_tells_the_step(self, api: Api) -> None:
        given = creation(charge={"amount": {"minor": 12_345, "currency": "KWD"}})

        [error] = (await api.mutate("createPayment", given, self.SELECTION))["errors"]

        assert (error["code"], error["path"]) == ("CURRENCY_RULE", ["input", "charge", "amount", "minor"])
        assert error["rule"] == {"code": "KWD", "exponent": 3, "stepMinor": 10}

    @pytest.mark.parametrize("currency", ["XXX", "UGX", "ABC"])
    async def test_of_a_currency_that_is_not_accepted_knows_no_rule(self, api: Api, currency: str) -> None:
        given = creation(charge={"amount": {"minor": 1250, "currency": currency}})

        payload = await api.mutate("createPayment", given, self.SELECTION)

        assert payload["errors"] == [
            {
                "code": "CURRENCY_RULE",
                "path": ["input", "charge", "amount", "currency"],
                "retry": "SAME_KEY",
                "minimum": None,
                "maximum": None,
                "rule": None,
            }
        ]

    async def test_of_a_capture_names_the_amount(self, api: Api, admins: Api) -> None:
        await api.add_card()
        payment = await api.pay(captureMethod="MANUAL")
        capture = {"idempotencyKey": fresh_key(), "paymentId": payment["id"]}

        for amount, path in (
            ({"minor": 1251, "currency": "EUR"}, "minor"),
            ({"minor": 1250, "currency": "USD"}, "currency"),
            ({"minor": 0, "currency": "EUR"}, "minor"),
        ):
            [error] = (await admins.mutate("capturePayment", {**capture, "amount": amount}, self.SELECTION))[
                "errors"
            ]
            assert error["path"] == ["input", "amount", path]


class TestProviderError:
    ERRORS = f"errors {{ {COMMON} ... on ProviderError {{ outcomeKnown retryAfterSeconds }} }}"
    SELECTION = f"payment {{ id status }} operation {{ state replayed }} {ERRORS}"

    @pytest.fixture(autouse=True)
    def impatience(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("processor.stripe_calls.FIRST_PAUSE", 0.001)

    async def test_of_a_refusal_is_final(self, api: Api) -> None:
        payload = await api.mutate(
            "addPaymentMethod",
            {"stripePaymentMethodId": "pm_nobodyKnowsIt"},
            f"operation {{ state }} paymentMethod {{ id }} {self.ERRORS}",
        )

        [error] = payload["errors"]
        assert error.pop("message")
        assert payload["operation"] == {"state": "FAILED"}
        assert payload["paymentMethod"] is None
        assert error == {
            "code": "PROVIDER_REFUSED",
            "path": [],
            "retry": "NEW_KEY",
            "outcomeKnown": True,
            "retryAfterSeconds": None,
        }

    @pytest.mark.parametrize("kind", [Kind.ERROR_BEFORE, Kind.RESET_AFTER, Kind.HTML, Kind.RATE_LIMIT])
    async def test_of_an_unknown_outcome_advises_the_same_key_which_then_finds_one_payment(
        self, api: Api, sandbox: Sandbox, kind: Kind
    ) -> None:
        await api.add_card()
        given = creation()
        sandbox.faults.add([spoilt(kind)])

        unknown = await api.mutate("createPayment", given, self.SELECTION)
        sandbox.faults.clear()
        settled = await api.mutate("createPayment", given, self.SELECTION)

        [error] = unknown["errors"]
        assert unknown["payment"]["status"] == "PENDING"
        assert unknown["operation"] == {"state": "OUTCOME_UNKNOWN", "replayed": False}
        assert (error["code"], error["retry"]) == ("PROVIDER_UNAVAILABLE", "LATER_SAME_KEY")
        assert (error["outcomeKnown"], error["retryAfterSeconds"]) == (False, 5)
        assert settled == {
            "payment": {"id": unknown["payment"]["id"], "status": "COMPLETED"},
            "operation": {"state": "SUCCEEDED", "replayed": True},
            "errors": [],
        }
        assert sandbox.ledger()["totals"]["captures"] == 1

    async def test_of_a_read_spoils_only_the_field_that_needed_the_provider(
        self, api: Api, sandbox: Sandbox
    ) -> None:
        payment = await api.pay(paymentMethodId=await api.add_card("pm_card_authenticationRequired"))
        sandbox.faults.add(
            [Rule(path=re.compile("/payment_intents/"), kind=Kind.HTML, method="GET", times=None)]
        )

        body = await api.answer(
            "query($id: ID!) { payment(id: $id) { status nextAction { kind } } }", {"id": payment["id"]}
        )

        assert body["data"]["payment"] == {"status": "REQUIRES_ACTION", "nextAction": None}
        [error] = body["errors"]
        assert error["path"] == ["payment", "nextAction"]
        assert error["extensions"]["code"] == "PROVIDER_UNAVAILABLE"
        assert error["extensions"]["retry"] == "LATER_SAME_KEY"


class TestUserErrorsExtension:
    async def test_repeats_the_codes_of_all_payloads(self, api: Api) -> None:
        body = await api.answer(
            """mutation($one: CreatePaymentInput!, $two: AddPaymentMethodInput!) {
                createPayment(input: $one) { errors { code } }
                second: addPaymentMethod(input: $two) { errors { code } }
            }""",
            {"one": creation(description="\0"), "two": {"stripePaymentMethodId": "tok_visa"}},
        )

        assert body["extensions"]["userErrors"] == [
            {"mutation": "createPayment", "code": "INVALID_INPUT"},
            {"mutation": "addPaymentMethod", "code": "INVALID_INPUT"},
        ]

    async def test_is_absent_where_all_went_well(self, api: Api) -> None:
        body = await api.answer(
            'mutation { addPaymentMethod(input: {stripePaymentMethodId: "pm_card_visa"}) { errors { code } } }'
        )

        assert body == {"data": {"addPaymentMethod": {"errors": []}}}


class TestOperation:
    async def test_tells_what_became_of_a_key(self, api: Api) -> None:
        await api.add_card()
        given = creation()
        payment = await api.pay(**given)

        operation = (await api.run(OPERATION, {"key": given["idempotencyKey"]}))["operation"]

        assert operation["state"] == "SUCCEEDED"
        assert operation["mutation"] == "createPayment"
        assert operation["idempotencyKey"] == given["idempotencyKey"]
        assert operation["resource"] == payment
        assert operation["errors"] == []
        assert operation["startedAt"] <= operation["finishedAt"] < operation["expiresAt"]

    async def test_names_the_first_request(self, api: Api) -> None:
        given = {"stripePaymentMethodId": "pm_card_visa", "idempotencyKey": fresh_key()}
        document = """mutation($input: AddPaymentMethodInput!) {
            addPaymentMethod(input: $input) { operation { requestId } }
        }"""
        ids = []

        for request_id in ("first-request", "second-request"):
            response = await api.post(document, {"input": given}, **{"X-Request-ID": request_id})
            ids.append(response.json()["data"]["addPaymentMethod"]["operation"]["requestId"])

        assert ids == ["first-request", "first-request"]

    async def test_of_a_key_that_never_arrived_is_null(self, api: Api) -> None:
        assert await api.run(OPERATION, {"key": fresh_key()}) == {"operation": None}

    async def test_of_a_key_used_for_another_mutation_is_null(self, api: Api) -> None:
        key = fresh_key()
        await api.add_card(idempotencyKey=key)

        assert await api.run(OPERATION, {"key": key}) == {"operation": None}

    async def test_key_serves_each_mutation_once(self, api: Api) -> None:
        key = fresh_key()
        await api.add_card(idempotencyKey=key)

        payment = await api.pay(idempotencyKey=key)

        assert payment["status"] == "COMPLETED"


class TestReplay:
    SELECTION = "payment { id status description } operation { id replayed } errors { code }"

    async def test_shows_the_first_payment_under_the_new_selection(self, api: Api, sandbox: Sandbox) -> None:
        await api.add_card()
        given = creation(description="tea", metadata={"b": [1, {"x": None}], "a": "ü"})
        first = await api.mutate("createPayment", given, "payment { id } operation { id replayed }")

        again = await api.mutate(
            "createPayment", {**given, "metadata": {"a": "ü", "b": [1, {"x": None}]}}, self.SELECTION
        )

        assert first["operation"]["replayed"] is False
        assert again["operation"] == {"id": first["operation"]["id"], "replayed": True}
        assert again["payment"] == {"id": first["payment"]["id"], "status": "COMPLETED", "description": "tea"}
        assert sandbox.ledger()["totals"]["captures"] == 1

    async def test_of_a_deletion_names_what_was_deleted(self, api: Api) -> None:
        given = {"id": await api.add_card(), "idempotencyKey": fresh_key()}
        first = await api.mutate("deletePaymentMethod", given, "deletedId errors { code }")

        assert first == {"deletedId": given["id"], "errors": []}
        assert await api.mutate("deletePaymentMethod", given, "deletedId errors { code }") == first

    async def test_is_every_users_own(self, api: Api, others: Api, sandbox: Sandbox) -> None:
        given = creation()
        paid = []

        for caller in (api, others):
            await caller.add_card()
            paid.append(await caller.pay(**given))

        assert paid[0]["id"] != paid[1]["id"]
        assert sandbox.ledger()["totals"]["captures"] == 2


class TestSeveralMutations:
    async def test_run_in_order_and_each_shows_what_it_left(self, api: Api) -> None:
        card = await api.add_card()
        rename = 'updatePaymentMethod(input: {id: "%s", billingName: "%s"}) { paymentMethod { billingName version } }'

        renamings = [f"m{at}: {rename % (card, name)}" for at, name in enumerate(("Ada", "Grace", "Ada"))]

        data = await api.run(f"mutation {{ {' '.join(renamings)} }}")

        names = [part["paymentMethod"]["billingName"] for part in data.values()]
        versions = [part["paymentMethod"]["version"] for part in data.values()]
        assert names == ["Ada", "Grace", "Ada"]
        assert versions == sorted(set(versions))

    async def test_one_that_is_refused_does_not_stop_the_next(self, api: Api) -> None:
        data = await api.run(
            """mutation {
                wrong: addPaymentMethod(input: {stripePaymentMethodId: "tok_visa"}) { errors { code } }
                right: addPaymentMethod(input: {stripePaymentMethodId: "pm_card_visa"}) { errors { code } }
            }"""
        )

        assert data == {"wrong": {"errors": [{"code": "INVALID_INPUT"}]}, "right": {"errors": []}}
