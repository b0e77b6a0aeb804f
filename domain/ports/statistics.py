"""Where the statistics keep their sums."""

from collections.abc import Sequence
from typing import Protocol

from domain.statistics.facts import Delta
from domain.statistics.question import SumsFound, SumsWanted


class Statistics(Protocol):
    """
    Deltas are only ever appended, so that writers never wait for each other; folding adds them to stored sums, and
    an answer is made of both, as one statement sees them.
    """

    async def append(self, deltas: Sequence[Delta]) -> None:
        """In the transaction of the change that they tell."""
        ...

    async def sums(self, wanted: SumsWanted) -> Sequence[SumsFound]: ...
    async def fold(self, *, limit: int) -> int:
        """Move at most so many deltas into the stored sums. How many; none while somebody else does."""
        ...

    async def clear(self) -> None:
        """Forget every delta and all stored sums."""
        ...

    async def add(self, deltas: Sequence[Delta]) -> None:
        """Straight to the stored sums of quarters of an hour; `summarise` must follow the last ones."""
        ...

    async def summarise(self) -> None:
        """Make the sums of longer blocks out of those of quarters."""
        ...
