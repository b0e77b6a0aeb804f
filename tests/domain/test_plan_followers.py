"""A plan that changes reaches those who subscribe to it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import pytest

from domain import plan_followers
from domain.access import AccessReason, Entitlement
from domain.account import BillingAccount
from domain.identity import new_id
from domain.plan import Plan
from domain.plan_followers import PlanFollowers
from domain.subscription_status import SubscriptionStatus
from gateway.wiring import Gateway
from tests.domain.access_values import Books, a_plan, a_subscription
from tests.domain.values import NOON

NUMBER = 7


@dataclass(frozen=True, kw_only=True)
class Subscribers:
    """Of one plan, each with a user of its own."""

    books: Books
    plan: Plan
    users: list[UUID]

    async def rows(self, feature: str) -> list[Entitlement]:
        async with self.books.database.reads() as reads:
            found = await reads.entitlements.of_users(self.users, owner=None)
        return [row for rows in found.values() for row in rows if row.feature == feature]

    async def plan_has(self, *features: str) -> None:
        async with self.books.database.work() as work:
            await work.plans.save(replace(self.plan, features=list(features)))


@pytest.fixture
def followers(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> PlanFollowers:
    """With batches that are smaller than the subscribers are many."""
    monkeypatch.setattr(plan_followers, "AT_ONCE", 3)
    return gateway.plan_followers


@pytest.fixture
async def subscribers(books: Books) -> Subscribers:
    plan = a_plan("hd", "downloads")
    await books.offers(plan)
    users = [new_id() for _ in range(NUMBER)]
    await opened(books, users)
    for user_id in users:
        await books.subscribes(a_subscription(plan, user_id=user_id))
    return Subscribers(books=books, plan=plan, users=users)


async def opened(books: Books, users: Sequence[UUID]) -> None:
    async with books.database.work() as work:
        for user_id in users:
            await work.accounts.ensure(BillingAccount(user_id=user_id, created_at=NOON, updated_at=NOON))


class TestFollowing:
    async def test_brings_new_features_to_every_subscriber_and_ends_the_former(
        self, subscribers: Subscribers, followers: PlanFollowers
    ) -> None:
        await subscribers.plan_has("hd", "4k")

        followed = await followers.follow(subscribers.plan.id)

        assert followed == NUMBER
        assert {row.user_id for row in await subscribers.rows("4k")} == set(subscribers.users)
        ended, kept = await subscribers.rows("downloads"), await subscribers.rows("hd")
        assert {row.revoked_reason for row in ended} == {AccessReason.SUBSCRIPTION_ENDED}
        assert {row.version for row in kept} == {1}

    async def test_twice_changes_nothing_more(
        self, subscribers: Subscribers, followers: PlanFollowers
    ) -> None:
        await subscribers.plan_has("4k")
        await followers.follow(subscribers.plan.id)
        first = [await subscribers.rows(feature) for feature in ("hd", "4k")]

        await followers.follow(subscribers.plan.id)

        assert [await subscribers.rows(feature) for feature in ("hd", "4k")] == first

    async def test_leaves_those_alone_whose_subscription_has_ended(
        self, subscribers: Subscribers, followers: PlanFollowers
    ) -> None:
        former = new_id()
        await opened(subscribers.books, [former])
        ended = a_subscription(
            subscribers.plan, user_id=former, status=SubscriptionStatus.CANCELLED, ended_at=NOON
        )
        await subscribers.books.subscribes(ended)
        await subscribers.plan_has("hd", "4k")

        await followers.follow(subscribers.plan.id)

        assert former not in {row.user_id for row in await subscribers.rows("4k")}

    async def test_of_a_plan_that_nobody_has_does_nothing(
        self, books: Books, followers: PlanFollowers
    ) -> None:
        assert await followers.follow(new_id()) == 0
