"""Statistics for admins, and what keeps them up to date and right."""

from dataclasses import dataclass
from typing import Final

from domain.actor import Actor, Role
from domain.ports import Clock, RecountableDatabase
from domain.statistics.question import StatsQuestion
from domain.statistics.rebuilding import recount
from domain.statistics.report import StatsReport, report_of

FOLDED_AT_ONCE: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticsService:
    """`is_live` is whether live money is counted, or test money."""

    database: RecountableDatabase
    clock: Clock
    is_live: bool

    async def report(self, actor: Actor, question: StatsQuestion) -> StatsReport:
        """Exact at the moment of the answer: what is not folded yet is counted too. Admins only."""
        actor.must_be({Role.ADMIN})
        async with self.database.reads() as reads:
            found = await reads.statistics.sums(question.sums(livemode=self.is_live))
        return report_of(question, found, at=self.clock())

    async def fold(self) -> int:
        """Add what was appended to the stored sums. How many deltas there were; none while somebody else folds."""
        folded = 0
        while True:
            async with self.database.work() as work:
                number = await work.statistics.fold(limit=FOLDED_AT_ONCE)
            folded += number
            if number < FOLDED_AT_ONCE:
                return folded

    async def rebuild(self) -> int:
        """
        Count everything anew, and return how many objects there were.

        What others write meanwhile is appended as ever, and counts on top of what is found here; readers see the
        former sums until the last moment.
        """
        async with self.database.recount() as work:
            return await recount(work)
