from collections.abc import AsyncIterator

import httpx2
import pytest

from domain.actor import Actor
from gateway.app import application
from gateway.settings import Settings
from gateway.wiring import wire
from gql.documents import Documents
from gql.executor import SCHEMA
from gql.limits import Limits
from tests.api import GRAPHQL, Api
from tests.parts import bearer


@pytest.fixture
async def undebugged(settings: Settings) -> AsyncIterator[httpx2.AsyncClient]:
    """As a server in production answers."""
    gateway = wire(settings.model_copy(update={"debug_extension": False}))
    transport = httpx2.ASGITransport(app=application(gateway))
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as http:
        yield http
    await gateway.close()


class TestDebugExtension:
    async def test_tells_what_an_answer_cost(self, api: Api) -> None:
        await api.run("{ viewer { id } }")

        body = (await api.post("{ viewer { id paymentMethods { id last4 } } }")).json()

        debug = body["extensions"]["debug"]
        assert debug.pop("milliseconds") > 0
        assert debug == {
            "statements": 2,
            "statementsByTable": {"billing_accounts": 1, "payment_methods": 1},
            "cost": 1 + 1 + 1 + 2 * 10,
            "planned": True,
        }

    async def test_stands_beside_other_extensions(self, api: Api) -> None:
        body = (
            await api.post(
                'mutation { addPaymentMethod(input: {stripePaymentMethodId: "x"}) { errors { code } } }'
            )
        ).json()

        assert body["extensions"].keys() == {"cost", "userErrors", "debug"}

    async def test_tells_of_nothing_where_the_request_is_at_fault(self, api: Api) -> None:
        body = (await api.post("{ nothing }")).json()

        assert body["extensions"]["debug"]["statements"] == body["extensions"]["debug"]["cost"] == 0

    async def test_is_absent_where_the_settings_do_not_ask_for_it(
        self, undebugged: httpx2.AsyncClient, actor: Actor
    ) -> None:
        answer = await undebugged.post(
            GRAPHQL, json={"query": "{ viewer { uuid: id } }"}, headers=bearer(actor)
        )

        assert answer.json()["extensions"].keys() == {"cost"}


class TestCost:
    @pytest.mark.parametrize(("name", "cost"), [("A", 4), ("B", 11), ("C", None), (None, None)])
    def test_is_that_of_the_operation_that_is_meant(self, name: str | None, cost: int | None) -> None:
        document = Documents(SCHEMA, Limits()).get(
            "query A { viewer { ...whole } } query B { currencies { code } }"
            " fragment whole on BillingAccount { id user { id } }"
        )

        assert document.cost(name) == cost

    def test_of_an_operation_without_a_name_needs_none(self) -> None:
        assert Documents(SCHEMA, Limits()).get("{ currencies { code } }").cost(None) == 11
