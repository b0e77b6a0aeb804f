import pytest
from stripe import Customer, Price, StripeClient, Subscription

from sandbox import Sandbox
from tests.sandbox.billing import (
    DAY,
    DRAFT,
    change,
    events_of,
    go_to,
    invoice_of,
    pay_with,
    period_of,
    plan,
    read,
    stop_at,
    subscribe,
    subscriber,
)


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
