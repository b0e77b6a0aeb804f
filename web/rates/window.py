"""What was taken of a quota within the last minute, as a sliding window counts it."""

import math
from dataclasses import dataclass
from typing import Final

SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Window:
    """
    The running minute and the one before, of which the part counts that has not been over for a minute.

    In the order in which limits' storages tell them. A time to live is that of the counter: the former one's lasts as
    long as it counts, and the running one's for a minute more than it runs.
    """

    former: int
    former_seconds: float
    running: int
    running_seconds: float

    @property
    def taken(self) -> int:
        return math.floor(self.former * self.former_seconds / SECONDS + self.running)

    @property
    def ends_in(self) -> int:
        """Whole seconds until the running minute ends."""
        return max(0, math.ceil(self.running_seconds - SECONDS))

    def wait(self, quota: int, amount: int) -> int:
        """
        After how many whole seconds so much may be taken of the quota, if nobody takes anything meanwhile.

        At most as much as the quota is.
        """
        bound = quota - amount + 1
        if self.taken < bound:
            return 0
        if self.running < bound:
            rest = self.former_seconds - SECONDS * (bound - self.running) / self.former
        else:
            rest = self.running_seconds - SECONDS * bound / self.running
        return math.floor(rest) + 1
