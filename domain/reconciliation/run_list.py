"""Which runs are asked for, and in which order."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from domain.paging import Direction, FixedOrder
from domain.reconciliation.run import Drift, ReconciliationRun

RUNS: Final[FixedOrder[ReconciliationRun]] = FixedOrder(
    name="reconciliation-runs", attribute="started_at", kind=datetime, direction=Direction.DESC
)
DRIFTS: Final[FixedOrder[Drift]] = FixedOrder(
    name="drifts", attribute="found_at", kind=datetime, direction=Direction.ASC
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """Nothing can be asked for but all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftFilter:
    """All of a run's."""
