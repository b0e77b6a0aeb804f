from typing import Any

import pytest
from stripe import Customer, InvalidRequestError, Price, StripeClient, Subscription, SubscriptionSchedule

from sandbox import Sandbox
from tests.sandbox.billing import (
    DRAFT,
    MONTH_END,
    change,
    go_to,
    invoices_of,
    item_of,
    moment,
    period_of,
    plan,
    read,
)
from tests.sandbox.payments import event_types

START = moment("2027-04-01T00:00:00")


@pytest.fixture
async def schedule(client: StripeClient, subscription: Subscription) -> SubscriptionSchedule:
    return await client.v1.subscription_schedules.create_async({"from_subscription": subscription.id})


async def then(
    client: StripeClient,
    schedule: SubscriptionSchedule,
    now: Price,
    later: Price,
    *,
    at: int = MONTH_END,
    **settings: Any,
) -> SubscriptionSchedule:
    """This price until that moment, and the other one afterwards."""
    phases: Any = [
        {"items": [{"price": now.id}], "start_date": START, "end_date": at},
        {"items": [{"price": later.id}], **settings},
    ]
    return await client.v1.subscription_schedules.update_async(
        schedule.id, {"phases": phases, "end_behavior": "release"}
    )


class TestCreate:
    async def test_the_present_terms_are_the_first_phase(
        self, client: StripeClient, subscription: Subscription, basic: Price, schedule: SubscriptionSchedule
    ) -> None:
        [phase] = schedule.phases

        assert (schedule.status, schedule.subscription) == ("active", subscription.id)
        assert (phase.start_date, phase.end_date) == (START, MONTH_END)
        assert phase.to_dict()["items"][0]["price"] == basic.id
        assert (await read(client, subscription)).schedule == schedule.id
        assert "subscription_schedule.created" in await event_types(client)

    async def test_one_is_enough(
        self, client: StripeClient, subscription: Subscription, schedule: SubscriptionSchedule
    ) -> None:
        with pytest.raises(InvalidRequestError):
            await client.v1.subscription_schedules.create_async({"from_subscription": subscription.id})

    async def test_it_alone_decides_how_the_subscription_ends(
        self, client: StripeClient, subscription: Subscription, schedule: SubscriptionSchedule
    ) -> None:
        with pytest.raises(InvalidRequestError):
            await change(client, subscription, cancel_at_period_end=True)


