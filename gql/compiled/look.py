"""Which attributes of the entities an operation looks at."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from graphql import GraphQLObjectType
from strawberry.schema.schema_converter import GraphQLCoreConverter

from domain.ports import Glance, Glances, Related
from gql.needs import Needs
from gql.node import Node
from gql.relation import Relation, ToOne


class Look:
    """Collected field by field; of the same entities in different places it is the same."""

    def __init__(self) -> None:
        self._attributes: dict[type, set[str]] = {}
        self._related: dict[type, set[tuple[str, type]]] = {}
        self._whole: set[type] = set()
        self._is_known = True

    def at(self, parent: GraphQLObjectType, needs: Needs | None, *, is_read: bool) -> None:
        """Who knows what a resolver looks at that does not say so? One that is only given its object sees no other."""
        entity = entity_of(parent)
        if needs is None:
            self._is_known = self._is_known and is_read
            if entity is not None:
                self._whole.add(entity)
            return
        self._whole |= needs.whole
        if entity is not None:
            self._attributes.setdefault(entity, set()).update(needs.attributes)

    def along(self, parent: GraphQLObjectType, relation: Relation) -> None:
        """A field leads from one entity to another."""
        entity = entity_of(parent)
        if entity is not None and isinstance(relation, ToOne):
            self._related.setdefault(entity, set()).add((relation.attribute, relation.kind))

    @property
    def glances(self) -> Glances:
        if not self._is_known:
            return {}
        bounded = {
            entity: frozenset(attributes)
            for entity, attributes in self._attributes.items()
            if entity not in self._whole and attributes <= {part.name for part in fields(entity)}
        }
        return {
            entity: Glance(attributes, tuple(self._related_of(entity, bounded)))
            for entity, attributes in bounded.items()
        }

    def _related_of(self, entity: type, bounded: Mapping[type, frozenset[str]]) -> Iterator[Related]:
        for attribute, kind in sorted(self._related.get(entity, ()), key=str):
            if kind in bounded:
                yield Related(attribute, kind, bounded[kind])


def entity_of(kind: GraphQLObjectType) -> Any:
    """The entity that the type shows, if it shows one."""
    view: Any = kind.extensions[GraphQLCoreConverter.DEFINITION_BACKREF].origin
    return view._domain if issubclass(view, Node) else None
