"""What mutations answer is shown by plans, and no mutation is executed twice for it."""

import random
from collections.abc import Callable
from typing import Any, Final

import pytest
from graphql import GraphQLObjectType

from domain.actor import Actor
from domain.command_service import CommandService
from domain.payment import Payment
from domain.ports import Glance, Shown
from gateway.wiring import Gateway
from gql.compiled.payloads import Payloads
from gql.compiled.surprise import Surprise
from gql.context import Context
from gql.execution import Executor, Request
from gql.executor import SCHEMA
from gql.policy import Policy
from persistence.tables import metadata
from tests.api import EURO, Api, fresh_key, mutation_document
from tests.differential.comparing import LENIENT
from tests.differential.writing import Writer
from tests.gql.both_ways import Pair
from tests.tables import contents_of

SHOWN: Final = "payment { id status paymentMethod { id last4 } } operation { state } errors { code message }"
SELECTIONS: Final = 8
"""Of each kind of mutation."""


def creation(**given: Any) -> dict[str, Any]:
    return {"input": {"idempotencyKey": fresh_key(), "charge": EURO, **given}}


def saving(stripe_id: str) -> dict[str, Any]:
    return {"input": {"stripePaymentMethodId": stripe_id, "makeDefault": True}}


async def went_by_plan(api: Api, document: str, variables: dict[str, Any]) -> bool:
    body = (await api.post(document, variables)).json()
    is_planned: bool = body["extensions"]["debug"]["planned"]
    return is_planned


class TestWay:
    async def test_is_by_plan(self, api: Api) -> None:
        await api.add_card(makeDefault=True)

        assert await went_by_plan(api, mutation_document("createPayment", SHOWN), creation())

    async def test_of_several_mutations_is_by_plan(self, api: Api) -> None:
        save = 'addPaymentMethod(input: {stripePaymentMethodId: "%s"}) { paymentMethod { last4 } }'
        cards = f"one: {save % 'pm_card_visa'} two: {save % 'pm_card_mastercard'}"

        assert await went_by_plan(api, f"mutation {{ {cards} }}", {})

    async def test_of_fields_that_often_fail_is_by_resolvers(self, api: Api) -> None:
        await api.add_card(makeDefault=True)
        document = mutation_document("createPayment", "payment { nextAction { kind } }")

        assert not await went_by_plan(api, document, creation())


class TestPayloadsByPlan:
    @pytest.mark.parametrize(
        ("mutation", "variables"),
        [
            ("createPayment", lambda: creation()),
            ("createPayment", lambda: creation(description="\0")),
            ("addPaymentMethod", lambda: saving("pm_card_mastercard")),
            ("addPaymentMethod", lambda: saving("pm_card_chargeDeclined")),
        ],
        ids=["a payment", "a refused one", "a card", "a declined one"],
    )
    async def test_equal_those_of_graphql_core(
        self,
        api: Api,
        gateway: Gateway,
        actor: Actor,
        payloads: list[Pair],
        mutation: str,
        variables: Callable[[], dict[str, Any]],
    ) -> None:
        """Whatever is selected; what the other tests of this room select is compared, too (tests/gql/conftest.py)."""
        await api.add_card(makeDefault=True)
        payloads.clear()
        executor = Executor(Policy(limits=LENIENT))
        were_planned = []

        for seed in range(SELECTIONS):
            context = Context(actor=actor, services=gateway.services)
            document, values = selected(mutation, seed)
            asked = executor.asked(Request(query=document, variables=variables() | values), by=actor)
            body = (await executor.execute(asked, context)).body
            assert body["data"], body
            were_planned.append(context.is_planned)

        assert [(pair.name, pair.is_equal) for pair in payloads] == [(mutation, True)] * sum(were_planned)
        assert sum(were_planned) > SELECTIONS / 2


def selected(mutation: str, seed: int) -> tuple[str, dict[str, Any]]:
    """A document that asks for this and that of the mutation's payload, and the variables of its selections."""
    schema = SCHEMA
    assert schema.mutation_type is not None
    field = schema.mutation_type.fields[mutation]
    payload = field.type.of_type
    assert isinstance(payload, GraphQLObjectType)
    dice = random.Random(seed)  # noqa: S311 - a choice, not a secret
    writer = Writer(schema, dice, ids={}, users=[], is_careful=True)
    shown = writer.selections(payload)
    declared = {"input": str(field.args["input"].type), **writer.declared}
    names = ", ".join(f"${name}: {kind}" for name, kind in declared.items())
    document = f"mutation M({names}) {{ {mutation}(input: $input) {shown} }}"
    return "\n".join([document, *writer.fragments]), dict(writer.values)


class TestSurprise:
    @pytest.fixture
    def executed(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """The mutations that were executed."""
        mutations: list[str] = []
        execute = CommandService.execute

        async def noted(self: CommandService, actor: Actor, command: Any, **given: Any) -> Any:
            mutations.append(command.mutation)
            return await execute(self, actor, command, **given)

        monkeypatch.setattr(CommandService, "execute", noted)
        return mutations

    @pytest.fixture
    def surprised(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Every plan, when it has read all that it shows, and had said too little of it."""
        shown = Payloads.shown

        async def late_surprise(payloads: Payloads, *given: Any) -> Any:
            await shown(payloads, *given)
            context: Context = given[-1]
            context.show(Shown({Payment: Glance(frozenset())}))
            raise Surprise

        monkeypatch.setattr(Payloads, "shown", late_surprise)

    @pytest.mark.usefixtures("surprised")
    async def test_executes_nothing_twice(self, api: Api, gateway: Gateway, executed: list[str]) -> None:
        await api.add_card(makeDefault=True)
        executed.clear()
        given = {"one": creation()["input"], "two": creation()["input"]}

        body = (
            await api.http.post(
                "/graphql",
                headers=dict(api.headers),
                json={
                    "query": f"""mutation($one: CreatePaymentInput!, $two: CreatePaymentInput!) {{
                        one: createPayment(input: $one) {{ {SHOWN} }} two: createPayment(input: $two) {{ {SHOWN} }}
                    }}""",
                    "variables": given,
                },
            )
        ).json()

        assert "errors" not in body
        assert [part["payment"]["status"] for part in body["data"].values()] == ["COMPLETED", "COMPLETED"]
        assert [part["payment"]["paymentMethod"]["last4"] for part in body["data"].values()] == ["4242"] * 2
        assert executed == ["createPayment", "createPayment"]
        assert len((await contents_of(gateway.settings.database_url, metadata))["payments"]) == 2
        assert body["extensions"]["debug"]["planned"] is False
