"""Dataloaders: one statement for all that is asked for together."""

from asyncio import Future, Lock, shield
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import cached_property
from typing import Any, Generic, TypeAlias, TypeVar
from uuid import UUID

from aiodataloader import DataLoader

from domain.access import AccessQuestion
from domain.access_decision import AccessDecision
from domain.access_service import AccessService
from domain.ports import ALL, Database, Reads, Shown
from gql.batches import join_batches

T = TypeVar("T")
Key = TypeVar("Key")
Value = TypeVar("Value")

Query: TypeAlias = Callable[[Reads, list[UUID]], Awaitable[Mapping[UUID, T]]]


class Shared(DataLoader[Key, Value]):
    """
    A loader whose answers are waited for by many.

    Where one field fails, graphql-core cancels those beside it. What they wait for is not theirs alone to cancel: a
    field elsewhere may wait for the same object.
    """

    def load(self, key: Key) -> Future[Value]:
        answer = super().load(key)
        answer.add_done_callback(_note_failure)
        return shield(answer)


def _note_failure(answer: Future[Any]) -> None:
    """Where all who waited were cancelled, nobody is left to hear of it, which asyncio would log as an error."""
    if not answer.cancelled():
        answer.exception()


class Lookup(Generic[T]):
    """Objects by id; None for those that do not exist, or that the query does not let the caller see."""

    def __init__(
        self,
        database: Database,
        query: Query[T],
        shown: Shown = ALL,
        known: dict[UUID, T | None] | None = None,
        *,
        waits: bool = True,
    ) -> None:
        """
        `known` are those that were found otherwise, and grow with what is found here.

        It `waits` for what else is asked for at the same time, which costs as much as a short statement.
        """
        self._waits = waits
        self._database, self._query, self._shown = database, query, shown
        self._known = {} if known is None else known
        self._turn = Lock()

    def load(self, key: UUID) -> Awaitable[T | None]:
        return self._together.load(key) if self._waits else self._alone(key)

    async def load_many(self, keys: Collection[UUID]) -> list[T | None]:
        found = await self.found(keys)
        return [found[key] for key in keys]

    @cached_property
    def _together(self) -> Shared[UUID, T | None]:
        return Shared(self._batch)

    async def _batch(self, keys: list[UUID]) -> list[T | None]:
        join_batches()
        return await self.load_many(keys)

    async def _alone(self, key: UUID) -> T | None:
        return (await self.found([key]))[key]

    async def found(self, keys: Collection[UUID]) -> Mapping[UUID, T | None]:
        """All of these at once, and whatever was asked for before; each is looked up once."""
        if self._missing(keys):
            async with self._turn:
                await self._find(self._missing(keys))
        return self._known

    def _missing(self, keys: Collection[UUID]) -> list[UUID]:
        return [key for key in keys if key not in self._known]

    async def _find(self, keys: list[UUID]) -> None:
        """None is left where others, whose turn was before, have asked for the same."""
        if keys:
            async with self._database.reads(self._shown) as reads:
                found = await self._query(reads, keys)
            self._known |= {key: found.get(key) for key in keys}


class Decisions(Shared[AccessQuestion, AccessDecision]):
    """Who asks has a right to: the user is the caller, or of an object that the caller may see."""

    def __init__(self, access: AccessService) -> None:
        super().__init__()
        self._access = access

    async def batch_load_fn(self, keys: list[AccessQuestion]) -> list[AccessDecision]:
        join_batches()
        return await self._access.decisions(keys)
