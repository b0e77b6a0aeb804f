"""Batches of a request that is cut off, at whatever moment."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import cast
from uuid import UUID

import pytest

from domain.ports import Database, Reads, Shown
from gql.batches import watched_batches
from gql.lookup import Lookup

ID = UUID(int=1)


class CutOff(Exception):
    """What ends a request before its time."""


class Reading:
    """Tells whether it was begun and whether it ended, and lasts for as long as one likes."""

    def __init__(self) -> None:
        self.has_begun, self.is_over = asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def reads(self, _: Shown) -> AsyncIterator[Reads]:
        self.has_begun.set()
        try:
            yield cast("Reads", None)
        finally:
            self.is_over.set()

    async def query(self, reads: Reads, keys: Sequence[UUID]) -> Mapping[UUID, str]:
        await asyncio.Event().wait()
        return {}


@pytest.fixture
def reading() -> Reading:
    return Reading()


@pytest.fixture
async def lookup(reading: Reading) -> Lookup[str]:
    """Made where the event loop runs, which it keeps to."""
    return Lookup(cast("Database", reading), reading.query)


async def some_turns() -> None:
    """As many turns of the event loop as a batch that was asked for needs to begin."""
    for _ in range(10):
        await asyncio.sleep(0)


class TestBatch:
    @pytest.mark.parametrize("turns", range(3))
    async def test_that_has_not_begun_when_its_request_is_cut_off_never_does(
        self, lookup: Lookup[str], reading: Reading, turns: int
    ) -> None:
        with suppress(CutOff), watched_batches():
            lookup.load(ID)
            for _ in range(turns):
                await asyncio.sleep(0)
            assert not reading.has_begun.is_set()
            raise CutOff
        await some_turns()

        assert not reading.has_begun.is_set()

    async def test_that_runs_when_its_request_is_cut_off_ends(
        self, lookup: Lookup[str], reading: Reading
    ) -> None:
        with suppress(CutOff), watched_batches():
            lookup.load(ID)
            await reading.has_begun.wait()
            raise CutOff
        await some_turns()

        assert reading.is_over.is_set()
