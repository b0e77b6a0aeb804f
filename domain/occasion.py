"""What makes us read an object at the processor."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from domain.actor import SYSTEM, Actor
from domain.events import InboxEvent
from domain.outcome import Outcome
from domain.payment_status import SyncSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """How we came to ask, and who is behind what follows from the answer."""

    source: SyncSource = SyncSource.API_CALL
    event_id: str | None = None
    occurred_at: datetime | None = None
    by: Actor = SYSTEM

    @classmethod
    def of(cls, event: InboxEvent) -> Self:
        return cls(
            source=event.via,
            event_id=event.processor_event_id,
            occurred_at=event.occurred_at,
            by=event.actor,
        )

    def of_payment(self, outcome: Outcome) -> Outcome:
        """The payment's, which was read along with what an event told of, and of which it told nothing itself."""
        return outcome if self.event_id is not None else replace(outcome, source=self.source)
