"""
Resolvers without detours.

Strawberry wraps every resolver in the machinery that arguments, extensions and permissions need: about 10 µs for
each field of each object, most of which is for nothing where a resolver takes only its parent and the request.
Such a resolver is called directly; what it answers is the same. One that takes arguments, too, gets scalars and enums
as graphql-core has read them, and only lists and inputs as Strawberry converts them.
"""

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any, TypeAlias

import strawberry
from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    get_nullable_type,
    is_leaf_type,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.arguments import StrawberryArgument, convert_argument
from strawberry.types.base import StrawberryMaybe
from strawberry.types.field import StrawberryField

from gql.definition import definition_of, written

Reader: TypeAlias = Callable[[Any], Any]
"""From an object to the value of one of its fields, at once."""
Resolver: TypeAlias = Callable[..., Any]


def use_direct_resolvers(schema: GraphQLSchema, converter: GraphQLCoreConverter) -> None:
    """Replace the wrapped resolvers of the schema's object types where nothing would be lost."""
    for field, definition in _fields(schema):
        if resolver := _direct(definition) or _converting(definition, field, converter):
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
    if (
        resolver is None
        or field.arguments
        or _is_wrapped_for_a_reason(field)
        or field.is_async
        or resolver.info_parameter
    ):
        return None
    return written(resolver)


def _direct(field: StrawberryField) -> Resolver | None:
    if read := _reader(field):
        return lambda source, _info: read(source)
    resolver = field.base_resolver
    if (
        resolver is None
        or field.arguments
        or _is_wrapped_for_a_reason(field)
        or len(resolver.signature.parameters) > 2
    ):
        return None
    function = written(resolver)
    if resolver.info_parameter is None:
        return lambda source, _info: function(source)
    return lambda source, info: function(source, info=strawberry.Info(_raw_info=info, _field=field))


def _converting(
    field: StrawberryField, declared: GraphQLField, converter: GraphQLCoreConverter
) -> Resolver | None:
    resolver = field.base_resolver
    if resolver is None or not field.arguments or _is_wrapped_for_a_reason(field):
        return None
    function, takes_info = written(resolver), resolver.info_parameter is not None
    config, registry = converter.config, converter.scalar_registry
    named = [(config.name_converter.from_argument(each), each) for each in field.arguments]
    converted = [
        (name, str(each.python_name), None if _is_read(declared.args[name], each) else each.type)
        for name, each in named
    ]

    def resolve(source: Any, raw_info: GraphQLResolveInfo[Any], **given: Any) -> Any:
        info: Any = strawberry.Info(_raw_info=raw_info, _field=field)
        arguments = {
            own: given[name]
            if kind is None
            else convert_argument(given[name], kind, registry, config, info, path=(name,))
            for name, own, kind in converted
            if name in given
        }
        return function(source, info=info, **arguments) if takes_info else function(source, **arguments)

    return resolve


def _is_read(argument: GraphQLArgument, definition: StrawberryArgument) -> bool:
    """Whether graphql-core has made of it already what the resolver wants."""
    return is_leaf_type(get_nullable_type(argument.type)) and not isinstance(definition.type, StrawberryMaybe)


def _is_wrapped_for_a_reason(field: StrawberryField) -> bool:
    """Extensions and permissions come first, and a parent may not be asked for, or not first."""
    resolver = field.base_resolver
    parent = resolver and (resolver.parent_parameter or resolver.self_parameter)
    if not resolver or not parent or field.extensions or field.permission_classes:
        return True
    return next(iter(resolver.signature.parameters)) != parent.name
