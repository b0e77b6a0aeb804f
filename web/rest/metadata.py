"""Callers' metadata as an answer shows it."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

import structlog
from pydantic import Field
from structlog.typing import FilteringBoundLogger

from domain.errors import MetadataUnreadable
from domain.json_value import JsonValue

log: FilteringBoundLogger = structlog.get_logger()

ShownMetadata = Annotated[
    dict[str, Any] | None,
    Field(description="Your own data. Null while it cannot be read, which an operator has to mend."),
]


def shown_metadata(details: Mapping[str, JsonValue], *, of: UUID) -> dict[str, Any] | None:
    """None where it cannot be opened: that hides no object, and makes no failure of a command that succeeded."""
    try:
        return dict(details)
    except MetadataUnreadable as unreadable:
        log.error("metadata.unreadable", object_id=str(of), reason=unreadable.message)
        return None
