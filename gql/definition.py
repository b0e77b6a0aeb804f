"""What Strawberry knows of a field that graphql-core has."""

from collections.abc import Callable
from typing import Any, cast

from graphql import GraphQLField
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver


def definition_of(field: GraphQLField) -> StrawberryField | None:
    """None for a field that is GraphQL's own, such as those of introspection."""
    definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    return definition if isinstance(definition, StrawberryField) else None


def function_of(field: GraphQLField) -> Callable[..., Any] | None:
    """The resolver as it was written; None where an attribute is shown as it is."""
    definition = definition_of(field)
    resolver = definition.base_resolver if definition else None
    return written(resolver) if resolver else None


def written(resolver: StrawberryResolver[Any]) -> Callable[..., Any]:
    return cast("Callable[..., Any]", resolver.wrapped_func)
