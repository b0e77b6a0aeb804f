import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from domain.commands.subscriptions.create_subscription import CreateSubscription
from domain.decline import DeclineCategory
from domain.errors import (
    AlreadySubscribed,
    Declined,
    DomainError,
    Forbidden,
    InvalidInput,
    KeyInProgress,
    NotFound,
    StateConflict,
    TrialUsed,
)
from domain.operation import ObjectKind, OperationState
from domain.outcome import NextActionKind
from domain.payment_status import PaymentStatus, PaymentTrigger
from domain.subscription_status import SubscriptionStatus
from gateway.wiring import Gateway
from sandbox import Sandbox
from tests.dashboard import Dashboard
from tests.domain.shopping import Cardholder, Post, captures
from tests.domain.subscriptions.subscribing import Subscriber, at_stripe, live_at_stripe

TRIAL: dict[str, Any] = {"recurring": {"interval": "month", "trial_period_days": 14}}


class TestCreateSubscription:
    async def test_pays_the_first_period_with_the_default_card(
        self, subscriber: Subscriber, sandbox: Sandbox
    ) -> None:
        await subscriber.saves()
        plan = await subscriber.plan()

        executed = await subscriber.does(CreateSubscription(plan_id=plan, details={"from": "banner"}))

        subscription = await subscriber.of(executed)
        assert executed.operation.state is OperationState.SUCCEEDED
        assert executed.operation.object_kind is ObjectKind.SUBSCRIPTION
        assert (subscription.status, subscription.plan_id) == (SubscriptionStatus.ACTIVE, plan)
        assert subscription.details == {"from": "banner"}
        assert subscription.paid_through == subscription.current_period_end
        charge = await subscriber.charge(subscription)
        assert (charge.status, charge.amount) == (PaymentStatus.COMPLETED, 1500)
        assert (charge.trigger, charge.subscription_id) == (
            PaymentTrigger.SUBSCRIPTION_START,
            subscription.id,
        )
        assert sandbox.ledger()["totals"]["amount_captured"] == {"usd": 1500}

    async def test_without_a_named_card_follows_the_default_one(
        self, subscriber: Subscriber, sandbox: Sandbox
    ) -> None:
        card = await subscriber.method(await subscriber.saves())

        subscription = await subscriber.subscribes(await subscriber.plan())

        there = at_stripe(sandbox, subscription)
        customer = sandbox.objects.find("customer", subscription.processor_customer_id)
        assert customer is not None
        assert (subscription.payment_method_id, there["default_payment_method"]) == (None, None)
        assert customer["invoice_settings"]["default_payment_method"] == card.processor_method_id

    async def test_sticks_to_a_named_card(self, subscriber: Subscriber, sandbox: Sandbox) -> None:
        await subscriber.saves()
        named = await subscriber.method(await subscriber.saves("pm_card_mastercard"))

        subscription = await subscriber.subscribes(await subscriber.plan(), payment_method_id=named.id)

        assert subscription.payment_method_id == named.id
        assert at_stripe(sandbox, subscription)["default_payment_method"] == named.processor_method_id
        assert (await subscriber.charge(subscription)).payment_method_id == named.id

    async def test_names_our_ids_at_stripe(self, subscriber: Subscriber, sandbox: Sandbox) -> None:
        await subscriber.saves()

        subscription = await subscriber.subscribes(await subscriber.plan())

        assert at_stripe(sandbox, subscription)["metadata"] == {
            "subscription_id": str(subscription.id),
            "user_id": str(subscriber.actor.user_id),
        }

    async def test_by_an_admin_is_the_users(self, subscriber: Subscriber, clerk: Subscriber) -> None:
        await subscriber.saves()
        plan = await subscriber.plan()

        subscription = await clerk.subscribes(plan, owner=subscriber.actor.user_id)

        assert subscription.user_id == subscriber.actor.user_id

    async def test_for_others_is_for_admins(self, subscriber: Subscriber, other: Subscriber) -> None:
        with pytest.raises(Forbidden):
            await other.subscribes(await subscriber.plan(), owner=subscriber.actor.user_id)

    async def test_of_a_free_plan_needs_no_card(self, subscriber: Subscriber) -> None:
        subscription = await subscriber.subscribes(await subscriber.plan(0))

        assert subscription.status is SubscriptionStatus.ACTIVE

    async def test_without_a_card_asks_for_one(self, subscriber: Subscriber) -> None:
        with pytest.raises(InvalidInput, match="no default payment method"):
            await subscriber.subscribes(await subscriber.plan())

    async def test_to_an_unknown_plan_finds_none(self, subscriber: Subscriber) -> None:
        with pytest.raises(NotFound, match="no such plan"):
            await subscriber.subscribes(uuid4())

    async def test_to_a_plan_off_sale_is_refused(
        self, subscriber: Subscriber, dashboard: Dashboard, post: Post
    ) -> None:
        await subscriber.saves()
        price = await dashboard.sells()
        await subscriber.gateway.services.plans.know(price.id)
        await dashboard.client.v1.prices.update_async(price.id, {"active": False})
        await post.deliver_all()
        [plan] = await dashboard.plans()

        with pytest.raises(StateConflict, match="not offered") as refusal:
            await subscriber.subscribes(plan.id)

        assert refusal.value.current == "INACTIVE"

    async def test_with_another_users_card_finds_none(
        self, subscriber: Subscriber, other: Subscriber
    ) -> None:
        card = await other.saves()

        with pytest.raises(NotFound, match="no such payment method"):
            await subscriber.subscribes(await subscriber.plan(), payment_method_id=card)


