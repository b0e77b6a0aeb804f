"""Free-form JSON, as details and recorded errors hold it."""

from collections.abc import Mapping
from typing import Final, TypeAlias

JsonValue: TypeAlias = bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"] | None
JsonObject: TypeAlias = Mapping[str, JsonValue]

AS_THEY_ARE: Final = frozenset({str, int, bool, type(None)})
"""Classes of most values, which are JSON as they are: to look a class up is faster than to try one after the other."""