class TestPhases:
    async def test_a_plan_changes_when_its_period_is_over(
        self,
        client: StripeClient,
        sandbox: Sandbox,
        subscription: Subscription,
        basic: Price,
        pro: Price,
        schedule: SubscriptionSchedule,
    ) -> None:
        planned = await then(client, schedule, basic, pro)
        assert [phase.end_date for phase in planned.phases] == [MONTH_END, moment("2027-06-01T00:00:00")]

        go_to(sandbox, MONTH_END + DRAFT)

        changed = await read(client, subscription)
        assert (item_of(changed).price.id, item_of(changed).id) == (pro.id, item_of(subscription).id)
        assert period_of(changed) == ("2027-05-01", "2027-06-01")
        assert [one.total for one in await invoices_of(client, subscription)] == [3000, 9000]

    async def test_a_plan_may_change_to_another_interval(
        self,
        client: StripeClient,
        sandbox: Sandbox,
        subscription: Subscription,
        basic: Price,
        schedule: SubscriptionSchedule,
    ) -> None:
        yearly = await plan(client, 60_000, "year")
        await then(client, schedule, basic, yearly)

        go_to(sandbox, MONTH_END + DRAFT)

        assert period_of(await read(client, subscription)) == ("2027-05-01", "2028-05-01")
        assert [one.total for one in await invoices_of(client, subscription)] == [3000, 60_000]

    async def test_a_price_that_is_sold_no_more_may_go_on(
        self, client: StripeClient, basic: Price, pro: Price, schedule: SubscriptionSchedule
    ) -> None:
        await client.v1.prices.update_async(basic.id, {"active": False})

        planned = await then(client, schedule, basic, pro)

        assert len(planned.phases) == 2
        with pytest.raises(InvalidRequestError):
            await then(client, schedule, pro, await plan(client, active=False))

    async def test_it_lets_go_after_the_last_phase(
        self,
        client: StripeClient,
        sandbox: Sandbox,
        subscription: Subscription,
        basic: Price,
        pro: Price,
        schedule: SubscriptionSchedule,
    ) -> None:
        await then(client, schedule, basic, pro)

        go_to(sandbox, moment("2027-06-01T00:00:00") + DRAFT)

        done = await client.v1.subscription_schedules.retrieve_async(schedule.id)
        after = await read(client, subscription)
        assert (done.status, done.released_at) == ("released", moment("2027-06-01T00:00:00"))
        assert (done.subscription, done.released_subscription) == (None, subscription.id)
        assert (after.schedule, item_of(after).price.id, after.status) == (None, pro.id, "active")
        assert [one.total for one in await invoices_of(client, subscription)] == [3000, 9000, 9000]

    @pytest.mark.parametrize(
        ("proration", "totals"),
        [
            ("always_invoice", [3000, 2000, 9000]),
            ("create_prorations", [3000, 11_000]),
            ("none", [3000, 9000]),
        ],
    )
    async def test_a_change_within_a_period_is_prorated_as_asked(
        self,
        client: StripeClient,
        sandbox: Sandbox,
        subscription: Subscription,
        basic: Price,
        pro: Price,
        schedule: SubscriptionSchedule,
        proration: str,
        totals: list[int],
    ) -> None:
        at = moment("2027-04-21T00:00:00")
        duration = {"interval": "year"}
        await then(client, schedule, basic, pro, at=at, proration_behavior=proration, duration=duration)

        go_to(sandbox, MONTH_END + DRAFT)

        assert [one.total for one in await invoices_of(client, subscription)] == totals

    @pytest.mark.parametrize(
        "wrong",
        [
            [{"items": [{"price": "basic"}]}, {"items": [{"price": "basic"}]}],
            [{"items": [{"price": "basic"}], "start_date": START + 1, "end_date": MONTH_END}],
            [{"items": [{"price": "basic"}], "end_date": START}],
            [
                {"items": [{"price": "basic"}], "end_date": MONTH_END},
                {"items": [{"price": "basic"}], "start_date": MONTH_END + 9},
            ],
        ],
    )
    async def test_must_follow_one_another(
        self, client: StripeClient, basic: Price, schedule: SubscriptionSchedule, wrong: Any
    ) -> None:
        phases: Any = [{**phase, "items": [{"price": basic.id}]} for phase in wrong]

        with pytest.raises(InvalidRequestError):
            await client.v1.subscription_schedules.update_async(schedule.id, {"phases": phases})


class TestEnd:
    async def test_released_the_subscription_stays_as_it_is(
        self,
        client: StripeClient,
        sandbox: Sandbox,
        subscription: Subscription,
        basic: Price,
        pro: Price,
        schedule: SubscriptionSchedule,
    ) -> None:
        await then(client, schedule, basic, pro)

        released = await client.v1.subscription_schedules.release_async(schedule.id)
        go_to(sandbox, MONTH_END + DRAFT)

        after = await read(client, subscription)
        assert (released.status, after.schedule, item_of(after).price.id) == ("released", None, basic.id)
        with pytest.raises(InvalidRequestError):
            await client.v1.subscription_schedules.release_async(schedule.id)

    async def test_cancelled_it_takes_the_subscription_along(
        self, client: StripeClient, subscription: Subscription, schedule: SubscriptionSchedule
    ) -> None:
        canceled = await client.v1.subscription_schedules.cancel_async(schedule.id, {"prorate": False})

        assert (canceled.status, (await read(client, subscription)).status) == ("canceled", "canceled")

    async def test_it_ends_with_the_subscription(
        self, client: StripeClient, ada: Customer, subscription: Subscription, schedule: SubscriptionSchedule
    ) -> None:
        ended = await client.v1.subscriptions.cancel_async(subscription.id)

        [listed] = (await client.v1.subscription_schedules.list_async({"customer": ada.id})).data
        assert (ended.schedule, listed.id, listed.status) == (None, schedule.id, "canceled")
        assert (await event_types(client))[-2:] == [
            "subscription_schedule.canceled",
            "customer.subscription.deleted",
        ]
