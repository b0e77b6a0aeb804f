"""Which disputes a caller asks for, and in which order."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from domain.dispute import Dispute, DisputeStatus
from domain.paging import Direction, FixedOrder

NEWEST_FIRST: Final[FixedOrder[Dispute]] = FixedOrder(
    name="disputes", attribute="created_at", kind=datetime, direction=Direction.DESC
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeFilter:
    """None does not ask, an empty list matches nothing."""

    statuses: tuple[DisputeStatus, ...] | None = None
