"""Metadata whose key is missing: told where it was asked for, and in nobody's way elsewhere."""

from dataclasses import replace

import pytest
import structlog

from domain.payment import Payment
from gateway.wiring import Gateway
from tests.api import Api
from tests.persistence.keys import LOST, database_with

LIST = "{ payments { nodes { id %s } } }"


@pytest.fixture
async def one_lost(gateway: Gateway, made: list[Payment]) -> Payment:
    lost = made[0]
    async with database_with(gateway.settings.database_url, LOST) as other, other.work() as work:
        await work.payments.save(replace(lost, details={"order": 17}))
    return lost


class TestUnreadableMetadata:
    async def test_hides_no_payment(self, api: Api, one_lost: Payment, made: list[Payment]) -> None:
        found = await api.run(LIST % "status")

        assert len(found["payments"]["nodes"]) == len(made)

    async def test_is_an_error_that_names_the_key_and_the_place_in_the_list(
        self, api: Api, one_lost: Payment, made: list[Payment]
    ) -> None:
        with structlog.testing.capture_logs() as logs:
            body = await api.answer(LIST % "metadata")

        [error] = body["errors"]
        assert error["path"] == ["payments", "nodes", len(made) - 1, "metadata"]
        assert error["extensions"]["code"] == "METADATA_UNREADABLE"
        assert "the key 'lost'" in error["message"]
        assert [each["event"] for each in logs if each["log_level"] == "error"] == ["metadata.unreadable"]
