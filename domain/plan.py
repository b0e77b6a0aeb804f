"""Plans: what may be subscribed to. They live at the processor, as a product's recurring prices; ours are mirrors."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Self
from uuid import UUID

from domain.money import Money

DAYS: Final = {"DAY": 1, "WEEK": 7, "MONTH": 30, "YEAR": 365}
"""About how long each interval is, to compare what plans cost in the same time."""


class BillingInterval(StrEnum):
    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"
    YEAR = "YEAR"


A_YEAR: Final[Mapping[BillingInterval, int]] = {
    BillingInterval.DAY: 365,
    BillingInterval.WEEK: 52,
    BillingInterval.MONTH: 12,
    BillingInterval.YEAR: 1,
}
"""How many of each make one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFacts:
    """The processor's word about a price and its product. The amount is in minor units of `currency`."""

    processor_price_id: str
    processor_product_id: str
    code: str
    name: str
    description: str | None = None
    amount: int
    currency: str
    interval: BillingInterval
    interval_count: int
    trial_days: int = 0
    features: list[str] = field(default_factory=list)
    active: bool
    livemode: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(PlanFacts):
    """`features` are what its subscribers may use, by the names that other services ask for."""

    id: UUID
    version: int = 1
    created_at: datetime
    updated_at: datetime

    @property
    def readings(self) -> int:
        """Who reads what is known already changes nothing, so counting the changes will do."""
        return self.version

    @property
    def price(self) -> Money:
        return Money(minor=self.amount, currency=self.currency)

    @property
    def monthly_amount(self) -> int:
        """The price per month, to the nearest minor unit: a year has 12 months, 52 weeks or 365 days."""
        per_year = self.amount * A_YEAR[self.interval]
        months = 12 * self.interval_count
        return (2 * per_year + months) // (2 * months)

    @property
    def days(self) -> int:
        return DAYS[self.interval] * self.interval_count

    def is_dearer_than(self, other: "Plan") -> bool:
        """Whether it costs more in the same time; both are in one currency."""
        return self.amount * other.days > other.amount * self.days

    def take(self, facts: PlanFacts, *, at: datetime) -> Self:
        """The plan with what the processor says now; itself where nothing changed."""
        fresh = replace(self, **plan_facts_in(facts))
        return self if fresh == self else replace(fresh, version=self.version + 1, updated_at=at)

    def knows(self, facts: PlanFacts) -> bool:
        """Whether this is what it is already."""
        return all(getattr(self, name) == value for name, value in plan_facts_in(facts).items())

    def retired(self, *, at: datetime) -> Self:
        """No longer for sale, since the processor does not know it any more."""
        return replace(self, active=False, version=self.version + 1, updated_at=at) if self.active else self


def plan_facts_in(facts: PlanFacts) -> dict[str, Any]:
    return {part.name: getattr(facts, part.name) for part in fields(PlanFacts)}
