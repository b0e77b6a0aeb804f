"""Brings what has changed in a plan to those who subscribe to it."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from domain.actor import SYSTEM
from domain.entitlements import follow_subscription
from domain.ports import Clock, Database

AT_ONCE: Final = 50
"""Subscriptions per transaction, which holds their locks: news about one of them waits no longer than that takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFollowers:
    database: Database
    clock: Clock

    async def follow(self, plan_id: UUID) -> int:
        """
        Bring the plan's features to its live subscriptions, batch by batch. How many subscriptions it has.

        What is in line already is left alone, so a run that was cut short is simply begun again.
        """
        count, last = 0, None
        while batch := await self._follow_next(plan_id, after=last):
            count, last = count + len(batch), batch[-1]
        return count

    async def _follow_next(self, plan_id: UUID, *, after: UUID | None) -> list[UUID]:
        async with self.database.work() as work:
            batch = await work.subscriptions.lock_of_plan(plan_id, after=after, limit=AT_ONCE)
            for subscription in batch:
                await follow_subscription(work, subscription, at=self.clock(), by=SYSTEM)
        return [subscription.id for subscription in batch]
