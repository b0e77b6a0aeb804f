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
    """The variables that decide what is left out of an operation, and of the fragments that it uses."""
    fragments, used = fragments_of(document), set[str]()
    waiting, switches = [operation.selection_set], set[str]()
    while waiting:
        for node in waiting.pop().selections:
            switches.update(_switches_at(node))
            if isinstance(node, FragmentSpreadNode) and node.name.value not in used:
                used.add(node.name.value)
                waiting.append(fragments[node.name.value].selection_set)
            elif inside := getattr(node, "selection_set", None):
                waiting.append(inside)
    return frozenset(switches)


def _switches_at(node: Any) -> Iterator[str]:
    for directive in node.directives or ():
        for argument in (directive.name.value in SWITCHES and directive.arguments) or ():
            if isinstance(argument.value, VariableNode):
                yield argument.value.name.value
