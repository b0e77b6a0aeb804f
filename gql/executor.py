"""graphql-core's executor, with a short way through the fields that answers are mostly made of."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, Final

from graphql import (
    GraphQLEnumType,
    GraphQLLeafType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    get_nullable_type,
    is_leaf_type,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from graphql.pyutils import AwaitableOrValue, Path

from gql.direct import Reader, reader, use_direct_resolvers
from gql.schema import schema

Writer = Callable[[Any], Any]

SCHEMA: Final[GraphQLSchema] = schema._schema  # Strawberry has no other name for graphql-core's schema.


@dataclass(frozen=True, slots=True)
class Leaf:
    """A field of a scalar or an enum that needs nothing but its object."""

    type: GraphQLOutputType
    read: Reader
    write: Writer


class LeanExecutor(Executor[None]):
    """
    Reads and writes leaves at once, without the path, the info and the checks that only other fields need.

    An absent value goes the library's way, so that nulls end where they always do.
    """

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: GroupedFieldSet,
        position_context: None,
    ) -> AwaitableOrValue[dict[str, Any]]:
        results: dict[str, Any] = {}
        others: GroupedFieldSet = {}
        for name, details in grouped_field_set.items():
            leaf = LEAVES.get((parent_type, details[0].node.name.value))
            results[name] = value = leaf and self._written(leaf, source_value, name, details, path)
            if value is None:
                others[name] = details  # Its place among the results is taken, so that their order stays.
        if not others:
            return results
        found = super().execute_fields(parent_type, source_value, path, others, position_context)
        return _both_later(results, found) if isawaitable(found) else results | found

    def _written(
        self, leaf: Leaf, source: Any, name: str, details: FieldDetailsList, path: Path | None
    ) -> Any:
        try:
            value = leaf.read(source)
            return None if value is None else leaf.write(value)
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to the field
            self.handle_field_error(error, leaf.type, details, Path(path, name, None))
            return None


async def _both_later(results: dict[str, Any], others: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    return results | await others


def leaves(schema: GraphQLSchema) -> Iterator[tuple[tuple[GraphQLObjectType, str], Leaf]]:
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLObjectType):
            for name, field in kind.fields.items():
                of = get_nullable_type(field.type)
                if is_leaf_type(of) and (read := reader(field)):
                    yield (kind, name), Leaf(field.type, read, writer(of))


def writer(kind: GraphQLLeafType) -> Writer:
    """An enum's members are looked up, where Strawberry would compare them one by one."""
    if isinstance(kind, GraphQLEnumType):
        names = {value.value: name for name, value in kind.values.items()}
        return lambda member: names[member]
    return kind.coerce_output_value


use_direct_resolvers(SCHEMA)
LEAVES: Final = dict(leaves(SCHEMA))
