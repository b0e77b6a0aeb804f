"""Metadata whose key is missing hides nothing else, over the REST API."""

from dataclasses import replace
from uuid import UUID

import pytest
import structlog

from gateway.wiring import Gateway
from tests.persistence.keys import LOST, database_with
from tests.rest import Rest
from tests.web.rest.conftest import Sells


@pytest.fixture
async def subscription(rest: Rest, sells: Sells, gateway: Gateway) -> str:
    """Paid once; its metadata, and that of the payment, was sealed with a key that is lost."""
    await rest.add_card()
    made = (await rest.post("/subscriptions", {"plan_id": await sells()})).json()["data"]
    [payment] = await rest.data()
    async with database_with(gateway.settings.database_url, LOST) as other, other.work() as work:
        charged = await work.payments.lock(UUID(payment["id"]))
        paid_for = await work.subscriptions.lock(UUID(made["id"]))
        assert charged is not None
        assert paid_for is not None
        await work.payments.save(replace(charged, details={"order": 17}))
        await work.subscriptions.save(replace(paid_for, details={"order": 17}))
    identity: str = made["id"]
    return identity


class TestUnreadableMetadata:
    async def test_is_null_in_lists_and_told_to_the_operator(self, rest: Rest, subscription: str) -> None:
        with structlog.testing.capture_logs() as logs:
            lists = [await rest.data(), await rest.data("/subscriptions")]

        assert [[each["metadata"] for each in items] for items in lists] == [[None], [None]]
        told = [each for each in logs if each["log_level"] == "error"]
        assert [each["event"] for each in told] == ["metadata.unreadable"] * 2
        assert told[1]["object_id"] == subscription
        assert "the key 'lost'" in told[1]["reason"]

    async def test_makes_no_failure_of_a_command_that_succeeded(self, rest: Rest, subscription: str) -> None:
        ending = await rest.put(f"/subscriptions/{subscription}", {"cancel_at_period_end": True})

        assert (ending.status_code, ending.json()["data"]["metadata"]) == (200, None)
        assert ending.json()["data"]["cancel_at_period_end"] is True
