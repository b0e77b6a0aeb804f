"""What breaks the money invariants, and the record of their checks."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from domain.invariants import Breaches, InvariantCheck, InvariantName


class Invariants(Protocol):
    async def breaches(self, name: InvariantName, *, left_behind: datetime, limit: int) -> Breaches:
        """
        What breaks the invariant, of which so many are named; what was touched after `left_behind` may be under way.

        Raises KeyError for one that no statement can check.
        """
        ...

    async def record(self, checks: Sequence[InvariantCheck]) -> None:
        """In the place of all earlier ones."""
        ...

    async def checks(self) -> Sequence[InvariantCheck]:
        """The last ones, by name."""
        ...
