"""
What one document may ask for, judged before anything else reads it, and before it runs.

Every fragment is measured once and remembered: limiters that write fragments out take twice the time for each
further one, and so does the execution of what they should have refused.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_named_type,
    is_composite_type,
    is_introspection_type,
)

from gql.costs import (
    INTROSPECTED_PER_POINT,
    INTROSPECTION,
    introspected,
    is_list,
    length,
    own_cost,
    page_size,
)
from gql.limits import Limits
from gql.refusals import Refusal, RequestRefused

LARGEST_TOLD: Final = 2**53 - 1
"""Fragments can multiply to more than JSON's readers can hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """`per_row` is what each row of a page costs, to be multiplied by whoever knows how many are asked for."""

    cost: int = 0
    per_row: int = 0
    depth: int = 0
    fields: int = 0
    """Of one selection set, those of its fragments included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """`costs` is what each operation may ask for, by its name."""

    costs: Mapping[str | None, int] = field(default_factory=dict)
    refusals: Sequence[GraphQLError] = ()
    introspects: bool = False


def measured(schema: GraphQLSchema, document: DocumentNode, limits: Limits) -> Measured:
    """A document that need not be valid: what nobody knows costs nothing, and is for other rules to tell of."""
    nodes = list(nodes_of(document))
    ruler = Ruler(schema, document, limits)
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    sizes = [(each, ruler.size(each)) for each in operations]
    refusals = [
        *overloads(nodes, limits),
        *(no for each, size in sizes for no in excesses(each, size, limits)),
    ]
    return Measured(
        costs={each.name.value if each.name else None: size.cost for each, size in sizes},
        refusals=refusals[: limits.errors],
        introspects=any(isinstance(node, FieldNode) and node.name.value in INTROSPECTION for node in nodes),
    )


def nodes_of(document: DocumentNode) -> Iterator[Node]:
    """Whatever can bear a directive, in the order and as often as it is written."""
    waiting: list[Any] = [*reversed(document.definitions)]
    while waiting:
        node = waiting.pop()
        yield node
        inside = getattr(node, "selection_set", None)
        waiting += reversed(inside.selections if inside else ())
        waiting += reversed(getattr(node, "variable_definitions", None) or ())


def overloads(nodes: Sequence[Any], limits: Limits) -> Iterator[GraphQLError]:
    aliased = [node for node in nodes if getattr(node, "alias", None)]
    if len(aliased) > limits.aliases:
        yield exceeded("aliases", limits.aliases, len(aliased), aliased[limits.aliases])
    fullest = max(nodes, key=directives_at, default=None)
    if directives_at(fullest) > limits.directives:
        yield exceeded("directives", limits.directives, directives_at(fullest), fullest)


def directives_at(node: Any) -> int:
    return len(getattr(node, "directives", None) or ())


def excesses(operation: OperationDefinitionNode, size: Size, limits: Limits) -> Iterator[GraphQLError]:
    is_mutation = operation.operation is OperationType.MUTATION
    at_root = "mutations" if is_mutation else "rootFields"
    most_at_root = limits.mutations if is_mutation else limits.root_fields
    if size.depth > limits.depth:
        yield exceeded("depth", limits.depth, size.depth, operation)
    if size.fields > most_at_root:
        yield exceeded(at_root, most_at_root, size.fields, operation)
    if size.cost > limits.cost:
        yield exceeded("cost", limits.cost, size.cost, operation)


SENTENCES: Final[Mapping[str, str]] = {
    "aliases": "This document has more than {most} aliases.",
    "directives": "This has more than {most} directives.",
    "depth": "This is nested more than {most} levels deep.",
    "rootFields": "This asks for more than {most} fields at its root.",
    "mutations": "This has more than {most} mutations.",
    "cost": "This asks for more than a cost of {most} at once.",
}


def exceeded(limit: str, most: int, asked: int, node: Any) -> GraphQLError:
    message = SENTENCES[limit].format(most=most)
    told = {"limit": limit, "most": most, "asked": min(asked, LARGEST_TOLD)}
    return RequestRefused(Refusal.LIMIT_EXCEEDED, message, node, **told)


class Ruler:
    """Measures a document's operations; each fragment once."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, limits: Limits) -> None:
        self._schema, self._limits = schema, limits
        self._too_deep = Size(depth=limits.depth + 1)
        self._definitions = {
            part.name.value: part for part in document.definitions if isinstance(part, FragmentDefinitionNode)
        }
        self._fragments: dict[str, Size] = {}

    def size(self, operation: OperationDefinitionNode) -> Size:
        root = self._schema.get_root_type(operation.operation)
        return self._of_selections(operation.selection_set, root, level=1)

    def _of_selections(self, selections: SelectionSetNode, parent: Any, *, level: int) -> Size:
        if level > self._limits.depth:
            return self._too_deep
        sizes = [self._of_selection(each, parent, level=level) for each in selections.selections]
        return Size(
            cost=sum(size.cost for size in sizes),
            per_row=sum(size.per_row for size in sizes),
            depth=1 + max((size.depth for size in sizes), default=0),
            fields=sum(size.fields for size in sizes),
        )

    def _of_selection(self, node: Any, parent: GraphQLNamedType | None, *, level: int) -> Size:
        match node:
            case FieldNode():
                return self._of_field(node, parent, level=level)
            case InlineFragmentNode(type_condition=condition):
                kind = self._schema.get_type(condition.name.value) if condition else parent
                return self._of_selections(node.selection_set, kind, level=level + 1)
            case FragmentSpreadNode():
                return self._of_fragment(node.name.value, level=level)
        return Size()

    def _of_fragment(self, name: str, *, level: int) -> Size:
        """Remembered at its first mention; while it is being measured, a cycle finds it empty."""
        fragment = self._definitions.get(name)
        if name not in self._fragments and fragment is not None:
            self._fragments[name] = Size()
            kind = self._schema.get_type(fragment.type_condition.name.value)
            self._fragments[name] = self._of_selections(fragment.selection_set, kind, level=level + 1)
        return self._fragments.get(name, Size())

    def _of_field(self, node: FieldNode, parent: GraphQLNamedType | None, *, level: int) -> Size:
        """Names of types are free: clients ask for them everywhere."""
        name = node.name.value
        found = self._schema.get_field(parent, name) if is_composite_type(parent) else None
        if parent is None or found is None or name == "__typename":
            return Size(fields=1)
        if node.selection_set is None:
            return Size(cost=own_cost(parent, name), fields=1)
        inside = self._of_selections(node.selection_set, get_named_type(found.type), level=level + 1)
        cost, per_row = self._price(node, parent, found, inside)
        return Size(cost=cost, per_row=per_row, depth=inside.depth, fields=1)

    def _price(self, node: FieldNode, parent: Any, field: GraphQLField, inside: Size) -> tuple[int, int]:
        """What the field costs with all that it leads to: at once, and for each row of its page."""
        name = node.name.value
        own = own_cost(parent, name)
        if is_introspection_type(parent):
            return introspected(self._schema, name, inside.cost), 0
        if name in INTROSPECTION:
            return own + introspected(self._schema, name, inside.cost) // INTROSPECTED_PER_POINT, 0
        if is_list(field) and parent.name.endswith("Connection"):
            return 0, own + inside.cost
        return own + inside.per_row * page_size(node) + inside.cost * length(field), 0
