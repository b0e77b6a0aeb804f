"""Answers as JSON."""

from collections.abc import Mapping
from typing import Any, Final

import orjson

INSTANTS: Final = orjson.OPT_UTC_Z
"""As `gql.scalars.written_instant` writes them."""


def written_body(body: Mapping[str, Any]) -> bytes:
    """Of a response of `gql.execution`, in which a plan leaves instants as they are."""
    return orjson.dumps(body, option=INSTANTS)
