"""Objects that have an id of their own, and the one helper that lets a domain object pass as its view."""

from typing import Any, ClassVar, TypeVar, cast
from uuid import UUID

import strawberry

from domain.account import BillingAccount
from gql.ids import global_id

V = TypeVar("V")


@strawberry.interface(description="An object with an id of its own, which `node` finds again.")
class Node:
    _domain: ClassVar[type]

    @strawberry.field(description="Opaque and stable.")
    def id(node: strawberry.Parent[Any]) -> strawberry.ID:
        return global_id(type(node), identity(node))

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        return isinstance(value, cls._domain)


def identity(thing: Any) -> UUID:
    """A billing account goes by its user's id."""
    found: UUID = thing.user_id if isinstance(thing, BillingAccount) else thing.id
    return found


def view(kind: type[V], thing: object) -> V:
    """The domain object itself, under the type of the view that shows it."""
    return cast("V", thing)


def optional_view(kind: type[V], thing: object | None) -> V | None:
    return cast("V | None", thing)


def views(kind: type[V], things: object) -> list[V]:
    return cast("list[V]", things)
