"""Plans: what may be subscribed to. They live at the processor, as a product's recurring prices; ours are mirrors."""

from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from domain.money import Money


class BillingInterval(StrEnum):
    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"
    YEAR = "YEAR"


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
    def price(self) -> Money:
        return Money(minor=self.amount, currency=self.currency)

    def take(self, facts: PlanFacts, *, at: datetime) -> Self:
        """The plan with what the processor says now; itself where nothing changed."""
        fresh = replace(self, **plan_facts_in(facts))
        return self if fresh == self else replace(fresh, version=self.version + 1, updated_at=at)


def plan_facts_in(facts: PlanFacts) -> dict[str, Any]:
    return {part.name: getattr(facts, part.name) for part in fields(PlanFacts)}
