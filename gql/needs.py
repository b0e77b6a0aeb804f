"""
What a field looks at, declared beside it: so a plan knows what to read, and nobody reads what is not shown.

A field that says nothing gets its object whole; an operation that asks a resolver that says nothing reads everything
whole. A field that says too little is found out at once, since what was not read is not there.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from graphql import GraphQLField

from gql.definition import function_of
from gql.direct import attribute_of

Resolver = TypeVar("Resolver", bound=Callable[..., Any])
NEEDS: Final = "_needs"
FAILS: Final = "_fails_often"
MANY: Final = "_asks_many"


@dataclass(frozen=True, slots=True)
class Needs:
    """`attributes` are of the field's object; of the entities in `whole` it looks at any."""

    attributes: frozenset[str]
    whole: frozenset[type]


def needs(*attributes: str, whole: Collection[type] = ()) -> Callable[[Resolver], Resolver]:
    """
    Says what a resolver looks at of its object, besides its id. What else it finds, it passes on as it is.

        @strawberry.field(description="What was asked for.")
        @needs("amount", "currency")
        def amount(payment: strawberry.Parent[Payment]) -> MoneyView: ...
    """

    def declared(resolver: Resolver) -> Resolver:
        setattr(resolver, NEEDS, Needs(frozenset(attributes), frozenset(whole)))
        return resolver

    return declared


def fails_often(resolver: Resolver) -> Resolver:
    """
    Says that a resolver asks Stripe, or refuses some callers, so that its errors are nothing unusual.

    A query that asks for it has no plan: graphql-core tells such errors field by field, where a plan would give up and
    have everything asked once more, Stripe included.
    """
    setattr(resolver, FAILS, True)
    return resolver


def asks_many(resolver: Resolver) -> Resolver:
    """Says that a resolver looks for several objects by itself, so that their lookups should wait for each other."""
    setattr(resolver, MANY, True)
    return resolver


def does_ask_many(field: GraphQLField) -> bool:
    return hasattr(function_of(field), MANY)


def is_for_plans(field: GraphQLField) -> bool:
    return not hasattr(function_of(field), FAILS)


def needs_of(field: GraphQLField) -> Needs | None:
    """None where it says nothing."""
    attribute = attribute_of(field)
    if attribute is not None:
        return Needs(frozenset({attribute}), frozenset())
    return getattr(function_of(field), NEEDS, None)
