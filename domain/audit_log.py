"""Which records of the audit trail are asked for, and in which order."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from domain.audit import AuditRecord
from domain.billing_event import BillingEvent
from domain.operation import ObjectKind
from domain.paging import Direction, FixedOrder

NEWEST_FIRST: Final[FixedOrder[AuditRecord]] = FixedOrder(
    name="audit", attribute="sequence", kind=int, direction=Direction.DESC
)
OLDEST_FIRST: Final[FixedOrder[BillingEvent]] = FixedOrder(
    name="timeline", attribute="sequence", kind=int, direction=Direction.ASC
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Everything given must hold; None does not ask."""

    object_kind: ObjectKind | None = None
    object_id: UUID | None = None
    actor_id: UUID | None = None
