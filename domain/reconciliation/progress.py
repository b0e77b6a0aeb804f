"""What one step of a run adds to it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from domain.reconciliation.run import Drift, ReconciliationRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """`recovered` counts events that we never heard of; `drifts` are those of this step."""

    scanned: int = 0
    recovered: int = 0
    walked_until: datetime | None = None
    drifts: Sequence[Drift] = ()

    def added_to(self, run: ReconciliationRun) -> ReconciliationRun:
        return replace(
            run,
            scanned=run.scanned + self.scanned,
            events_recovered=run.events_recovered + self.recovered,
            walked_until=self.walked_until or run.walked_until,
            drifts_found=run.drifts_found + len(self.drifts),
            healed=run.healed + sum(drift.is_healed for drift in self.drifts),
        )
