"""
Resolvers without detours.

Strawberry wraps every resolver in the machinery that arguments, extensions and permissions need: about 10 µs for
each field of each object, most of which is for nothing where a resolver takes only its parent and the request.
Such a resolver is called directly; what it answers is the same.
"""

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any, TypeAlias

import strawberry
from graphql import GraphQLField, GraphQLObjectType, GraphQLSchema
from strawberry.types.field import StrawberryField

from gql.definition import definition_of, written

Reader: TypeAlias = Callable[[Any], Any]
"""From an object to the value of one of its fields, at once."""
Resolver: TypeAlias = Callable[..., Any]


def use_direct_resolvers(schema: GraphQLSchema) -> None:
    """Replace the wrapped resolvers of the schema's object types where nothing would be lost."""
    for field, definition in _fields(schema):
        if resolver := _direct(definition):
            field.resolve = resolver


def reader(field: GraphQLField) -> Reader | None:
    """How to read a field that needs nothing but its object; None where there is more to it."""
    definition = definition_of(field)
    return _reader(definition) if definition else None


def attribute_of(field: GraphQLField) -> str | None:
    """The name of the attribute that the field shows as it is, if it is such a field."""
    definition = definition_of(field)
    return definition.python_name if definition and definition.is_basic_field else None


def _fields(schema: GraphQLSchema) -> Iterator[tuple[GraphQLField, StrawberryField]]:
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLObjectType):
            for field in kind.fields.values():
                if definition := definition_of(field):
                    yield field, definition


def _reader(field: StrawberryField) -> Reader | None:
    if field.is_basic_field:
        return attrgetter(field.python_name)
    resolver = field.base_resolver
    if resolver is None or _is_wrapped_for_a_reason(field) or field.is_async or resolver.info_parameter:
        return None
    return written(resolver)


def _direct(field: StrawberryField) -> Resolver | None:
    if read := _reader(field):
        return lambda source, _info: read(source)
    resolver = field.base_resolver
    if resolver is None or _is_wrapped_for_a_reason(field) or len(resolver.signature.parameters) > 2:
        return None
    function = written(resolver)
    if resolver.info_parameter is None:
        return lambda source, _info: function(source)
    return lambda source, info: function(source, info=strawberry.Info(_raw_info=info, _field=field))


def _is_wrapped_for_a_reason(field: StrawberryField) -> bool:
    """Arguments are converted, extensions and permissions come first, and a parent may not be asked for."""
    resolver = field.base_resolver
    takes_parent = resolver and (resolver.parent_parameter or resolver.self_parameter)
    return bool(field.arguments or field.extensions or field.permission_classes or not takes_parent)
