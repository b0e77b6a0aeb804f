"""What a key is worth: replays, refusals, and the question what became of it."""

import asyncio
import re
from dataclasses import fields
from typing import Any, Final

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


USE_NO_KEY: Final = {"replayWebhookEvent": {"dryRun"}}
"""Input fields by which a mutation becomes something that is no command: a dry run is done as often as one likes."""


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
            "allowDuplicate": True,
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

        assert named == given.fields.keys() - {"idempotencyKey"} - USE_NO_KEY.get(command.mutation, set())

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
