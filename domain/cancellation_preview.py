"""What a cancellation would do."""

from dataclasses import dataclass
from datetime import datetime

from domain.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class CancellationPreview:
    """
    `stops_retries` is whether an attempt to collect an open invoice is given up, `voids` what is then owed no more.

    Nothing is given back by cancelling itself, so `refund` is None.
    """

    ends_access_at: datetime
    stops_retries: bool
    voids: Money | None = None
    refund: Money | None = None
