import time

import pytest
from stripe import Customer, Price, StripeClient, Subscription

from sandbox import Sandbox
from tests.sandbox.billing import (
    DAY,
    DRAFT,
    change,
    day,
    events_of,
    go_to,
    intent_of,
    invoice_of,
    invoices_of,
    moment,
    pay_with,
    period_of,
    plan,
    read,
    stop_at,
    subscribe,
    subscriber,
)
from tests.sandbox.payments import event_types

LOST = "pm_card_visa_chargeDeclinedLostCard"
DECLINING = "pm_card_chargeCustomerFail"


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


class TestTrial:
    async def test_costs_nothing_until_it_ends(
        self, client: StripeClient, sandbox: Sandbox, ada: Customer, basic: Price
    ) -> None:
        start = sandbox.clock.now()

        trying = await subscribe(client, ada, basic, trial_period_days=14)

        invoice = invoice_of(trying)
        assert (trying.status, trying.trial_start, trying.trial_end) == ("trialing", start, start + 14 * DAY)
        assert period_of(trying) == ("2027-01-31", "2027-02-14")
        assert (invoice.status, invoice.total, trying.pending_setup_intent) == ("paid", 0, None)
        go_to(sandbox, start + 11 * DAY)
        [warning] = await events_of(client, "customer.subscription.trial_will_end")
        assert warning.created == start + 11 * DAY
        go_to(sandbox, start + 14 * DAY + DRAFT)
        paying = await read(client, trying)
        assert (paying.status, period_of(paying)) == ("active", ("2027-02-14", "2027-03-14"))
        assert (invoice_of(paying).amount_paid, invoice_of(paying).billing_reason) == (
            1500,
            "subscription_cycle",
        )

    async def test_a_card_that_needs_authentication_is_set_up(
        self, client: StripeClient, sandbox: Sandbox, http: object, basic: Price
    ) -> None:
        stop_at(sandbox, "2027-01-31T12:00:00")
        eve = await subscriber(client, "pm_card_authenticationRequiredOnSetup")
        trying = await subscribe(client, eve, basic, trial_period_days=7)
        assert trying.status == "trialing"
        assert isinstance(trying.pending_setup_intent, str)

        setup = await client.v1.setup_intents.retrieve_async(trying.pending_setup_intent)

        assert (setup.status, setup.customer) == ("requires_action", eve.id)

    @pytest.mark.parametrize(
        ("behavior", "status", "event"),
        [
            ("cancel", "canceled", "customer.subscription.deleted"),
            ("pause", "paused", "customer.subscription.paused"),
            ("create_invoice", "past_due", "invoice.payment_failed"),
        ],
    )
    async def test_without_a_card_it_ends_as_was_said(
        self, client: StripeClient, sandbox: Sandbox, basic: Price, behavior: str, status: str, event: str
    ) -> None:
        stop_at(sandbox, "2027-01-31T12:00:00")
        nobody = await client.v1.customers.create_async()
        trying = await subscribe(
            client,
            nobody,
            basic,
            trial_period_days=7,
            trial_settings={"end_behavior": {"missing_payment_method": behavior}},
        )

        sandbox.advance(7 * DAY + DRAFT)

        assert (await read(client, trying)).status == status
        assert len(await events_of(client, event)) == 1

    async def test_a_paused_one_resumes_with_a_card(
        self, client: StripeClient, sandbox: Sandbox, basic: Price
    ) -> None:
        stop_at(sandbox, "2027-01-31T12:00:00")
        eve = await client.v1.customers.create_async()
        behavior = {"end_behavior": {"missing_payment_method": "pause"}}
        trying = await subscribe(client, eve, basic, trial_period_days=7, trial_settings=behavior)
        sandbox.advance(30 * DAY)
        paused = await read(client, trying)
        assert paused.to_dict()["status_details"]["paused"]["subscription"] == {
            "type": "trial_end_without_payment_method"
        }
        await pay_with(client, eve, "pm_card_visa")

        resumed = await client.v1.subscriptions.resume_async(trying.id)

        assert (resumed.status, period_of(resumed)) == ("active", ("2027-03-02", "2027-04-02"))
        assert "status_details" not in resumed.to_dict()
        assert len(await events_of(client, "customer.subscription.resumed")) == 1
        assert sandbox.ledger()["totals"]["amount_captured"] == {"usd": 1500}

    async def test_can_be_ended_at_once(
        self, client: StripeClient, sandbox: Sandbox, ada: Customer, basic: Price
    ) -> None:
        trying = await subscribe(client, ada, basic, trial_period_days=14)
        sandbox.advance(DAY)

        paying = await change(client, trying, trial_end="now")

        assert (paying.status, period_of(paying)) == ("active", ("2027-02-01", "2027-03-01"))
        assert invoice_of(paying).amount_paid == 1500

    async def test_a_price_says_how_long_if_that_is_wanted(self, client: StripeClient, ada: Customer) -> None:
        price = await plan(client, recurring={"interval": "month", "trial_period_days": 7})

        plain = await subscribe(client, ada, price)
        trying = await subscribe(client, ada, price, trial_from_plan=True)

        assert (plain.status, trying.status) == ("active", "trialing")
        assert trying.trial_end == trying.created + 7 * DAY


class TestPause:
    async def test_voids_what_falls_due_and_resumes_by_itself(
        self, client: StripeClient, sandbox: Sandbox, subscription: Subscription
    ) -> None:
        resumes_at = moment("2027-03-15T00:00:00")
        await change(client, subscription, pause_collection={"behavior": "void", "resumes_at": resumes_at})

        go_to(sandbox, moment("2027-03-31T14:00:00"))

        after = await read(client, subscription)
        assert (after.status, after.pause_collection) == ("active", None)
        assert [one.status for one in await invoices_of(client, subscription)] == ["paid", "void", "paid"]

    @pytest.mark.parametrize(
        ("behavior", "status"), [("keep_as_draft", "draft"), ("mark_uncollectible", "uncollectible")]
    )
    async def test_other_ways_of_not_collecting(
        self, client: StripeClient, sandbox: Sandbox, subscription: Subscription, behavior: str, status: str
    ) -> None:
        await change(client, subscription, pause_collection={"behavior": behavior})

        go_to(sandbox, moment("2027-03-01T00:00:00"))

        assert invoice_of(await read(client, subscription)).status == status
        assert sandbox.ledger()["totals"]["captures"] == 1

    async def test_is_lifted_on_request(
        self, client: StripeClient, sandbox: Sandbox, subscription: Subscription
    ) -> None:
        await change(client, subscription, pause_collection={"behavior": "void"})

        lifted = await change(client, subscription, pause_collection="")
        go_to(sandbox, moment("2027-03-01T00:00:00"))

        assert lifted.pause_collection is None
        assert invoice_of(await read(client, subscription)).status == "paid"
