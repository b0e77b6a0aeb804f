"""
What a field looks at, declared beside it: so a plan knows what to read, and nobody reads what is not shown.

A field that says nothing gets its object whole; an operation that asks a resolver that says nothing reads everything
whole. A field that says too little is found out at once, since what was not read is not there.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from graphql import GraphQLField
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

Resolver = TypeVar("Resolver", bound=Callable[..., Any])
NEEDS: Final = "_needs"
FAILS: Final = "_fails_often"


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


def is_for_plans(field: GraphQLField) -> bool:
    definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    resolver = definition.base_resolver if isinstance(definition, StrawberryField) else None
    return resolver is None or not hasattr(resolver.wrapped_func, FAILS)


def needs_of(field: GraphQLField) -> Needs | None:
    """None where it says nothing."""
    definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    if not isinstance(definition, StrawberryField):
        return None
    if definition.is_basic_field:
        return Needs(frozenset({definition.python_name}), frozenset())
    resolver = definition.base_resolver
    return getattr(resolver.wrapped_func, NEEDS, None) if resolver else None
