"""What an operation costs: told with its answer, and taken from its caller's budget before it runs."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

import httpx2
import pytest
from starlette.applications import Starlette

from domain.actor import Actor
from domain.identity import new_id
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
INVOICE = "{ invoice(id: 1) { id } }"
BOTH = f"query Dear {CURRENCIES} query Cheap {{ viewer {{ id }} }}"
CHEAP = 2
REFUSED_ONES = ("{", "{ nothing }", f"query A {CURRENCIES} query B {CURRENCIES}")
ADDRESS = "203.0.113.7"


@pytest.fixture
def settings(settings: Settings, clock: Clock) -> Settings:
    budget = {"rate_limits": True, "rate_limit_cost": BUDGET, **NO_OTHER_LIMITS}
    return settings.model_copy(update={"debug_extension": False, **budget})


def client_at(app: Starlette, address: str, headers: Mapping[str, str] = {}) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=app, client=(address, 1234))
    return httpx2.AsyncClient(transport=transport, base_url="http://gateway", headers=headers)


@pytest.fixture
async def http(app: Starlette, actor: Actor) -> AsyncIterator[httpx2.AsyncClient]:
    async with client_at(app, ADDRESS, bearer(actor)) as client:
        yield client


@pytest.fixture
async def known(app: Starlette, actor: Actor) -> None:
    """The documents have been read at the cost of others."""
    for query in (BOTH, CURRENCIES, *REFUSED_ONES):
        somebody = replace(actor, user_id=new_id())
        async with client_at(app, ADDRESS, bearer(somebody)) as client:
            await client.post(GRAPHQL, json={"query": query})


@pytest.mark.usefixtures("known")
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

    async def test_is_not_spent_by_what_is_known_to_be_refused(self, http: httpx2.AsyncClient) -> None:
        for refused in REFUSED_ONES:
            for _ in range(BUDGET):
                await http.post(GRAPHQL, json={"query": refused})

        assert (await http.post(GRAPHQL, json={"query": CURRENCIES})).status_code == 200


class TestReading:
    """Of documents that the process does not know yet."""

    BUDGET = 25_000

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"rate_limit_cost": self.BUDGET})

    async def test_costs_a_point_per_character_once(self, http: httpx2.AsyncClient) -> None:
        answers = [await http.post(GRAPHQL, json={"query": CURRENCIES}) for _ in range(2)]

        first = self.BUDGET - len(CURRENCIES) - 11
        assert [left_in(answer) for answer in answers] == [first, first - 11]

    async def test_costs_more_where_the_document_is_refused(self, http: httpx2.AsyncClient) -> None:
        answers = [await http.post(GRAPHQL, json={"query": "{ nothing }"}) for _ in range(2)]

        assert left_in(answers[0]) == self.BUDGET - len("{ nothing }") - 10_000
        assert "RateLimit-Remaining" not in answers[1].headers
        assert code_of(answers[1]) == "GRAPHQL_VALIDATION_FAILED"

    async def test_of_ever_new_refused_documents_is_bounded(self, http: httpx2.AsyncClient) -> None:
        codes = [await refused_anew(http, number) for number in range(4)]

        assert codes == ["GRAPHQL_VALIDATION_FAILED"] * 2 + ["RATE_LIMITED"] * 2

    async def test_is_bounded_per_address_for_callers_without_a_token(self, app: Starlette) -> None:
        async with client_at(app, ADDRESS) as here, client_at(app, "203.0.113.8") as elsewhere:
            codes = [await refused_anew(here, number) for number in range(3)]
            other = await refused_anew(elsewhere, 3)

        assert codes == ["GRAPHQL_VALIDATION_FAILED"] * 2 + ["RATE_LIMITED"]
        assert other == "GRAPHQL_VALIDATION_FAILED"

    async def test_that_exceeds_what_is_left_does_not_begin(self, http: httpx2.AsyncClient) -> None:
        long = CURRENCIES.ljust(self.BUDGET)

        refused = [await http.post(GRAPHQL, json={"query": query}) for query in (CURRENCIES, long, long)]

        assert [answer.status_code for answer in refused] == [200, 429, 429]

    async def test_is_not_paid_for_where_a_hash_names_a_known_document(
        self, http: httpx2.AsyncClient
    ) -> None:
        extensions = {"persistedQuery": {"version": 1, "sha256Hash": hash_of(CURRENCIES)}}

        first = await http.post(GRAPHQL, json={"query": CURRENCIES, "extensions": extensions})
        second = await http.post(GRAPHQL, json={"extensions": extensions})

        assert left_in(first) - left_in(second) == 11


def left_in(answer: httpx2.Response) -> int:
    return int(answer.headers["RateLimit-Remaining"])


async def refused_anew(client: httpx2.AsyncClient, number: int) -> str:
    return code_of(await client.post(GRAPHQL, json={"query": f"query A{number} {{ nothing }}"}))


class TestCostExtension:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"rate_limits": False})

    async def test_stands_beside_the_data(self, http: httpx2.AsyncClient) -> None:
        answer = await http.post(GRAPHQL, json={"query": CURRENCIES})

        assert answer.json()["extensions"] == {"cost": {"asked": 11, "limit": LIMIT}}

    async def test_stands_beside_errors_of_fields(self, http: httpx2.AsyncClient) -> None:
        answer = await http.post(GRAPHQL, json={"query": INVOICE})

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
