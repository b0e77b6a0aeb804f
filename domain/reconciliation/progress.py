"""What one step of a run adds to it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from domain.operation import ObjectKind
from domain.reconciliation.run import LONGEST_ERROR, Drift, ReconciliationRun, in_words

BETWEEN: Final = "; "


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """What stood in the way of one object, or of all of its kind where it names none."""

    object_kind: ObjectKind
    processor_object_id: str | None = None
    why: Exception

    def __str__(self) -> str:
        return f"{self.processor_object_id or self.object_kind}: {in_words(self.why)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """
    `recovered` counts events that we never heard of, `unreadable` are the ids of those that are no events.

    `drifts` are those of this step. What could not be compared lets the run fail once it has come to its end; what
    could not be healed is among the drifts.
    """

    scanned: int = 0
    recovered: int = 0
    unreadable: Sequence[str] = ()
    walked_until: datetime | None = None
    drifts: Sequence[Drift] = ()
    not_healed: Sequence[Obstacle] = ()
    not_compared: Sequence[Obstacle] = ()

    def added_to(self, run: ReconciliationRun) -> ReconciliationRun:
        known = [] if run.error is None else [run.error]
        errors = [*known, *map(str, self.not_compared)]
        return replace(
            run,
            scanned=run.scanned + self.scanned,
            events_recovered=run.events_recovered + self.recovered,
            walked_until=self.walked_until or run.walked_until,
            drifts_found=run.drifts_found + len(self.drifts),
            healed=run.healed + sum(drift.is_healed for drift in self.drifts),
            error=BETWEEN.join(errors)[:LONGEST_ERROR] if errors else None,
        )
