"""graphql-core's executor, with a short way through the fields that answers are mostly made of."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from graphql import (
    GraphQLEnumType,
    GraphQLLeafType,
    GraphQLList,
    GraphQLObjectType,
    GraphQLSchema,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import GroupedFieldSet
from graphql.pyutils import AwaitableOrValue, Path

from gql.direct import Reader, reader, use_direct_resolvers
from gql.schema import schema

Writer = Callable[[Any], Any]

SCHEMA: Final[GraphQLSchema] = schema._schema  # Strawberry has no other name for graphql-core's schema.


@dataclass(frozen=True, slots=True)
class Leaf:
    """A field of a scalar or an enum that needs nothing but its object."""

    read: Reader
    write: Writer

    def written(self, source: Any) -> Any:
        """Its value in the answer; None where there is none, or where anything is wrong."""
        try:
            value = self.read(source)
            return None if value is None else self.write(value)
        except Exception:  # noqa: BLE001 - it is the library's to report
            return None


class LeanExecutor(Executor[None]):
    """
    Reads and writes leaves at once, without the path, the info and the checks that only other fields need.

    Where that gives nothing, the library tries again its own way, so that nulls and errors end where they always do.
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
            results[name] = value = leaf and leaf.written(source_value)
            if value is None:
                others[name] = details  # Its place among the results is taken, so that their order stays.
        if not others:
            return results
        found = super().execute_fields(parent_type, source_value, path, others, position_context)
        return results | found if isinstance(found, dict) else _both_later(results, found)


async def _both_later(results: dict[str, Any], others: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    return results | await others


def leaves(schema: GraphQLSchema) -> Iterator[tuple[tuple[GraphQLObjectType, str], Leaf]]:
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLObjectType):
            for name, field in kind.fields.items():
                of = get_nullable_type(field.type)
                write = list_writer(of) if is_list_type(of) else writer(of) if is_leaf_type(of) else None
                if write and (read := reader(field)):
                    yield (kind, name), Leaf(read, write)


def writer(kind: GraphQLLeafType) -> Writer:
    """An enum's members are looked up, where Strawberry would compare them one by one."""
    if isinstance(kind, GraphQLEnumType):
        names = {value.value: name for name, value in kind.values.items()}
        return names.__getitem__
    return kind.coerce_output_value


def list_writer(kind: GraphQLList[Any]) -> Writer | None:
    """For leaves that are never null."""
    if not is_non_null_type(kind.of_type) or not is_leaf_type(kind.of_type.of_type):
        return None
    write = writer(kind.of_type.of_type)
    return lambda items: [write(item) for item in items]


use_direct_resolvers(SCHEMA, schema.schema_converter)
LEAVES: Final = dict(leaves(SCHEMA))
