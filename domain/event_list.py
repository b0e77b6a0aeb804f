"""Which of the processor's events are asked for, and in which order."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from domain.events import InboxEvent, InboxStatus
from domain.operation import ObjectKind
from domain.paging import Direction, FixedOrder

NEWEST_FIRST: Final[FixedOrder[InboxEvent]] = FixedOrder(
    name="webhookEvents", attribute="received_at", kind=datetime, direction=Direction.DESC
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Everything given must hold. None does not ask, an empty list matches nothing."""

    statuses: tuple[InboxStatus, ...] | None = None
    type: str | None = None
    processor_event_id: str | None = None
    processor_object_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AffectedObject:
    """An object that was changed by the handling of an event."""

    kind: ObjectKind
    id: UUID
