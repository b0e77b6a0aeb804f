"""Brings access in line with what was paid, where something has gone past the code that keeps it so."""

from dataclasses import dataclass
from uuid import UUID

from domain.actor import SYSTEM
from domain.entitlements import follow_payment, follow_subscription
from domain.errors import NotFound
from domain.ports import Clock, Database


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessMending:
    database: Database
    clock: Clock

    async def mend(self, paid_by: UUID) -> None:
        """
        Have access follow this payment or subscription once more, which changes nothing where it is right.

        Raises NotFound where it is neither.
        """
        async with self.database.work() as work:
            if payment := await work.payments.lock(paid_by):
                await follow_payment(work, payment, at=self.clock(), by=SYSTEM)
            elif subscription := await work.subscriptions.lock(paid_by):
                await follow_subscription(work, subscription, at=self.clock(), by=SYSTEM)
            else:
                raise NotFound("There is no payment and no subscription with this id.")
