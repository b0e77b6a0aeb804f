"""Headers as the server gives and takes them: names in lower case, all in bytes."""

from typing import TypeAlias

from starlette.types import Scope

Header: TypeAlias = tuple[bytes, bytes]


def header(scope: Scope, name: bytes) -> str:
    """Of a request: the first one with this name, or nothing. Starlette's own mapping is made anew for each request."""
    for each, value in scope["headers"]:
        if each == name:
            text: str = value.decode("latin-1")
            return text
    return ""