class TestFirstCharge:
    async def test_declined_leaves_it_incomplete(self, subscriber: Subscriber, sandbox: Sandbox) -> None:
        await subscriber.saves("pm_card_chargeCustomerFail")

        executed = await subscriber.does(CreateSubscription(plan_id=await subscriber.plan()))

        subscription = await subscriber.of(executed)
        assert subscription.status is SubscriptionStatus.INCOMPLETE
        assert isinstance(executed.operation.verdict, Declined)
        assert executed.operation.verdict.decline.category is DeclineCategory.GENERIC
        assert (await subscriber.charge(subscription)).status is PaymentStatus.FAILED
        assert captures(sandbox) == 0

    async def test_that_needs_authentication_is_no_error(
        self, subscriber: Subscriber, gateway: Gateway, cardholder: Cardholder, post: Post
    ) -> None:
        await subscriber.saves("pm_card_authenticationRequired")

        executed = await subscriber.does(CreateSubscription(plan_id=await subscriber.plan()))

        subscription = await subscriber.of(executed)
        charge = await subscriber.charge(subscription)
        assert executed.operation.state is OperationState.SUCCEEDED
        assert subscription.status is SubscriptionStatus.INCOMPLETE
        assert charge.status is PaymentStatus.REQUIRES_ACTION
        action = await gateway.services.payments.next_action(subscriber.actor, charge)
        assert action is not None
        assert action.kind is NextActionKind.USE_STRIPE_SDK
        await cardholder.answers(charge.processor_payment_id or "")
        await post.deliver_all()
        assert (await subscriber.subscription(subscription.id)).status is SubscriptionStatus.ACTIVE


class TestSecondSubscription:
    async def test_to_the_same_plan_names_the_first(self, subscriber: Subscriber) -> None:
        await subscriber.saves()
        plan = await subscriber.plan()
        first = await subscriber.subscribes(plan)

        with pytest.raises(AlreadySubscribed) as refusal:
            await subscriber.subscribes(plan)

        assert refusal.value.existing_id == first.id
        assert refusal.value.current == SubscriptionStatus.ACTIVE

    async def test_to_another_plan_stands_beside_it(self, subscriber: Subscriber) -> None:
        await subscriber.saves()

        both = [await subscriber.subscribes(await subscriber.plan()) for _ in range(2)]

        assert [each.status for each in both] == [SubscriptionStatus.ACTIVE] * 2

    async def test_at_the_same_moment_under_another_key_is_refused(
        self, subscriber: Subscriber, sandbox: Sandbox
    ) -> None:
        await subscriber.saves()
        plan = await subscriber.plan()

        results = await asyncio.gather(
            *(subscriber.subscribes(plan, key=f"key-{number:05}") for number in range(10)),
            return_exceptions=True,
        )

        refusals = [result for result in results if isinstance(result, Exception)]
        assert len(refusals) == 9
        assert all(isinstance(refusal, AlreadySubscribed) for refusal in refusals)
        assert len(live_at_stripe(sandbox)) == 1
        assert captures(sandbox) == 1


