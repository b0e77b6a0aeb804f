"""What clients were told, what our database says and what Stripe's ledger says, and where they differ."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from enum import Enum
from operator import add
from typing import Self


class Word(Enum):
    """
    The last that a client was told of a wish: it is done, it is under way, or it will not be.

    After NO a client may wish for the same again, under a new key.
    """

    DONE = "done"
    UNDER_WAY = "under way"
    NO = "no"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """
    Of one wish: how often Stripe carried it out, whether our database says it was done, or does not know yet,
    and what the client was told; None where it was told nothing.
    """

    executed: int
    is_recorded: bool
    is_open: bool
    told: Word | None
    must_be_told: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Counts of wishes. A refund twice is charged twice, too: it costs the shop instead of the buyer."""

    tried: int = 0
    charged_twice: int = 0
    lost: int = 0
    phantom: int = 0
    denied: int = 0
    unresolved: int = 0

    @classmethod
    def of(cls, facts: Iterable[Facts]) -> Self:
        known = list(facts)
        return cls(
            tried=len(known),
            charged_twice=sum(each.executed > 1 for each in known),
            lost=sum(each.executed > 0 and not each.is_recorded for each in known),
            phantom=sum(
                each.executed == 0 and (each.is_recorded or each.told is Word.DONE) for each in known
            ),
            denied=sum(each.executed > 0 and each.told is Word.NO for each in known),
            unresolved=sum(each.is_open or (each.must_be_told and each.told is None) for each in known),
        )

    def __add__(self, other: "Verdict") -> "Verdict":
        return self._joined(other, add)

    def or_worse(self, other: "Verdict") -> "Verdict":
        """About the same wishes, at another time: what was wrong at either of them."""
        return self._joined(other, max)

    def _joined(self, other: "Verdict", join: Callable[[int, int], int]) -> "Verdict":
        counts = [each.name for each in fields(self)]
        return Verdict(**{name: join(getattr(self, name), getattr(other, name)) for name in counts})

    @property
    def holds(self) -> bool:
        return not (self.charged_twice or self.lost or self.phantom or self.denied or self.unresolved)

    def __str__(self) -> str:
        return (
            f"{self.charged_twice} charged twice, {self.lost} charged and lost, "
            f"{self.phantom} said but not charged, {self.denied} charged and denied, {self.unresolved} unresolved"
        )
