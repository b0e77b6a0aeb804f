"""The money invariants as an admin asks for them."""

from typing import Any

import pytest
from sqlalchemy import text

from domain.invariants import InvariantName
from domain.payment import Payment
from domain.ports import Database
from gateway.wiring import Gateway
from gql.ids import global_id
from tests.api import Api

INVARIANTS = """{ moneyInvariants {
    name description holds violationCount checkedAt violations { message object { __typename id } }
} }"""
LEFT = """
UPDATE operations SET state = 'RUNNING', finished_at = NULL, started_at = now() - interval '1 day'
"""
STORED = """
INSERT INTO inbox_events (id, processor_event_id, type, livemode, api_version, payload, via, status, attempts,
    occurred_at, received_at)
VALUES (gen_random_uuid(), 'evt_1', 'charge.updated', false, 'x', '{}', 'WEBHOOK', 'FAILED', 7,
    '2026-01-02', '2026-01-02')
"""


async def behind_our_back(gateway: Gateway, statement: str) -> None:
    async with gateway.engine.begin() as connection:
        await connection.execute(text(statement))


async def asked(api: Api) -> dict[str, Any]:
    return {each["name"]: each for each in (await api.run(INVARIANTS))["moneyInvariants"]}


class TestMoneyInvariants:
    async def test_are_all_told(self, admins: Api) -> None:
        told = await asked(admins)

        assert list(told) == [name.value for name in InvariantName]
        assert all(each["holds"] and each["violations"] == [] for each in told.values())

    async def test_name_what_breaks_them(
        self, admins: Api, gateway: Gateway, database: Database, made: list[Payment]
    ) -> None:
        await behind_our_back(gateway, "UPDATE payments SET disputed_amount = 7 WHERE status = 'COMPLETED'")

        sums = (await asked(admins))["PAYMENT_SUMS"]

        completed = sorted(global_id(Payment, each.id) for each in made if each.status == "COMPLETED")
        assert not sums["holds"]
        assert sums["violationCount"] == len(completed) > 0
        assert [each["object"]["id"] for each in sums["violations"]] == completed

    async def test_show_operations(self, admins: Api, api: Api, gateway: Gateway) -> None:
        await api.add_card()
        await behind_our_back(gateway, LEFT)

        [violation] = (await asked(admins))["OPERATIONS_END"]["violations"]

        assert violation["object"]["__typename"] == "Operation"
        assert violation["message"].startswith("addPaymentMethod is RUNNING since ")

    async def test_show_events(self, admins: Api, gateway: Gateway) -> None:
        await behind_our_back(gateway, STORED)

        [violation] = (await asked(admins))["EVENTS_HANDLED"]["violations"]

        assert violation["object"]["__typename"] == "WebhookEvent"
        assert violation["message"].startswith("evt_1 (charge.updated) is FAILED since 2026-01-02T")

    @pytest.mark.parametrize("caller", ["api", "supports", "services"])
    async def test_are_for_admins(self, caller: str, admins: Api, request: pytest.FixtureRequest) -> None:
        assert await request.getfixturevalue(caller).refusals("{ moneyInvariants { holds } }") == [
            "FORBIDDEN"
        ]
