"""A user pays for a plan once, whichever way their subscriptions come to it."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from domain.charge_preview import ChangeTiming
from domain.commands.subscriptions.change_plan import ChangePlan
from domain.commands.subscriptions.create_subscription import CreateSubscription
from domain.commands.subscriptions.ending import KeepSubscription
from domain.errors import AlreadySubscribed, Busy, DomainError
from domain.ports import Database
from domain.subscription import Subscription
from sandbox import Sandbox
from sandbox.control.faults import Kind
from tests.domain.faults import spoil
from tests.domain.subscriptions.subscribing import Subscriber, live_at_stripe

TIMINGS = pytest.mark.parametrize("timing", ChangeTiming)


def planned(subscription: Subscription, plan_id: UUID) -> ChangePlan:
    return ChangePlan(subscription_id=subscription.id, plan_id=plan_id, timing=ChangeTiming.PERIOD_END)


class TestAPlanThatASubscriptionWillBeTo:
    async def test_is_not_subscribed_to_again(
        self, subscriber: Subscriber, subscribed: Subscription, sandbox: Sandbox
    ) -> None:
        plan = await subscriber.plan(3000)
        await subscriber.made(planned(subscribed, plan))

        with pytest.raises(AlreadySubscribed) as refusal:
            await subscriber.subscribes(plan)

        assert refusal.value.existing_id == subscribed.id
        assert len(live_at_stripe(sandbox)) == 1

    @TIMINGS
    async def test_is_no_other_ones_next_plan(
        self, subscriber: Subscriber, subscribed: Subscription, timing: ChangeTiming
    ) -> None:
        plan = await subscriber.plan(3000)
        other = await subscriber.subscribes(await subscriber.plan(2000))
        await subscriber.made(planned(subscribed, plan))

        with pytest.raises(AlreadySubscribed) as refusal:
            await subscriber.made(ChangePlan(subscription_id=other.id, plan_id=plan, timing=timing))

        assert refusal.value.existing_id == subscribed.id

    async def test_is_not_subscribed_to_while_the_change_waits_for_the_cardholder(
        self, subscriber: Subscriber, subscribed: Subscription
    ) -> None:
        await subscriber.saves("pm_card_authenticationRequired", makes_default=True)
        plan = await subscriber.plan(3000)
        await subscriber.made(ChangePlan(subscription_id=subscribed.id, plan_id=plan))

        with pytest.raises(AlreadySubscribed):
            await subscriber.subscribes(plan)

    @pytest.mark.usefixtures("impatient")
    @TIMINGS
    async def test_is_not_subscribed_to_while_nobody_knows_what_became_of_the_change(
        self, subscriber: Subscriber, subscribed: Subscription, sandbox: Sandbox, timing: ChangeTiming
    ) -> None:
        plan = await subscriber.plan(3000)
        spoil(sandbox, "/v1/subscription", Kind.RESET_AFTER)
        await subscriber.does(ChangePlan(subscription_id=subscribed.id, plan_id=plan, timing=timing))
        sandbox.faults.clear()

        with pytest.raises(AlreadySubscribed):
            await subscriber.subscribes(plan)

    async def test_may_be_planned_again_for_the_same_one(
        self, subscriber: Subscriber, subscribed: Subscription
    ) -> None:
        plan = await subscriber.plan(3000)

        for _ in range(2):
            again = await subscriber.made(planned(subscribed, plan))

        assert again.pending_plan_id == plan

    async def test_is_free_once_the_change_is_taken_back(
        self, subscriber: Subscriber, subscribed: Subscription
    ) -> None:
        plan = await subscriber.plan(3000)
        await subscriber.made(planned(subscribed, plan))
        await subscriber.made(KeepSubscription(subscription_id=subscribed.id))

        fresh = await subscriber.subscribes(plan)

        assert fresh.plan_id == plan


class TestAtOnce:
    @TIMINGS
    async def test_a_change_and_a_new_subscription_end_in_one_to_the_plan(
        self, subscriber: Subscriber, subscribed: Subscription, timing: ChangeTiming
    ) -> None:
        plan = await subscriber.plan(3000)

        refusals = await self.refusals(
            subscriber,
            ChangePlan(subscription_id=subscribed.id, plan_id=plan, timing=timing),
            CreateSubscription(plan_id=plan),
        )

        assert [type(refusal) for refusal in refusals] == [AlreadySubscribed]
        assert await self.live_to(plan, subscriber) == 1

    async def test_two_changes_end_in_one_to_the_plan(
        self, subscriber: Subscriber, subscribed: Subscription
    ) -> None:
        plan = await subscriber.plan(3000)
        other = await subscriber.subscribes(await subscriber.plan(2000))

        refusals = await self.refusals(subscriber, planned(subscribed, plan), planned(other, plan))

        assert [type(refusal) for refusal in refusals] == [AlreadySubscribed]
        assert await self.live_to(plan, subscriber) == 1

    async def test_news_of_another_one_to_the_plan_make_a_new_one_wait(
        self, subscriber: Subscriber, subscribed: Subscription, database: Database
    ) -> None:
        plan = await subscriber.plan(3000)
        async with database.work() as news:
            held = await news.subscriptions.lock(subscribed.id)
            assert held is not None
            await news.subscriptions.save(held.changed(at=held.updated_at, plan_id=plan))
            creation = asyncio.create_task(subscriber.does(CreateSubscription(plan_id=plan)))
            await asyncio.wait([creation], timeout=0.3)

        with pytest.raises(Busy):
            await creation

    async def refusals(self, subscriber: Subscriber, *commands: Any) -> list[DomainError]:
        results = await asyncio.gather(*map(subscriber.does, commands), return_exceptions=True)
        assert all(isinstance(each, DomainError) for each in results if isinstance(each, BaseException))
        return [each for each in results if isinstance(each, DomainError)]

    async def live_to(self, plan: UUID, subscriber: Subscriber) -> int:
        async with subscriber.gateway.services.database.reads() as reads:
            live = await reads.subscriptions.live_of_user(subscriber.actor.known_id)
        return sum(plan in each.plan_ids for each in live)
