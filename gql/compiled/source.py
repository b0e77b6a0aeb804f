"""Python source for a selection: one function that makes the answers of many objects of a type."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final, NoReturn

from gql.compiled.surprise import Surprise
from gql.compiled.ways import Branch, Inline, Items, Leaf, Name, Objects, Place, Render, Shows

RANGES: Final[Mapping[type, str]] = {
    int: " and -2147483648 <= {0} <= 2147483647",
    datetime: " and {0}.tzinfo is UTC",
}
"""
Which values of a class need no writing. GraphQL's Int has 32 bits (specification, section 3.5.1).

Instants are left to `gql.json`, which writes them in a tenth of the time, to the same letters.
"""


def renderer(fields: Mapping[str, Shows]) -> Render:
    """
    For the fields `id` (a function of its object), `livemode` (an attribute) and `refunds` (a branch) it is

        def render(objects, column0):
            answers = []
            for v0, c0 in zip(objects, column0):
                answers.append({"id": write(missing() if (v1 := read(v0)) is None else v1), …, "refunds": c0})
            return answers
    """
    return Source().function(fields)


class Source:
    """The names in it are ours or those of GraphQL, which are all letters, digits and underscores."""

    def __init__(self) -> None:
        self._things: dict[str, Any] = {"missing": missing, "datetime": datetime, "UTC": UTC}
        self._values = (f"v{number}" for number in count())

    def function(self, fields: Mapping[str, Shows]) -> Render:
        branches = sum(isinstance(each, Branch) for each in fields.values())
        columns = [f"c{number}" for number in range(branches)]
        item = next(self._values)
        answer = self._object(fields, item, iter(columns))
        lines = [
            f"def render({', '.join(['objects', *(f'column_{name}' for name in columns)])}):",
            "    answers = []",
            f"    for {', '.join([item, *columns])} in {self._rows(columns)}:",
            f"        answers.append({answer})",
            "    return answers",
        ]
        exec(compile("\n".join(lines), "<operation plan>", "exec"), self._things)  # noqa: S102 - our own words
        render: Render = self._things["render"]
        return render

    def _rows(self, columns: list[str]) -> str:
        return f"zip(objects, {', '.join(f'column_{name}' for name in columns)})" if columns else "objects"

    def _object(self, fields: Mapping[str, Shows], item: str, columns: Iterator[str]) -> str:
        return (
            f"{{{', '.join(f'{key!r}: {self._field(each, item, columns)}' for key, each in fields.items())}}}"
        )

    def _field(self, each: Shows, item: str, columns: Iterator[str]) -> str:
        match each:
            case Name(name):
                return repr(name)
            case Inline(str(attribute), place):
                return self._placed(place, f"{item}.{attribute}")
            case Inline(read, place) if not isinstance(read, str):
                return self._placed(place, f"{self._thing(read)}({item})")
        return next(columns)

    def _placed(self, place: Place, value: str) -> str:
        held = next(self._values)
        absent = "missing()" if place.required else "None"
        return f"{absent} if ({held} := {value}) is None else {self._shown(place, held)}"

    def _shown(self, place: Place, held: str) -> str:
        match place.way:
            case Leaf(write, None):
                return f"{self._thing(write)}({held})"
            case Leaf(write, type() as simple):
                fits = f"{held}.__class__ is {simple.__name__}{RANGES.get(simple, '').format(held)}"
                return f"{held} if {fits} else {self._thing(write)}({held})"
            case Items(of):
                item = next(self._values)
                return f"[{self._placed(of, item)} for {item} in {held}]"
            case Objects(fields=fields):
                return self._object(fields, held, iter(()))
        raise TypeError(f"{place.way} is not plain")

    def _thing(self, thing: Callable[..., Any]) -> str:
        name = f"f{len(self._things)}"
        self._things[name] = thing
        return name


def missing() -> NoReturn:
    raise Surprise
