"""Previews: what a subscription, or a change of its plan, would charge, frozen for some minutes."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from domain.invoice import ChargeLine, line_of
from domain.json_value import JsonValue

KEPT_FOR: Final = timedelta(minutes=15)


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
    """The processor's calculation. Amounts are minor units of `currency`; `credit_applied` is not negative."""

    currency: str
    lines: list[JsonValue] = field(default_factory=list)
    subtotal: int
    tax: int
    credit_applied: int
    due_now: int
    next_renewal: int
    charged_at: datetime


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
    def charge_lines(self) -> list[ChargeLine]:
        return [line_of(record) for record in self.lines]
