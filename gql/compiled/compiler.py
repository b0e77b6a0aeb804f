"""From an operation and the schema to a plan."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    SelectionSetNode,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)

from domain.ports import Glances
from gql.compiled.finding import Connected, Read, Resolved
from gql.compiled.inputs import Arguments
from gql.compiled.look import Look, entity_of
from gql.compiled.selections import Selections
from gql.compiled.source import renderer
from gql.compiled.surprise import NotPlanned
from gql.compiled.ways import Branch, Inline, Items, Leaf, Name, Objects, Place, Possible, Shows, Way
from gql.direct import Reader, attribute_of, reader
from gql.executor import writer
from gql.needs import is_for_plans, needs_of
from gql.node import id_reader, is_id
from gql.relation import relation_of

MOST_FIELDS: Final = 2000
"""Of a plan, with its fragments written out; what asks for more is not asked often."""
TYPENAME: Final = "__typename"
SIMPLE: Final[Mapping[str, type]] = {
    "String": str,
    "ID": str,
    "Boolean": bool,
    "Int": int,
    "DateTime": datetime,
}
"""Of which class a scalar's values usually are, where most of them are written as they are."""


class Compiler:
    def __init__(self, schema: GraphQLSchema, selections: Selections) -> None:
        self._schema, self._selections = schema, selections
        self.fields = 0
        self._look = Look()

    @property
    def glances(self) -> Glances:
        """What is looked at of the entities, by all fields together."""
        return self._look.glances

    def objects(self, kind: GraphQLObjectType, sets: Sequence[SelectionSetNode]) -> Objects:
        """Raises NotPlanned."""
        fields = {key: self._field(kind, nodes) for key, nodes in self._selections.of(kind, sets).items()}
        branches = [each for each in fields.values() if isinstance(each, Branch)]
        return Objects(fields=fields, branches=branches, render=renderer(fields))

    def _field(self, parent: GraphQLObjectType, nodes: Sequence[FieldNode]) -> Shows:
        self.fields += 1
        if self.fields > MOST_FIELDS:
            raise NotPlanned("too many fields")
        name = nodes[0].name.value
        if name == TYPENAME:
            return Name(parent.name)
        field = parent.fields.get(name)
        if field is None or field.resolve is None or not is_for_plans(field):
            raise NotPlanned(name)
        read, relation = self._reader(parent, field), relation_of(field)
        if parent is not self._schema.mutation_type:  # What it does is done before anything is shown.
            self._look.at(parent, needs_of(field), is_read=read is not None)
        place = self._place(field.type, parent, nodes)
        if relation is not None:
            self._look.along(parent, relation)
            return Branch(Connected(relation), place)
        if read is None:
            resolved = Resolved(
                parent=parent,
                field=field,
                resolve=field.resolve,
                nodes=nodes,
                arguments=Arguments(field, nodes[0]),
            )
            return Branch(resolved, place)
        if place.way.is_plain:
            return Inline(attribute_of(field) or read, place)
        return Branch(Read(read), place)

    def _reader(self, parent: GraphQLObjectType, field: GraphQLField) -> Reader | None:
        entity = entity_of(parent)
        return id_reader(entity) if entity and is_id(field) else reader(field)

    def _place(self, kind: GraphQLOutputType, parent: GraphQLObjectType, nodes: Sequence[FieldNode]) -> Place:
        if is_non_null_type(kind):
            return Place(self._shown(kind.of_type, parent, nodes), required=True)
        return Place(self._shown(kind, parent, nodes), required=False)

    def _shown(self, kind: Any, parent: GraphQLObjectType, nodes: Sequence[FieldNode]) -> Way:
        if is_list_type(kind):
            return Items(self._place(kind.of_type, parent, nodes))
        if is_leaf_type(kind):
            return Leaf(writer(kind), SIMPLE.get(kind.name))
        sets = [node.selection_set for node in nodes if node.selection_set]
        if is_object_type(kind):
            return self.objects(kind, sets)
        possible = {each.name: self.objects(each, sets) for each in self._schema.get_possible_types(kind)}
        return Possible(
            kind=kind, resolve_type=kind.resolve_type, objects=possible, parent=parent, nodes=nodes
        )
