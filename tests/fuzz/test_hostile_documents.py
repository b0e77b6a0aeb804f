"""
A short form of `make fuzz`: that everything hostile is answered, and how.

How long it takes is measured by `make fuzz`, on a machine that does nothing else.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Final

import pytest

from domain.actor import Actor, Role
from domain.identity import new_id
from gateway.graphql import policy_of
from gateway.wiring import Gateway
from gql.explorer.page import stories
from tests.fuzz.__main__ import executor_of
from tests.fuzz.holding import Held, held_by, turns_watched
from tests.fuzz.hostile import DEAR, KINDS, LONGEST, Hostile, sizes, tokens
from tests.fuzz.mutating import mutations

MANY: Final = 300
"""About as many as fit into the tokens that are read."""
UNDERSTANDABLE: Final = {
    "BAD_USER_INPUT",
    "FORBIDDEN",
    "GRAPHQL_LIMIT_EXCEEDED",
    "GRAPHQL_PARSE_FAILED",
    "GRAPHQL_VALIDATION_FAILED",
    "INVALID_INPUT",
    "NOT_FOUND",
}

Send = Callable[[Hostile], Awaitable[Held]]


@pytest.fixture
def send(gateway: Gateway) -> Send:
    admin = Actor(role=Role.ADMIN, user_id=new_id(), request_id="fuzz")
    return lambda hostile: held_by(hostile, executor_of(gateway), admin, gateway.services)


class TestHostileDocuments:
    async def test_of_every_kind_are_answered_in_words_that_callers_know(self, send: Send) -> None:
        kinds = [Hostile(kind=kind, query=make(MANY)[:LONGEST]) for kind, make in KINDS.items()]

        answers = [await send(hostile) for hostile in [*kinds, *DEAR.values()]]

        assert {each.hostile.kind: each.codes for each in answers if not each.codes <= UNDERSTANDABLE} == {}

    async def test_spoilt_at_random_are_answered_in_words_that_callers_know(self, send: Send) -> None:
        texts = [story.query for story in stories()] + [make(20) for make in KINDS.values()]

        answers = [await send(each) for each in mutations(texts, random.Random(7), 150)]  # noqa: S311 - a schedule

        strange = {each.hostile.query: each.codes for each in answers if "INTERNAL_ERROR" in each.codes}
        assert strange == {}


class TestSizes:
    def test_reach_what_is_read_and_what_is_executed(self, gateway: Gateway) -> None:
        limits = policy_of(gateway.settings).limits

        longest, fullest, executed = sizes("repeated leaves", limits, lambda text: len(text) < 1000)

        assert 0.98 * LONGEST < len(longest.query) <= LONGEST
        assert 0.98 * limits.tokens < tokens(fullest.query, 3000) <= limits.tokens
        assert 980 <= len(executed.query) < 1000


class TestTurns:
    async def test_that_are_long_are_noticed(self) -> None:
        async with turns_watched() as turns:
            await asyncio.sleep(0)
            until = time.thread_time() + 0.05
            while time.thread_time() < until:
                pass

        assert turns.processor >= 0.05
        assert turns.wall >= turns.processor

    async def test_that_are_short_are_not_added_up(self) -> None:
        async with turns_watched() as turns:
            for _ in range(200):
                until = time.thread_time() + 0.001
                while time.thread_time() < until:
                    pass
                await asyncio.sleep(0)

        assert turns.processor < 0.2
