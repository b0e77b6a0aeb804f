"""`expand[]`: ids in an answer become the objects they name (https://docs.stripe.com/api/expanding_objects)."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sandbox.api.errors import InvalidRequest
from sandbox.state.objects import StripeObject, visible

Expandable = Mapping[str, Mapping[str, str]]
Find = Callable[[str, str], StripeObject | None]
DEEPEST = 4


class Expansion:
    """
    Paths that were checked against the kinds of objects they lead through, before anything is executed.

    A field that only shows when it is asked for is kept as a note: `payments` of an invoice is its `_payments`.
    """

    def __init__(self, expandable: Expandable, kind: str, paths: Iterable[str], *, in_list: bool) -> None:
        self._expandable = expandable
        self._kind = kind
        self._in_list = in_list
        self._paths = [self._checked(path) for path in paths]

    def apply(self, answer: StripeObject, find: Find) -> StripeObject:
        """The answer without the sandbox's own notes, with every asked-for id replaced by its object."""
        if answer.get("object") == "list":
            return {
                **answer,
                "data": [self._one(thing, self._kind, self._paths, find) for thing in answer["data"]],
            }
        return self._one(answer, self._kind, self._paths, find)

    def _one(self, thing: StripeObject, kind: str, paths: list[list[str]], find: Find) -> StripeObject:
        shown = visible(thing)
        for name in dict.fromkeys(path[0] for path in paths):
            target, rests = self._expandable[kind][name], [path[1:] for path in paths if path[0] == name]
            value = thing.get(name, thing.get(f"_{name}"))
            if value is not None:
                shown[name] = self._expanded(value, target, [rest for rest in rests if rest], find)
        return shown

    def _expanded(self, value: Any, kind: str, paths: list[list[str]], find: Find) -> Any:
        if isinstance(value, str):
            found = find(kind, value)
            return self._one(found, kind, paths, find) if found else value
        if value.get("object") == "list":
            return {**value, "data": [self._expanded(item, kind, paths, find) for item in value["data"]]}
        return self._one(value, kind, paths, find)

    def _checked(self, path: str) -> list[str]:
        segments = path.split(".")
        names = [name for name in segments if name != "data"]
        kind: str | None = self._kind
        for name in names:
            kind = self._expandable.get(kind or "", {}).get(name)
        if kind is None or not names or len(names) > DEEPEST or self._in_list != (segments[0] == "data"):
            raise InvalidRequest(f"This property cannot be expanded ({path}).", param="expand")
        return names
