"""Which disputes a caller asks for; the newest come first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from domain.dispute import Dispute, DisputeStatus
from domain.paging import Place

NAME: Final = "disputes:created_at:DESC"


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeFilter:
    """None does not ask, an empty list matches nothing."""

    statuses: Sequence[DisputeStatus] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeOrder:
    name: str = NAME

    def place_at(self, cursor: str, *, argument: str) -> Place:
        """The place that a cursor of this list names; raises InvalidInput."""
        return Place.of_cursor(cursor, self.name, kind=datetime, argument=argument)

    def place_of(self, dispute: Dispute) -> Place:
        return Place(value=dispute.created_at, id=dispute.id)
