import httpx2
import pytest
from stripe import Customer, InvalidRequestError, Price, StripeClient

from sandbox import Sandbox
from tests.sandbox.billing import (
    DAY,
    DECLINING,
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
    switched,
)
from tests.sandbox.test_sandbox_authentication import page_of


@pytest.fixture
async def ada(client: StripeClient, sandbox: Sandbox) -> Customer:
    stop_at(sandbox, "2027-01-31T12:00:00")
    return await subscriber(client)


@pytest.fixture
async def basic(client: StripeClient) -> Price:
    return await plan(client, 1500)


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
        self, client: StripeClient, sandbox: Sandbox, http: httpx2.AsyncClient, basic: Price
    ) -> None:
        stop_at(sandbox, "2027-01-31T12:00:00")
        eve = await subscriber(client, "pm_card_authenticationRequiredOnSetup")
        trying = await subscribe(client, eve, basic, trial_period_days=7)
        assert trying.status == "trialing"
        assert isinstance(trying.pending_setup_intent, str)

        setup = await client.v1.setup_intents.confirm_async(
            trying.pending_setup_intent, {"return_url": "https://shop.example.com/done"}
        )
        assert (setup.status, setup.customer) == ("requires_action", eve.id)

        await http.post(page_of(setup), data={"outcome": "complete"})
        set_up = await read(client, trying)
        sandbox.advance(7 * DAY + DRAFT)

        assert (set_up.status, set_up.pending_setup_intent) == ("trialing", None)
        assert set_up.default_payment_method == setup.payment_method
        after = await read(client, trying)
        assert (after.status, invoice_of(after).status) == ("active", "paid")

    async def test_a_card_that_was_never_set_up_fails_off_session(
        self, client: StripeClient, sandbox: Sandbox, basic: Price
    ) -> None:
        eve = await subscriber(client, "pm_card_authenticationRequiredOnSetup")
        trying = await subscribe(client, eve, basic, trial_period_days=7)

        sandbox.advance(7 * DAY + DRAFT)

        assert (await read(client, trying)).status == "past_due"

    async def test_a_trial_without_a_card_offers_to_set_one_up(
        self, client: StripeClient, basic: Price
    ) -> None:
        eve = await client.v1.customers.create_async()

        trying = await subscribe(
            client, eve, basic, trial_period_days=7, payment_behavior="default_incomplete"
        )

        assert isinstance(trying.pending_setup_intent, str)
        await client.v1.setup_intents.confirm_async(
            trying.pending_setup_intent, {"payment_method": "pm_card_visa"}
        )
        after = await read(client, trying)
        assert (after.pending_setup_intent, after.default_payment_method is None) == (None, False)

    async def test_a_short_trial_warns_at_once(
        self, client: StripeClient, sandbox: Sandbox, ada: Customer, basic: Price
    ) -> None:
        trying = await subscribe(client, ada, basic, trial_period_days=2)
        sandbox.advance(3 * DAY)

        [warning] = await events_of(client, "customer.subscription.trial_will_end")
        assert warning.created == trying.created

    async def test_a_trial_can_be_prolonged_and_its_plan_changed_for_nothing(
        self, client: StripeClient, sandbox: Sandbox, ada: Customer, basic: Price
    ) -> None:
        trying = await subscribe(client, ada, basic, trial_period_days=7)
        later = sandbox.clock.now() + 30 * DAY
        yearly = await plan(client, 60_000, "year")

        changed = await change(client, trying, trial_end=later, items=switched(trying, yearly))
        sandbox.advance(29 * DAY)
        before = sandbox.ledger()["totals"]["captures"]
        go_to(sandbox, later + DRAFT)

        assert (changed.status, changed.trial_end) == ("trialing", later)
        assert before == 0
        paying = await read(client, trying)
        assert (period_of(paying), invoice_of(paying).total) == (("2027-03-02", "2028-03-02"), 60_000)

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

    async def test_may_stay_paused_until_it_is_paid(
        self, client: StripeClient, sandbox: Sandbox, basic: Price
    ) -> None:
        stop_at(sandbox, "2027-01-31T12:00:00")
        eve = await client.v1.customers.create_async()
        behavior = {"end_behavior": {"missing_payment_method": "pause"}}
        trying = await subscribe(client, eve, basic, trial_period_days=7, trial_settings=behavior)
        sandbox.advance(8 * DAY)
        await pay_with(client, eve, DECLINING)

        waiting = await client.v1.subscriptions.resume_async(
            trying.id, {"payment_behavior": "resume_on_payment_success"}
        )
        await pay_with(client, eve, "pm_card_visa")
        await client.v1.invoices.pay_async(str(waiting.latest_invoice))

        assert waiting.status == "paused"
        assert (await read(client, trying)).status == "active"
        assert len(await events_of(client, "customer.subscription.resumed")) == 1

    async def test_only_a_paused_one_is_resumed(
        self, client: StripeClient, ada: Customer, basic: Price
    ) -> None:
        active = await subscribe(client, ada, basic)

        with pytest.raises(InvalidRequestError):
            await client.v1.subscriptions.resume_async(active.id)

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
