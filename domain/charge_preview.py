"""Previews: what a subscription, or a change of its plan, would charge, frozen for some minutes."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from domain.invoice import ChargeLine, line_of
from domain.json_value import JsonValue

KEPT_FOR: Final = timedelta(minutes=15)
"""How long a preview binds."""
KNOWN_FOR: Final = timedelta(days=1)
"""How long it is known after that, so that a stale one can be made afresh."""


class ChangeTiming(StrEnum):
    NOW = "NOW"
    PERIOD_END = "PERIOD_END"


class Proration(StrEnum):
    """
    What becomes of the rest of the running period: settled with the next invoice, settled by an invoice at once,
    a new period at the full price at once, or nothing.
    """

    PRORATE = "PRORATE"
    INVOICE_NOW = "INVOICE_NOW"
    FULL_PRICE_NOW = "FULL_PRICE_NOW"
    NONE = "NONE"


class OnFailure(StrEnum):
    """What becomes of a plan change whose charge fails."""

    REVERT = "REVERT"
    KEEP_AS_PAST_DUE = "KEEP_AS_PAST_DUE"


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewTerms:
    """
    The processor's calculation. Amounts are minor units of `currency`; `credit_applied` is not negative.

    `charged_at` is when the lines are charged, `due_now` what of them that is at once, `next_renewal` what the next
    renewal costs, these lines included where they wait for it.
    """

    currency: str
    lines: list[JsonValue] = field(default_factory=list)
    subtotal: int
    tax: int
    credit_applied: int
    due_now: int
    next_renewal: int
    charged_at: datetime

    @property
    def charge_lines(self) -> list[ChargeLine]:
        return [line_of(record) for record in self.lines]

    def is_worth(self, other: "PreviewTerms") -> bool:
        """Whether both cost the same, to the minor unit, now and at the next renewal."""
        return self._sums == other._sums

    @property
    def _sums(self) -> tuple[str, int, int, int, int, int]:
        charged = (self.subtotal, self.tax, self.credit_applied)
        return (self.currency, *charged, self.due_now, self.next_renewal)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargePreview(PreviewTerms):
    """
    `prorated_at` is the instant that the calculation takes as now, to be used again by the change itself.

    It is for one subscription as it was (`subscription_version`), or for a new one.
    """

    id: UUID
    user_id: UUID
    plan_id: UUID
    subscription_id: UUID | None = None
    subscription_version: int | None = None
    timing: ChangeTiming = ChangeTiming.NOW
    proration: Proration = Proration.PRORATE
    prorated_at: datetime
    created_at: datetime
    expires_at: datetime

    @property
    def is_of_trial(self) -> bool:
        """Whether it is for a new subscription that is not charged before its trial is over."""
        return self.subscription_id is None and self.charged_at > self.prorated_at

    def has_expired_at(self, moment: datetime) -> bool:
        return moment >= self.expires_at
