"""`expand[]`: ids in an answer become the objects they name (https://docs.stripe.com/api/expanding_objects)."""

from collections.abc import Callable, Iterable, Mapping

from sandbox.api.errors import InvalidRequest
from sandbox.state.objects import StripeObject, visible

Expandable = Mapping[str, Mapping[str, str]]
Find = Callable[[str, str], StripeObject | None]
DEEPEST = 4


class Expansion:
    """Paths that were checked against the kinds of objects they lead through, before anything is executed."""

    def __init__(self, expandable: Expandable, kind: str, paths: Iterable[str], *, in_list: bool) -> None:
        self._expandable = expandable
        self._kind = kind
        self._in_list = in_list
        self._paths = [self._checked(path) for path in paths]

    def apply(self, answer: StripeObject, find: Find) -> StripeObject:
        """The answer without the sandbox's own notes, with every asked-for id replaced by its object."""
        if answer.get("object") == "list":
            return {**answer, "data": [self._one(thing, find) for thing in answer["data"]]}
        return self._one(answer, find)

    def _one(self, thing: StripeObject, find: Find) -> StripeObject:
        shown = visible(thing)
        for path in self._paths:
            self._follow(shown, self._kind, path, find)
        return shown

    def _follow(self, thing: StripeObject, kind: str, path: list[str], find: Find) -> None:
        name, *rest = path
        target = self._expandable[kind][name]
        if isinstance(thing.get(name), str):
            found = find(target, thing[name])
            thing[name] = visible(found) if found else thing[name]
        if rest and isinstance(thing.get(name), dict):
            self._follow(thing[name], target, rest, find)

    def _checked(self, path: str) -> list[str]:
        segments = path.split(".")
        names = segments[1:] if self._in_list and segments[0] == "data" else segments
        kind: str | None = self._kind
        for name in names:
            kind = self._expandable.get(kind or "", {}).get(name)
        if kind is None or not names or len(segments) > DEEPEST or self._in_list != (segments[0] == "data"):
            raise InvalidRequest(f"This property cannot be expanded ({path}).", param="expand")
        return names
