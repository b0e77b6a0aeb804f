"""Checks the money invariants: for admins who ask, for the operator, and each night for the record."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from domain.access import AccessReason, Entitlement
from domain.actor import Actor, Role
from domain.entitlements import corrections
from domain.invariants import (
    SHOWN,
    YOUNG,
    Breach,
    Breaches,
    InvariantCheck,
    InvariantName,
    MoneyInvariant,
    Subject,
    judged,
)
from domain.plan import Plan
from domain.ports import Clock, Database, Reads
from domain.shared_answer import SharedAnswer
from domain.subscription import Subscription

AT_ONCE: Final = 250
"""Subscriptions that are looked at together: some 20 ms, for which a server answers nobody else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvariantService:
    database: Database
    clock: Clock
    underway: SharedAnswer[Sequence[MoneyInvariant]] = field(default_factory=SharedAnswer)

    async def report(self, actor: Actor) -> Sequence[MoneyInvariant]:
        """Every invariant, checked now, once for all who ask meanwhile. Raises Forbidden for all but admins."""
        actor.must_be({Role.ADMIN})
        return await self.underway.found_by(self._checked)

    async def check(self) -> Sequence[MoneyInvariant]:
        """Every invariant, checked now and for the record."""
        found = await self._checked()
        checks = [
            InvariantCheck(
                invariant=each.name.value, violations=each.violation_count, checked_at=each.checked_at
            )
            for each in found
        ]
        async with self.database.work() as work:
            await work.invariants.record(checks)
        return found

    async def _checked(self) -> Sequence[MoneyInvariant]:
        """All as of one moment, so that nothing that is being written seems to break them."""
        at = self.clock()
        async with self.database.snapshot() as reads:
            return [
                judged(name, await _breaches(reads, name, left_behind=at - YOUNG, at=at), at=at)
                for name in InvariantName
            ]


async def _breaches(reads: Reads, name: InvariantName, *, left_behind: datetime, at: datetime) -> Breaches:
    """What breaks it; what was touched after `left_behind` may still be under way."""
    if name is InvariantName.ACCESS_BY_SUBSCRIPTION:
        return await _wrong_access(reads, left_behind=left_behind, at=at)
    return await reads.invariants.breaches(name, left_behind=left_behind, limit=SHOWN)


async def _wrong_access(reads: Reads, *, left_behind: datetime, at: datetime) -> Breaches:
    """The rule is the one by which access is given: where following the facts again would change something."""
    count, first, last = 0, list[Breach](), None
    while page := await reads.subscriptions.after(last, limit=AT_ONCE):
        found = await _wrong_among(reads, page, left_behind=left_behind, at=at)
        count, last = count + len(found), page[-1].id
        first += found[: SHOWN - len(first)]
    return Breaches(count=count, first=first)


async def _wrong_among(
    reads: Reads, page: Sequence[Subscription], *, left_behind: datetime, at: datetime
) -> list[Breach]:
    plans = await reads.plans.by_ids(list({subscription.plan_id for subscription in page}))
    rows = await reads.entitlements.of_subscriptions([subscription.id for subscription in page])
    found = []
    for subscription in page:
        plan = plans[subscription.plan_id]
        if plan.updated_at > left_behind:
            continue  # The worker may still be bringing its features to its subscribers.
        if wrong := _wrong_features(subscription, plan, rows.get(subscription.id, ()), at=at):
            found.append(_breach(subscription.id, wrong))
    return found


def _wrong_features(
    subscription: Subscription, plan: Plan, rows: Sequence[Entitlement], *, at: datetime
) -> list[str]:
    differing = corrections(subscription, plan, rows, at=at)
    if subscription.has_ended:
        end = subscription.ended_at or subscription.updated_at
        differing = [(row, rightful) for row, rightful in differing if _outlasts(end, row)]
    return sorted(rightful.feature or "" for _, rightful in differing)


def _outlasts(end: datetime, row: Entitlement | None) -> bool:
    """
    Whether it gave access beyond the end.

    Nothing else is wrong there: a plan that changes afterwards reaches no subscription that has ended.
    """
    if row is None or row.revoked_reason is AccessReason.SUBSCRIPTION_ENDED:
        return False
    return row.ends_at is None or row.ends_at > end


def _breach(subscription_id: UUID, features: Sequence[str]) -> Breach:
    return Breach(
        subject=Subject.SUBSCRIPTION, object_id=subscription_id, facts={"features": ", ".join(features)}
    )
