"""Dataloaders: one statement for all that is asked for together."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias, TypeVar
from uuid import UUID

from aiodataloader import DataLoader

from domain.access import AccessQuestion
from domain.access_decision import AccessDecision
from domain.access_service import AccessService
from domain.ports import Database, Reads
from gql.batches import join_batches

T = TypeVar("T")

Query: TypeAlias = Callable[[Reads, list[UUID]], Awaitable[Mapping[UUID, T]]]


class Lookup(DataLoader[UUID, T | None]):
    """Objects by id; None for those that do not exist, or that the query does not let the caller see."""

    def __init__(self, database: Database, query: Query[T]) -> None:
        super().__init__()
        self._database, self._query = database, query

    async def batch_load_fn(self, keys: list[UUID]) -> list[T | None]:
        join_batches()
        async with self._database.reads() as reads:
            found = await self._query(reads, keys)
        return [found.get(key) for key in keys]


class Decisions(DataLoader[AccessQuestion, AccessDecision]):
    """Who asks has a right to: the user is the caller, or of an object that the caller may see."""

    def __init__(self, access: AccessService) -> None:
        super().__init__()
        self._access = access

    async def batch_load_fn(self, keys: list[AccessQuestion]) -> list[AccessDecision]:
        join_batches()
        return await self._access.decisions(keys)
