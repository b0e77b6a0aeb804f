"""How found values are shown in the answer: the values of one field of many objects at once, as a column."""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from graphql import FieldNode, GraphQLAbstractType, GraphQLObjectType

from gql.compiled.finding import Finding, Run, together
from gql.compiled.surprise import Surprise
from gql.executor import Writer

Column: TypeAlias = Sequence[Any]
Render: TypeAlias = Callable[..., list[dict[str, Any]]]


class Way(ABC):
    """Values that are never None. `is_plain` ones need nothing but themselves, so that one expression shows them."""

    @property
    @abstractmethod
    def is_plain(self) -> bool: ...

    @abstractmethod
    async def column(self, values: Column, run: Run) -> Column: ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value may stand: `required` is never None."""

    way: Way
    required: bool

    async def column(self, values: Column, run: Run) -> Column:
        """Raises Surprise for None where it may not be."""
        present = [value for value in values if value is not None]
        if len(present) == len(values):
            return await self.way.column(values, run)
        if self.required:
            raise Surprise
        found = iter(await self.way.column(present, run) if present else ())
        return [None if value is None else next(found) for value in values]


@dataclass(frozen=True, slots=True)
class Leaf(Way):
    """A scalar or an enum. `simple` is the class of values that are written as they are, if there is one."""

    write: Writer
    simple: type | None = None

    @property
    def is_plain(self) -> bool:
        return True

    async def column(self, values: Column, run: Run) -> Column:
        return [self.write(value) for value in values]


@dataclass(frozen=True, slots=True)
class Items(Way):
    """A list, each of whose items stands in the same place."""

    place: Place

    @property
    def is_plain(self) -> bool:
        return self.place.way.is_plain

    async def column(self, values: Column, run: Run) -> Column:
        """The items of all lists are shown together."""
        items = iter(await self.place.column([item for value in values for item in value], run))
        return [[next(items) for _ in value] for value in values]


@dataclass(slots=True, kw_only=True)
class Objects(Way):
    """
    Objects of one type. `render` makes an answer of each, given the columns of `branches`.

    `fields` is what it was made of, for whoever shows such an object within an expression of its own.
    """

    fields: Mapping[str, "Shows"]
    branches: Sequence["Branch"]
    render: Render = field(repr=False)

    @property
    def is_plain(self) -> bool:
        return not self.branches

    async def column(self, values: Column, run: Run) -> Column:
        if not self.branches:
            return self.render(values)
        columns = await together([branch.column(values, run) for branch in self.branches])
        return self.render(values, *columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Possible(Way):
    """Objects of an interface or a union, by the names of their types."""

    kind: GraphQLAbstractType
    resolve_type: Callable[..., Any]
    objects: Mapping[str, Objects]
    parent: GraphQLObjectType
    nodes: Sequence[FieldNode]

    @property
    def is_plain(self) -> bool:
        return False

    async def column(self, values: Column, run: Run) -> Column:
        info = run.info(self.parent, self.kind, self.nodes)
        places: defaultdict[str, list[int]] = defaultdict(list)
        for place, value in enumerate(values):
            places[self.resolve_type(value, info, self.kind)].append(place)
        found: list[Any] = [None] * len(values)
        for name, at in places.items():
            column = await self.objects[name].column([values[place] for place in at], run)
            for place, shown in zip(at, column, strict=True):
                found[place] = shown
        return found


@dataclass(frozen=True, slots=True)
class Name:
    """`__typename`."""

    name: str


@dataclass(frozen=True, slots=True)
class Inline:
    """A field that is read and shown while its object is."""

    read: str | Callable[[Any], Any]
    """An attribute's name, or a function of the object."""
    place: Place


@dataclass(frozen=True, slots=True)
class Branch:
    """A field whose values are found and shown before its objects are."""

    finding: Finding
    place: Place

    async def column(self, sources: Column, run: Run) -> Column:
        return await self.place.column(await self.finding.values(sources, run), run)


Shows: TypeAlias = Name | Inline | Branch
