"""Objects that have an id of their own, and the helpers that let a domain object pass as its view."""

from typing import Any, ClassVar, TypeVar, cast
from uuid import UUID

import strawberry
from graphql import GraphQLField

from domain.account import BillingAccount
from domain.errors import NotFound
from gql.context import Info
from gql.definition import function_of
from gql.direct import Reader
from gql.ids import PREFIX, global_id, id_of
from gql.needs import needs

T = TypeVar("T")
V = TypeVar("V")
N = TypeVar("N", bound="Node")


@needs()
def own_id(node: strawberry.Parent[Any]) -> strawberry.ID:
    return global_id(type(node), identity(node))


@strawberry.interface(description="An object with an id of its own, which `node` finds again.")
class Node:
    _domain: ClassVar[type]

    id: strawberry.ID = strawberry.field(resolver=own_id, description="Opaque and stable.")

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        return isinstance(value, cls._domain)


def identity(thing: Any) -> UUID:
    """A billing account goes by its user's id."""
    found: UUID = thing.user_id if isinstance(thing, BillingAccount) else thing.id
    return found


def id_reader(kind: type) -> Reader:
    """What the field `id` says of objects of that kind, where the kind is known beforehand."""
    prefix = f"{PREFIX[kind]}_"
    if kind is BillingAccount:
        return lambda account: prefix + account.user_id.hex
    return lambda thing: prefix + thing.id.hex


def is_id(field: GraphQLField) -> bool:
    """Whether it is the field `id` of `Node`."""
    return function_of(field) is own_id


def view(kind: type[V], thing: object) -> V:
    """The domain object itself, under the type of the view that shows it."""
    return cast("V", thing)


def optional_view(kind: type[V], thing: object | None) -> V | None:
    return cast("V | None", thing)


def views(kind: type[V], things: object) -> list[V]:
    return cast("list[V]", things)


async def one(info: Info, kind: type[N], text: str, what: str) -> N:
    """The object of that type with this id, if the caller may see it. Raises NotFound, which calls it `what`."""
    identity = id_of(kind._domain, text, "id")
    return view(kind, existing(await info.context.loaders.of(kind._domain).load(identity), what))


def existing(thing: T | None, what: str, *, path: str = "id") -> T:
    if thing is None:
        raise NotFound(f"There is no such {what}.", path=(path,))
    return thing
