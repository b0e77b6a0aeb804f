"""One trial per person and card."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRedemption:
    """A trial that was used: by whom, and with which card, as the processor's fingerprint tells cards apart."""

    user_id: UUID
    fingerprint: str | None
    subscription_id: UUID
    redeemed_at: datetime
