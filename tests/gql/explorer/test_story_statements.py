"""Each story ends with the number of statements that it may take, which GraphiQL shows beside its answer."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import orjson
import pytest

from gateway.demo import PEOPLE
from gateway.settings import Settings
from gateway.time_machine import clock_of
from gateway.wiring import Gateway, wire
from gql.explorer.page import Story, stories
from sandbox import Sandbox
from tests.api import Api, fresh_key
from tests.budgets import statements_of
from tests.demo import demo_of
from tests.parts import bearer
from tests.watched_processor import WatchedProcessor

DECLARED = re.compile(r"^# statements: (\d+)$", re.MULTILINE)
SLACK = 2
EXPECTED_CODES = {"4 · A declined card": ["DECLINED"]}
"""What goes wrong in a story as it should."""


def declared(story: Story) -> int:
    [number] = DECLARED.findall(story.query)
    return int(number)


def variables_of(story: Story, cards: dict[str, str], key: str) -> Any:
    text = story.tab(cards)["variables"]
    return orjson.loads(text.replace("{{fresh-key}}", key).replace("{{origin}}", "https://shop.example"))


def codes_in(body: Any) -> list[str]:
    return [error["code"] for error in body["extensions"].get("userErrors", ())]


@pytest.fixture
async def gateway(settings: Settings, sandbox: Sandbox) -> AsyncIterator[Gateway]:
    """By the sandbox's clock, as in development."""
    gateway = wire(settings, connect=WatchedProcessor.connected, clock=clock_of(sandbox))
    yield gateway
    await gateway.close()


class TestStories:
    async def test_end_well_and_take_the_statements_that_they_declare(
        self, gateway: Gateway, sandbox: Sandbox, http: httpx2.AsyncClient
    ) -> None:
        cards, key = await demo_of(gateway, sandbox), fresh_key()

        taken = {}
        for story in stories():
            teller = Api(http=http, headers=bearer(PEOPLE[story.told_by]))
            body = (await teller.post(story.query, variables_of(story, cards, key))).json()
            assert "errors" not in body, body
            assert codes_in(body) == EXPECTED_CODES.get(story.title, []), body
            taken[story.title] = statements_of(body)

        unfit = {
            story.title: f"takes {taken[story.title]}, declares {declared(story)}"
            for story in stories()
            if not 0 <= declared(story) - taken[story.title] <= SLACK
        }
        assert unfit == {}