class TestIdenticalRequests:
    async def test_fifty_at_once_subscribe_once(self, subscriber: Subscriber, sandbox: Sandbox) -> None:
        await subscriber.saves()
        plan = await subscriber.plan()

        results = await asyncio.gather(
            *(subscriber.subscribes(plan, key="subscribe-17") for _ in range(50)), return_exceptions=True
        )

        made = {result.id for result in results if not isinstance(result, BaseException)}
        refusals = [result for result in results if isinstance(result, BaseException)]
        assert len(made) == 1
        assert all(isinstance(refusal, KeyInProgress) for refusal in refusals)
        assert len(live_at_stripe(sandbox)) == 1
        assert captures(sandbox) == 1


class TestTrial:
    async def test_of_the_plan_is_free_until_it_ends(self, subscriber: Subscriber, sandbox: Sandbox) -> None:
        sandbox.clock.freeze()
        await subscriber.saves()

        subscription = await subscriber.subscribes(await subscriber.plan(**TRIAL))

        assert subscription.status is SubscriptionStatus.TRIALING
        assert subscription.trial_ends_at == subscription.created_at + timedelta(days=14)
        assert captures(sandbox) == 0

    async def test_may_be_declined_by_the_customer(self, subscriber: Subscriber) -> None:
        await subscriber.saves()

        subscription = await subscriber.subscribes(await subscriber.plan(**TRIAL), uses_trial=False)

        assert subscription.status is SubscriptionStatus.ACTIVE

    async def test_is_one_per_person(self, subscriber: Subscriber) -> None:
        await subscriber.saves()
        await subscriber.subscribes(await subscriber.plan(**TRIAL))
        second = await subscriber.plan(**TRIAL)

        with pytest.raises(TrialUsed) as refusal:
            await subscriber.subscribes(second)

        assert refusal.value.path == ("use_trial",)
        paid = await subscriber.subscribes(second, uses_trial=False)
        assert paid.status is SubscriptionStatus.ACTIVE

    async def test_is_one_per_card(self, subscriber: Subscriber, other: Subscriber) -> None:
        plan = await subscriber.plan(**TRIAL)
        for customer in (subscriber, other):
            await customer.saves()
        await subscriber.subscribes(plan)

        with pytest.raises(TrialUsed):
            await other.subscribes(plan)

    async def test_that_was_refused_leaves_nothing_behind(
        self, subscriber: Subscriber, other: Subscriber
    ) -> None:
        plan = await subscriber.plan(**TRIAL)
        for customer in (subscriber, other):
            await customer.saves()
        await subscriber.subscribes(plan)
        with pytest.raises(TrialUsed):
            await other.subscribes(plan)

        assert (await other.subscribes(plan, uses_trial=False)).status is SubscriptionStatus.ACTIVE

    async def test_is_given_back_when_stripe_refuses(
        self, subscriber: Subscriber, dashboard: Dashboard
    ) -> None:
        await subscriber.saves()
        price = await dashboard.sells(**TRIAL)
        await subscriber.gateway.services.plans.know(price.id)
        [plan] = await dashboard.plans()
        await dashboard.client.v1.prices.update_async(price.id, {"active": False})

        executed = await subscriber.does(CreateSubscription(plan_id=plan.id))

        refused = await subscriber.of(executed)
        assert executed.operation.state is OperationState.FAILED
        assert refused.status is SubscriptionStatus.EXPIRED
        assert isinstance(executed.operation.verdict, DomainError)
        await dashboard.client.v1.prices.update_async(price.id, {"active": True})
        assert (await subscriber.subscribes(plan.id)).status is SubscriptionStatus.TRIALING
