"""What is selected of a type: fragments written out, equal fields merged, `@skip` and `@include` decided."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    is_abstract_type,
)

SWITCHES: Final[Mapping[str, bool]] = {"include": True, "skip": False}
"""The directives that leave a selection out, and under which of their values it stays."""


class Selections:
    """Of one operation of a valid document, under certain values of the variables that its directives name."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, switches: Mapping[str, bool]) -> None:
        self._schema, self._switches = schema, switches
        self._fragments = fragments_of(document)

    def of(
        self, kind: GraphQLObjectType, sets: Sequence[SelectionSetNode]
    ) -> Mapping[str, Sequence[FieldNode]]:
        """The fields of one type, in the order of the answer, by their names there."""
        found: dict[str, list[FieldNode]] = {}
        seen: set[str] = set()
        for selections in sets:
            self._collect(kind, selections, found, seen)
        return found

    def _collect(
        self,
        kind: GraphQLObjectType,
        selections: SelectionSetNode,
        found: dict[str, list[FieldNode]],
        seen: set[str],
    ) -> None:
        for node in selections.selections:
            if not self._is_in(node):
                continue
            match node:
                case FieldNode():
                    found.setdefault((node.alias or node.name).value, []).append(node)
                case InlineFragmentNode(type_condition=condition, selection_set=inside):
                    if condition is None or self._applies(condition.name.value, kind):
                        self._collect(kind, inside, found, seen)
                case FragmentSpreadNode(name=name) if name.value not in seen:
                    seen.add(name.value)
                    fragment = self._fragments[name.value]
                    if self._applies(fragment.type_condition.name.value, kind):
                        self._collect(kind, fragment.selection_set, found, seen)

    def _applies(self, condition: str, kind: GraphQLObjectType) -> bool:
        named = self._schema.type_map[condition]
        return named is kind or (is_abstract_type(named) and self._schema.is_sub_type(named, kind))

    def _is_in(self, node: Any) -> bool:
        return all(self._allows(directive) for directive in node.directives or ())

    def _allows(self, directive: DirectiveNode) -> bool:
        stays = SWITCHES.get(directive.name.value)
        if stays is None:
            return True
        [argument] = directive.arguments or ()
        given: Any = argument.value
        value = self._switches[given.name.value] if isinstance(given, VariableNode) else given.value
        return bool(value) is stays


def fragments_of(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    return {
        part.name.value: part for part in document.definitions if isinstance(part, FragmentDefinitionNode)
    }


def switches_of(operation: OperationDefinitionNode, document: DocumentNode) -> frozenset[str]:
    """The variables that decide what is left out of an operation, or of a fragment that it may use."""
    sets = [operation.selection_set, *(each.selection_set for each in fragments_of(document).values())]
    return frozenset(name for selections in sets for name in _switches_in(selections))


def _switches_in(selections: SelectionSetNode) -> Iterator[str]:
    for node in selections.selections:
        for directive in node.directives or ():
            for argument in (directive.name.value in SWITCHES and directive.arguments) or ():
                if isinstance(argument.value, VariableNode):
                    yield argument.value.name.value
        inside = getattr(node, "selection_set", None)
        if inside is not None:
            yield from _switches_in(inside)
