import time

import pytest
from stripe import Customer, Price, StripeClient, Subscription

from sandbox import Sandbox
from tests.sandbox.billing import (
    DAY,
    DRAFT,
    day,
    events_of,
    go_to,
    intent_of,
    invoice_of,
    invoices_of,
    moment,
    period_of,
    plan,
    read,
    stop_at,
    subscribe,
    subscriber,
)
from tests.sandbox.payments import event_types


@pytest.fixture
async def ada(client: StripeClient, sandbox: Sandbox) -> Customer:
    stop_at(sandbox, "2027-01-31T12:00:00")
    return await subscriber(client)


@pytest.fixture
async def basic(client: StripeClient) -> Price:
    return await plan(client, 1500)


@pytest.fixture
async def subscription(client: StripeClient, ada: Customer, basic: Price) -> Subscription:
    return await subscribe(client, ada, basic)


class TestRenewal:
    async def test_the_invoice_is_a_draft_for_an_hour(
        self, client: StripeClient, sandbox: Sandbox, subscription: Subscription
    ) -> None:
        due = moment("2027-02-28T12:00:00")

        go_to(sandbox, due)

        renewed = await read(client, subscription)
        invoice = invoice_of(renewed)
        assert (renewed.status, period_of(renewed)) == ("active", ("2027-02-28", "2027-03-31"))
        assert (invoice.status, invoice.billing_reason) == ("draft", "subscription_cycle")
        assert (invoice.automatically_finalizes_at, invoice.next_payment_attempt) == (
            due + DRAFT,
            due + DRAFT,
        )
        go_to(sandbox, due + DRAFT)
        paid = invoice_of(await read(client, subscription))
        assert (paid.status, paid.attempt_count, paid.created) == ("paid", 1, due)
        assert paid.status_transitions.paid_at == due + DRAFT

    async def test_a_year_passes_in_one_jump_and_each_thing_at_its_moment(
        self, client: StripeClient, sandbox: Sandbox, subscription: Subscription
    ) -> None:
        go_to(sandbox, moment("2028-01-31T13:00:00"))

        invoices = await invoices_of(client, subscription)
        assert [day(invoice.created) for invoice in invoices] == [
            "2027-01-31",
            "2027-02-28",
            "2027-03-31",
            "2027-04-30",
            "2027-05-31",
            "2027-06-30",
            "2027-07-31",
            "2027-08-31",
            "2027-09-30",
            "2027-10-31",
            "2027-11-30",
            "2027-12-31",
            "2028-01-31",
        ]
        assert {invoice.status for invoice in invoices} == {"paid"}
        assert [str(invoice.number)[-4:] for invoice in invoices] == [f"{n:04}" for n in range(1, 14)]
        assert sandbox.ledger()["totals"]["amount_captured"] == {"usd": 13 * 1500}
        assert period_of(await read(client, subscription)) == ("2028-01-31", "2028-02-29")
        announced = await events_of(client, "invoice.upcoming")
        assert [day(event.created) for event in announced][:3] == ["2027-02-21", "2027-03-24", "2027-04-23"]
        assert "id" not in announced[0].to_dict()["data"]["object"]

    async def test_events_keep_the_order_of_time(
        self, client: StripeClient, sandbox: Sandbox, subscription: Subscription
    ) -> None:
        before = len(await event_types(client))

        go_to(sandbox, moment("2027-03-01T00:00:00"))

        events = (await client.v1.events.list_async({"limit": 100})).data[::-1][before:]
        assert [event.type for event in events] == [
            "invoice.upcoming",
            "invoice.created",
            "customer.subscription.updated",
            "invoice.finalized",
            "payment_intent.created",
            "charge.succeeded",
            "payment_intent.succeeded",
            "invoice.paid",
            "invoice.payment_succeeded",
            "invoice_payment.paid",
        ]
        assert [event.created for event in events] == sorted(event.created for event in events)
        previous = events[2].to_dict()["data"]["previous_attributes"]
        assert set(previous) == {"items", "latest_invoice"}

    async def test_three_years_take_less_than_a_second(
        self, sandbox: Sandbox, client: StripeClient, subscription: Subscription
    ) -> None:
        started = time.perf_counter()
        sandbox.advance(3 * 365 * DAY)

        assert time.perf_counter() - started < 1
        assert len(await invoices_of(client, subscription)) == 36

    async def test_credit_of_the_customer_is_used_first(
        self, client: StripeClient, sandbox: Sandbox, ada: Customer, subscription: Subscription
    ) -> None:
        await client.v1.customers.update_async(ada.id, {"balance": -1000})

        go_to(sandbox, moment("2027-03-01T00:00:00"))

        renewal = invoice_of(await read(client, subscription))
        assert (renewal.total, renewal.amount_due, renewal.amount_paid) == (1500, 500, 500)
        assert (renewal.starting_balance, renewal.ending_balance) == (-1000, 0)
        assert (await intent_of(client, renewal)).amount == 500

    async def test_an_amount_too_small_for_a_card_is_owed(
        self, client: StripeClient, sandbox: Sandbox, ada: Customer, subscription: Subscription
    ) -> None:
        await client.v1.customers.update_async(ada.id, {"balance": -1480})

        go_to(sandbox, moment("2027-03-01T00:00:00"))

        renewal = invoice_of(await read(client, subscription))
        assert (renewal.status, renewal.amount_due, renewal.ending_balance) == ("paid", 0, 20)
        go_to(sandbox, moment("2027-04-01T00:00:00"))
        assert invoice_of(await read(client, subscription)).amount_paid == 1520

    async def test_several_subscriptions_take_turns(
        self, client: StripeClient, sandbox: Sandbox, ada: Customer, subscription: Subscription
    ) -> None:
        weekly = await subscribe(client, ada, await plan(client, 700, "week"))

        go_to(sandbox, moment("2027-03-31T13:00:00"))

        assert len(await invoices_of(client, subscription)) == 3
        assert len(await invoices_of(client, weekly)) == 9
        events = (await client.v1.events.list_async({"limit": 100})).data
        created = [event.created for event in events]
        assert created == sorted(created, reverse=True)
