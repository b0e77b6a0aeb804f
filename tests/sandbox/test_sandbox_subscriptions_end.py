from typing import Any

import pytest
from stripe import Customer, InvalidRequestError, StripeClient, Subscription

from sandbox import Sandbox
from tests.sandbox.billing import (
    HALFWAY,
    MONTH_END,
    change,
    events_of,
    go_to,
    invoices_of,
    moment,
    period_of,
    plan,
    read,
    switched,
)
from tests.sandbox.payments import event_types, previous_attributes


class TestAtOnce:
    async def test_ends_now_and_for_good(
        self, client: StripeClient, sandbox: Sandbox, subscription: Subscription
    ) -> None:
        details: Any = {"comment": "Too much noise", "feedback": "unused"}

        ended = await client.v1.subscriptions.cancel_async(subscription.id, {"cancellation_details": details})

        assert (ended.status, ended.canceled_at, ended.ended_at) == ("canceled", HALFWAY, HALFWAY)
        assert ended.cancellation_details is not None
        assert ended.cancellation_details.to_dict() == {**details, "reason": "cancellation_requested"}
        assert (await event_types(client))[-1] == "customer.subscription.deleted"
        go_to(sandbox, moment("2028-01-01T00:00:00"))
        assert len(await invoices_of(client, subscription)) == 1
        with pytest.raises(InvalidRequestError) as gone:
            await client.v1.subscriptions.cancel_async(subscription.id)
        assert gone.value.code == "resource_missing"

    async def test_the_rest_can_be_given_back_as_credit(
        self, client: StripeClient, ada: Customer, subscription: Subscription
    ) -> None:
        await client.v1.subscriptions.cancel_async(subscription.id, {"prorate": True, "invoice_now": True})

        last = (await invoices_of(client, subscription))[-1]
        assert (last.total, last.status) == (-1500, "paid")
        assert (await client.v1.customers.retrieve_async(ada.id)).balance == -1500

    async def test_what_is_open_is_no_longer_collected(
        self, client: StripeClient, sandbox: Sandbox, subscription: Subscription
    ) -> None:
        go_to(sandbox, MONTH_END)

        await client.v1.subscriptions.cancel_async(subscription.id)
        sandbox.advance(86_400)

        assert [one.status for one in await invoices_of(client, subscription)] == ["paid", "draft"]
        assert sandbox.ledger()["totals"]["captures"] == 1

    async def test_a_deleted_customer_takes_theirs_along(
        self, client: StripeClient, sandbox: Sandbox, ada: Customer, subscription: Subscription
    ) -> None:
        await client.v1.customers.delete_async(ada.id)
        go_to(sandbox, moment("2028-01-01T00:00:00"))

        assert (await read(client, subscription)).status == "canceled"
        assert len(await invoices_of(client, subscription)) == 1
        assert (await event_types(client))[-2:] == ["customer.subscription.deleted", "customer.deleted"]


class TestAtPeriodEnd:
    async def test_is_announced_and_then_happens(
        self, client: StripeClient, sandbox: Sandbox, subscription: Subscription
    ) -> None:
        planned = await change(client, subscription, cancel_at_period_end=True)

        assert (planned.status, planned.cancel_at, planned.canceled_at) == ("active", MONTH_END, HALFWAY)
        assert await previous_attributes(client, "customer.subscription.updated") == {
            "cancel_at": None,
            "cancel_at_period_end": False,
            "canceled_at": None,
            "cancellation_details": {"reason": None},
        }
        go_to(sandbox, MONTH_END + 90_000)
        ended = await read(client, subscription)
        assert (ended.status, ended.ended_at, ended.canceled_at) == ("canceled", MONTH_END, HALFWAY)
        assert ended.cancel_at_period_end
        assert len(await invoices_of(client, subscription)) == 1
        assert await events_of(client, "invoice.upcoming") == []

    async def test_can_be_taken_back(
        self, client: StripeClient, sandbox: Sandbox, subscription: Subscription
    ) -> None:
        await change(client, subscription, cancel_at_period_end=True)

        kept = await change(client, subscription, cancel_at_period_end=False)
        go_to(sandbox, MONTH_END + 90_000)

        assert (kept.cancel_at, kept.canceled_at) == (None, None)
        assert kept.cancellation_details is not None
        assert kept.cancellation_details.reason is None
        assert period_of(await read(client, subscription)) == ("2027-05-01", "2027-06-01")

    async def test_prorations_that_waited_are_still_settled(
        self, client: StripeClient, sandbox: Sandbox, subscription: Subscription
    ) -> None:
        await change(client, subscription, items=switched(subscription, await plan(client, 9000)))
        await change(client, subscription, cancel_at_period_end=True)

        go_to(sandbox, MONTH_END)

        last = (await invoices_of(client, subscription))[-1]
        assert (last.total, last.status) == (3000, "paid")


class TestAtAMoment:
    async def test_ends_then(
        self, client: StripeClient, sandbox: Sandbox, subscription: Subscription
    ) -> None:
        await change(client, subscription, cancel_at=moment("2027-07-10T00:00:00"))

        go_to(sandbox, moment("2027-12-01T00:00:00"))

        ended = await read(client, subscription)
        assert (ended.status, ended.ended_at) == ("canceled", moment("2027-07-10T00:00:00"))
        assert len(await invoices_of(client, subscription)) == 4

    async def test_can_be_cleared(self, client: StripeClient, subscription: Subscription) -> None:
        await change(client, subscription, cancel_at="max_period_end")

        cleared = await change(client, subscription, cancel_at="")

        assert (cleared.cancel_at, cleared.canceled_at) == (None, None)
