"""`payments-gateway events scrub`: what versions before this one have stored."""

from dataclasses import replace
from typing import Any

import orjson
import pytest
from sqlalchemy import text

from domain.ports import Database
from gateway.wiring import Gateway
from persistence.tables import metadata
from tests.domain.values import inbox_event, stripe_event
from tests.gateway.test_cli import Run, logging_restored, run
from tests.gateway.test_metadata_command import environment
from tests.tables import contents_of

__all__ = ["environment", "logging_restored", "run"]

SECRETS: dict[str, dict[str, Any]] = {
    "payment_intent.requires_action": {
        "next_action": {
            "redirect_to_url": {"url": "https://hooks.stripe.com/?client_secret=src_client_secret_X"}
        }
    },
    "payment_intent.succeeded": {
        "description": "https://bank.example/?to=s%253Dpi%255F3Abc%255Fsecret%255FxYz09"
    },
    "charge.succeeded": {"description": "4242-4242-4242-4242"},
    "customer.created": {"description": "nothing to hide"},
}


@pytest.fixture
async def stored(database: Database) -> None:
    async with database.work() as work:
        events = [inbox_event(stripe_event(name, **changes)) for name, changes in SECRETS.items()]
        numbered = [replace(each, processor_event_id=f"evt_{at}") for at, each in enumerate(events)]
        await work.inbox.add_all(numbered)


class TestScrub:
    async def test_removes_secrets_and_card_numbers_once(
        self, run: Run, stored: None, gateway: Gateway, environment: dict[str, str]
    ) -> None:
        first = await run("events", "scrub", **environment)
        again = await run("events", "scrub", **environment)

        rows = (await contents_of(gateway.settings.database_url, metadata))["inbox_events"]
        assert (first.stdout, again.stdout) == ("3 events were changed.\n", "0 events were changed.\n")
        assert not [row for row in rows if "_secret_" in row or "5Fsecret" in row or "4242-4242" in row]
        assert [row for row in rows if "nothing to hide" in row]

    async def test_leaves_events_that_can_be_read(
        self, run: Run, stored: None, gateway: Gateway, environment: dict[str, str]
    ) -> None:
        await run("events", "scrub", **environment)

        async with gateway.engine.connect() as connection:
            payloads = list(await connection.scalars(text("SELECT payload FROM inbox_events")))
        assert {orjson.loads(payload)["type"] for payload in payloads} == set(SECRETS)
