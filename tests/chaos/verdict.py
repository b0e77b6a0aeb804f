"""What clients were told, what our database says and what Stripe's ledger says, and where they differ."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """
    Of one wish: how often Stripe carried it out, whether our database says it was done, or does not know yet,
    and whether the client was told that it was done; None where it was told nothing.
    """

    executed: int
    is_recorded: bool
    is_open: bool
    told: bool | None
    must_be_told: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Counts of wishes. A refund twice is charged twice, too: it costs the shop instead of the buyer."""

    tried: int = 0
    charged_twice: int = 0
    lost: int = 0
    phantom: int = 0
    unresolved: int = 0

    @classmethod
    def of(cls, facts: Iterable[Facts]) -> Self:
        known = list(facts)
        return cls(
            tried=len(known),
            charged_twice=sum(each.executed > 1 for each in known),
            lost=sum(each.executed > 0 and not each.is_recorded for each in known),
            phantom=sum(each.executed == 0 and (each.is_recorded or each.told is True) for each in known),
            unresolved=sum(each.is_open or (each.must_be_told and each.told is None) for each in known),
        )

    def __add__(self, other: "Verdict") -> "Verdict":
        return Verdict(
            tried=self.tried + other.tried,
            charged_twice=self.charged_twice + other.charged_twice,
            lost=self.lost + other.lost,
            phantom=self.phantom + other.phantom,
            unresolved=self.unresolved + other.unresolved,
        )

    @property
    def holds(self) -> bool:
        return not (self.charged_twice or self.lost or self.phantom or self.unresolved)

    def __str__(self) -> str:
        return (
            f"{self.charged_twice} charged twice, {self.lost} charged and lost, "
            f"{self.phantom} said but not charged, {self.unresolved} unresolved"
        )
