"""What is kept in lists: all of it, or what lies below each of many parents, such as the payments of accounts."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar
from uuid import UUID

from domain.paging import NumberedPage, Order, Slice

Entity = TypeVar("Entity", covariant=True)
Wanted = TypeVar("Wanted", contravariant=True)


class Lists(Protocol[Entity, Wanted]):
    async def listed(self, wanted: Wanted, order: Order[Any], part: Slice) -> Sequence[Entity]:
        """At most `part.limit` that match, in the order in which the part is read."""
        ...

    async def numbered(self, wanted: Wanted, order: Order[Any], at: NumberedPage) -> Sequence[Entity]:
        """The rows of that page."""
        ...

    async def count(self, wanted: Wanted) -> int: ...
    async def listed_for(
        self, parents: Sequence[UUID], wanted: Wanted, order: Order[Any], part: Slice
    ) -> Mapping[UUID, Sequence[Entity]]:
        """As `listed`, once for each of the parents; those that have none are left out."""
        ...

    async def counts_for(self, parents: Sequence[UUID], wanted: Wanted) -> Mapping[UUID, int]:
        """How many match below each of the parents; those that have none are left out."""
        ...
