"""What an operation costs: told with its answer, and taken from its caller's budget before it runs."""

from collections.abc import AsyncIterator

import httpx2
import pytest
from starlette.applications import Starlette

from domain.actor import Actor
from gateway.app import application
from gateway.settings import Settings
from gateway.wiring import Gateway
from gql.limits import Limits
from gql.trusted_documents import hash_of
from tests.api import GRAPHQL
from tests.parts import bearer
from tests.web.graphql_requests import CURRENCIES, code_of
from tests.web.test_rate_limits import Clock, clock

__all__ = ["clock"]

LIMIT = Limits().cost
BUDGET = 12
NO_OTHER_LIMITS = {
    f"rate_limit_{name}": 0
    for name in ("requests", "writes", "payments", "anonymous", "strangers", "webhooks")
}
BOTH = f"query Dear {CURRENCIES} query Cheap {{ viewer {{ id }} }}"
CHEAP = 2


@pytest.fixture
def settings(settings: Settings, clock: Clock) -> Settings:
    budget = {"rate_limits": True, "rate_limit_cost": BUDGET, **NO_OTHER_LIMITS}
    return settings.model_copy(update={"debug_extension": False, **budget})


@pytest.fixture
async def http(app: Starlette, actor: Actor) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://gateway", headers=bearer(actor)
    ) as client:
        yield client


class TestBudget:
    async def test_is_spent_by_the_operation_that_is_meant(self, http: httpx2.AsyncClient) -> None:
        cheap = {"query": BOTH, "operationName": "Cheap"}

        answers = [await http.post(GRAPHQL, json=cheap) for _ in range(BUDGET // CHEAP + 1)]

        assert [answer.status_code for answer in answers] == [200] * (BUDGET // CHEAP) + [429]
        assert code_of(answers[-1]) == "RATE_LIMITED"

    async def test_is_spent_by_documents_that_are_named_by_their_hash(self, http: httpx2.AsyncClient) -> None:
        extensions = {"persistedQuery": {"version": 1, "sha256Hash": hash_of(CURRENCIES)}}

        first = await http.post(GRAPHQL, json={"query": CURRENCIES, "extensions": extensions})
        second = await http.post(GRAPHQL, json={"extensions": extensions})

        assert (first.status_code, second.status_code) == (200, 429)

    async def test_is_not_spent_by_what_is_refused(self, http: httpx2.AsyncClient) -> None:
        for refused in ("{", "{ nothing }", f"query A {CURRENCIES} query B {CURRENCIES}"):
            for _ in range(BUDGET):
                await http.post(GRAPHQL, json={"query": refused})

        assert (await http.post(GRAPHQL, json={"query": CURRENCIES})).status_code == 200


class TestCostExtension:
    async def test_stands_beside_the_data(self, http: httpx2.AsyncClient) -> None:
        answer = await http.post(GRAPHQL, json={"query": CURRENCIES})

        assert answer.json()["extensions"] == {"cost": {"asked": 11, "limit": LIMIT}}

    async def test_stands_beside_errors_of_fields(self, http: httpx2.AsyncClient) -> None:
        answer = await http.post(GRAPHQL, json={"query": "{ invoice(id: 1) { id } }"})

        assert answer.json()["errors"]
        assert answer.json()["extensions"] == {"cost": {"asked": 2, "limit": LIMIT}}

    async def test_can_be_left_out(self, gateway: Gateway) -> None:
        settings = gateway.settings.model_copy(update={"graphql_cost_extension": False})
        app = application(Gateway(**{**vars(gateway), "settings": settings}))
        async with httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=app), base_url="http://gateway"
        ) as client:
            answer = await client.post(GRAPHQL, json={"query": CURRENCIES})

        assert answer.json().keys() == {"data"}
