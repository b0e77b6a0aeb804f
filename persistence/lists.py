"""The lists of any table: a repository that can be listed names its `Keyset`, and no more."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar
from uuid import UUID

from domain.paging import NumberedPage, Order, Slice
from persistence.keyset import Keyset
from persistence.repository import Repository

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Entity = TypeVar("Entity", bound="DataclassInstance")
Wanted = TypeVar("Wanted")


class Lists(Repository[Entity], Generic[Entity, Wanted]):
    lists: ClassVar[Keyset]

    async def listed(self, wanted: Wanted, order: Order[Any], part: Slice) -> Sequence[Entity]:
        """At most `part.limit` that match, in the order in which the part is read."""
        return await self._all(*self.lists.page(wanted, order, part), besides=frozenset({order.attribute}))

    async def numbered(self, wanted: Wanted, order: Order[Any], at: NumberedPage) -> Sequence[Entity]:
        """The rows of that page."""
        return await self._all(*self.lists.numbered(wanted, order, at))

    async def count(self, wanted: Wanted) -> int:
        [[count]] = await self._rows(*self.lists.count(wanted))
        return int(count)

    async def listed_for(
        self, parents: Sequence[UUID], wanted: Wanted, order: Order[Any], part: Slice
    ) -> Mapping[UUID, Sequence[Entity]]:
        """As `listed`, once for each of the parents; those that have none are left out."""
        besides = frozenset({order.attribute})
        return await self._grouped(
            *self.lists.pages(parents, wanted, order, part), self.lists.parent, besides=besides
        )

    async def counts_for(self, parents: Sequence[UUID], wanted: Wanted) -> Mapping[UUID, int]:
        """How many match below each of the parents; those that have none are left out."""
        counts = await self._rows(*self.lists.counts(parents, wanted))
        return {row[0]: row[1] for row in counts}
