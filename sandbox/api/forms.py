"""Form bodies and queries with nested brackets: `a[b][c]=1`, `a[0][b]=1`, `a[]=1`."""

import re
from urllib.parse import parse_qsl

from sandbox.api.errors import InvalidRequest

Raw = str | dict[str, "Raw"]

NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
SEGMENT = re.compile(r"\[([^\[\]]*)\]")
MOST_FIELDS = 2_000
DEEPEST = 12


def decode(text: str) -> dict[str, Raw]:
    """The tree that a form describes; a list is a hash whose names are its indices."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise InvalidRequest("The request's parameters could not be read as a form.") from error
    tree: dict[str, Raw] = {}
    for name, value in pairs:
        _insert(tree, _path(name), value, name)
    return tree


def join(prefix: str, name: str) -> str:
    return f"{prefix}[{name}]" if prefix else name


def _path(name: str) -> list[str]:
    match = NAME.fullmatch(name)
    if match is None:
        raise InvalidRequest(f"Not a valid parameter name: {name}", param=name)
    path = [match[1], *SEGMENT.findall(match[2])]
    if len(path) > DEEPEST:
        raise InvalidRequest(f"Nested too deeply: {name}", param=name)
    return path


def _insert(tree: dict[str, Raw], path: list[str], value: str, name: str) -> None:
    node = tree
    for segment in path[:-1]:
        child = node.setdefault(segment or str(len(node)), {})
        if not isinstance(child, dict):
            raise InvalidRequest(f"{name} is given both as a value and as a hash.", param=name)
        node = child
    node[path[-1] or str(len(node))] = value
