"""What an object contributes to the statistics: amounts of measures, each at a moment and with its traits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from domain.decline import DeclineCategory
from domain.payment_status import PaymentTrigger

QUARTER: Final = timedelta(minutes=15)
"""The finest grain: the offset of every time zone in use is a multiple of it."""


class Measure(StrEnum):
    """What is summed. Amounts of money are minor units of the currency among the traits; the others are numbers."""

    MADE = "made"
    COMPLETED = "completed"
    FAILED = "failed"
    DECLINED = "declined"
    GROSS = "gross"
    REFUNDED = "refunded"
    DISPUTED = "disputed"
    WITHHELD = "withheld"
    STARTED = "started"
    ENDED = "ended"
    ACTIVE = "active"
    RECURRING = "recurring"
    DUNNING_STARTED = "dunning_started"
    DUNNING_RECOVERED = "dunning_recovered"


STOCKS: Final = frozenset({Measure.ACTIVE, Measure.RECURRING})
"""These hold changes of a level: how much there is at a moment is the sum of all changes before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What an amount can be asked for by. None is what the object does not have, or nobody knows."""

    livemode: bool
    currency: str
    plan_id: UUID | None = None
    brand: str | None = None
    country: str | None = None
    decline_category: DeclineCategory | None = None
    trigger: PaymentTrigger | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """A change of the sums in one quarter of an hour, which begins at `at`."""

    at: datetime
    traits: Traits
    amounts: Mapping[Measure, int]


class Place(NamedTuple):
    """Which sums an amount belongs to."""

    at: datetime
    traits: Traits


@dataclass(slots=True)
class Facts:
    """Sums in the making."""

    sums: dict[Place, dict[Measure, int]] = field(default_factory=dict)

    def add(self, at: datetime, traits: Traits, measure: Measure, amount: int = 1) -> None:
        self._put(Place(quarter_of(at), traits), measure, amount)

    def include(self, others: "Facts", *, sign: int = 1) -> None:
        for place, amounts in others.sums.items():
            for measure, amount in amounts.items():
                self._put(place, measure, sign * amount)

    def _put(self, place: Place, measure: Measure, amount: int) -> None:
        amounts = self.sums.setdefault(place, {})
        amounts[measure] = amounts.get(measure, 0) + amount

    def deltas(self) -> Sequence[Delta]:
        """All that is not zero."""
        found = ((place, _nonzero(amounts)) for place, amounts in self.sums.items())
        return [Delta(at=at, traits=traits, amounts=amounts) for (at, traits), amounts in found if amounts]


def difference(before: Facts, after: Facts) -> Sequence[Delta]:
    """What must be added to the sums, where they hold the facts before."""
    change = Facts()
    change.include(after)
    change.include(before, sign=-1)
    return change.deltas()


def quarter_of(at: datetime) -> datetime:
    """The quarter of an hour in which a moment lies."""
    return at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)


def _nonzero(amounts: Mapping[Measure, int]) -> Mapping[Measure, int]:
    return {measure: amount for measure, amount in amounts.items() if amount}
