"""What an operation costs: told with its answer, and taken from its caller before it runs."""

from collections.abc import AsyncIterator

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from domain.actor import Actor
from gateway.app import application
from gateway.wiring import Gateway
from gql.execution import Executor
from gql.limits import Limits
from sandbox import Sandbox
from tests.api import EURO, GRAPHQL, fresh_key
from tests.parts import bearer
from tests.web.graphql_requests import CREATE, CURRENCIES, RESPONSE_JSON, code_of
from web.cost_budget import BudgetSpent
from web.graphql import GraphQL

LIMIT = Limits().cost


class Purse:
    """So many points for everybody together."""

    def __init__(self, points: int) -> None:
        self.left = points
        self.taken: list[tuple[Actor, int, bool]] = []

    async def charge(self, actor: Actor, cost: int, *, is_mutation: bool) -> None:
        if cost > self.left:
            raise BudgetSpent("Wait a while.", {"Retry-After": "17"})
        self.left -= cost
        self.taken.append((actor, cost, is_mutation))


@pytest.fixture
def purse() -> Purse:
    return Purse(5000)


@pytest.fixture
async def http(gateway: Gateway, purse: Purse) -> AsyncIterator[httpx2.AsyncClient]:
    endpoint = GraphQL(Executor(), gateway.authentication, gateway.services, purse.charge)
    app = Starlette(routes=[Route(GRAPHQL, endpoint.handle, methods=["GET", "POST"])])
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app), base_url="http://gateway"
    ) as client:
        yield client


class TestCharge:
    async def test_is_taken_from_the_caller_once_for_each_operation(
        self, http: httpx2.AsyncClient, purse: Purse, actor: Actor
    ) -> None:
        document = f"query A {CURRENCIES} query B {{ viewer {{ id }} }}"

        await http.post(GRAPHQL, json={"query": document, "operationName": "B"}, headers=bearer(actor))

        [(payer, cost, is_mutation)] = purse.taken
        assert (payer.user_id, cost, is_mutation) == (actor.user_id, 2, False)

    async def test_that_is_too_much_is_a_429_and_nothing_runs(
        self, http: httpx2.AsyncClient, purse: Purse, actor: Actor, sandbox: Sandbox
    ) -> None:
        purse.left = 1000
        payment = {"query": CREATE, "variables": {"input": {"idempotencyKey": fresh_key(), "charge": EURO}}}

        answer = await http.post(GRAPHQL, json=payment, headers={**bearer(actor), "Accept": RESPONSE_JSON})

        assert (answer.status_code, code_of(answer)) == (429, "RATE_LIMITED")
        assert answer.headers["Retry-After"] == "17"
        assert answer.json()["errors"][0]["message"] == "Wait a while."
        assert purse.taken == []
        assert sandbox.ledger()["totals"]["payment_intents"] == 0

    @pytest.mark.parametrize("document", ["{", "{ nothing }", f"query A {CURRENCIES} query B {CURRENCIES}"])
    async def test_is_nothing_for_what_is_refused(
        self, http: httpx2.AsyncClient, purse: Purse, document: str
    ) -> None:
        await http.post(GRAPHQL, json={"query": document})

        assert purse.taken == []


class TestCostExtension:
    async def test_stands_beside_the_data(self, http: httpx2.AsyncClient) -> None:
        answer = await http.post(GRAPHQL, json={"query": CURRENCIES})

        assert answer.json()["extensions"] == {"cost": {"asked": 11, "limit": LIMIT}}

    async def test_stands_beside_errors_of_fields(self, http: httpx2.AsyncClient) -> None:
        answer = await http.post(GRAPHQL, json={"query": "{ viewer { id } }"})

        assert answer.json()["errors"]
        assert answer.json()["extensions"] == {"cost": {"asked": 2, "limit": LIMIT}}

    async def test_can_be_left_out(self, gateway: Gateway) -> None:
        settings = gateway.settings.model_copy(
            update={"graphql_cost_extension": False, "debug_extension": False}
        )
        app = application(Gateway(**{**vars(gateway), "settings": settings}))
        async with httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=app), base_url="http://gateway"
        ) as client:
            answer = await client.post(GRAPHQL, json={"query": CURRENCIES})

        assert answer.json().keys() == {"data"}
