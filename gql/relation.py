"""Fields that lead from one object to others, declared by what connects them."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import strawberry
from graphql import GraphQLField

from gql.context import Info
from gql.definition import function_of
from gql.loaders import Loaders
from gql.lookup import Lookup
from gql.needs import needs

RELATION: Final = "_relation"


class Relation(ABC):
    """`attribute` of an object is the key under which its others are found."""

    attribute: str

    @abstractmethod
    def lookup(self, loaders: Loaders) -> Lookup[Any]: ...

    @abstractmethod
    def shown(self, found: Any) -> Any:
        """As the field shows it."""

    async def of_all(self, sources: Sequence[Any], loaders: Loaders) -> list[Any]:
        """Of many objects, with at most one statement."""
        keys = [getattr(source, self.attribute) for source in sources]
        found = await self.lookup(loaders).found({key for key in keys if key is not None})
        return [self.shown(found.get(key)) for key in keys]

    async def of_one(self, source: Any, loaders: Loaders) -> Any:
        """Together with those of all others that are asked for meanwhile."""
        key = getattr(source, self.attribute)
        return self.shown(None if key is None else await self.lookup(loaders).load(key))


@dataclass(frozen=True, slots=True)
class ToOne(Relation):
    """To what an attribute names."""

    kind: type
    attribute: str

    def lookup(self, loaders: Loaders) -> Lookup[Any]:
        return loaders.of(self.kind)

    def shown(self, found: Any) -> Any:
        return found


@dataclass(frozen=True, slots=True)
class ToMany(Relation):
    """To all that name the object; `lookups` finds them by the object's key."""

    lookups: Callable[[Loaders], Lookup[Sequence[Any]]]
    attribute: str = "id"

    def lookup(self, loaders: Loaders) -> Lookup[Any]:
        return self.lookups(loaders)

    def shown(self, found: Any) -> Any:
        return found or []


def to_one(kind: type, attribute: str, *, description: str) -> Any:
    """The field of what an attribute names: `invoice: InvoiceView | None = to_one(Invoice, "invoice_id", …)`."""
    return related(ToOne(kind, attribute), description)


def to_many(
    lookups: Callable[[Loaders], Lookup[Sequence[Any]]], attribute: str = "id", *, description: str
) -> Any:
    """The field of all that name the object: `refunds: list[RefundView] = to_many(lambda …: ….refunds_of, …)`."""
    return related(ToMany(lookups, attribute), description)


def related(relation: Relation, description: str) -> Any:
    @needs(relation.attribute)
    async def resolve(source: strawberry.Parent[Any], info: Info) -> Any:
        return await relation.of_one(source, info.context.loaders)

    del resolve.__annotations__["return"]  # The class says what the field is.
    setattr(resolve, RELATION, relation)
    return strawberry.field(resolver=resolve, description=description)


def relation_of(field: GraphQLField) -> Relation | None:
    return getattr(function_of(field), RELATION, None)
