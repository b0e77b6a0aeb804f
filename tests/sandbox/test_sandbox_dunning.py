from dataclasses import replace

import httpx2
import pytest
from stripe import CardError, Customer, StripeClient, Subscription

from sandbox import Sandbox, SandboxSettings
from tests.sandbox.billing import (
    DAY,
    DECLINING,
    DRAFT,
    SECURED,
    day,
    events_of,
    go_to,
    intent_of,
    invoice_of,
    invoices_of,
    moment,
    pay_with,
    plan,
    read,
    stop_at,
    subscribe,
    subscriber,
)
from tests.sandbox.payments import previous_attributes
from tests.sandbox.test_sandbox_authentication import page_of

RENEWAL = moment("2027-02-28T12:00:00") + DRAFT


async def subscribed(client: StripeClient, sandbox: Sandbox) -> tuple[Customer, Subscription]:
    stop_at(sandbox, "2027-01-31T12:00:00")
    customer = await subscriber(client)
    return customer, await subscribe(client, customer, await plan(client))


class TestFailedRenewal:
    async def test_falls_behind_and_plans_a_retry(self, client: StripeClient, sandbox: Sandbox) -> None:
        customer, subscription = await subscribed(client, sandbox)
        await pay_with(client, customer, DECLINING)

        go_to(sandbox, RENEWAL)

        behind = await read(client, subscription)
        invoice = invoice_of(behind)
        assert (behind.status, invoice.status, invoice.attempt_count) == ("past_due", "open", 1)
        assert invoice.next_payment_attempt == RENEWAL + 3 * DAY
        assert await previous_attributes(client, "customer.subscription.updated") == {"status": "active"}
        [failed] = await events_of(client, "invoice.payment_failed")
        assert failed.created == RENEWAL

    async def test_is_tried_after_3_5_and_7_further_days_and_then_given_up(
        self, client: StripeClient, sandbox: Sandbox
    ) -> None:
        customer, subscription = await subscribed(client, sandbox)
        await pay_with(client, customer, DECLINING)

        go_to(sandbox, moment("2027-06-01T00:00:00"))

        failures = await events_of(client, "invoice.payment_failed")
        assert [event.created - RENEWAL for event in failures] == [0, 3 * DAY, 8 * DAY, 15 * DAY]
        ended = await read(client, subscription)
        assert (ended.status, ended.ended_at) == ("canceled", RENEWAL + 15 * DAY)
        assert ended.cancellation_details is not None
        assert ended.cancellation_details.reason == "payment_failed"
        assert (invoice_of(ended).status, invoice_of(ended).next_payment_attempt) == ("open", None)
        assert len(await invoices_of(client, subscription)) == 2

    async def test_a_new_card_is_charged_at_the_next_retry(
        self, client: StripeClient, sandbox: Sandbox
    ) -> None:
        customer, subscription = await subscribed(client, sandbox)
        await pay_with(client, customer, DECLINING)
        go_to(sandbox, RENEWAL)
        await pay_with(client, customer, "pm_card_visa")

        go_to(sandbox, RENEWAL + 3 * DAY)

        recovered = await read(client, subscription)
        assert (recovered.status, invoice_of(recovered).attempt_count) == ("active", 2)
        assert await previous_attributes(client, "customer.subscription.updated") == {"status": "past_due"}

    async def test_can_be_paid_by_hand(self, client: StripeClient, sandbox: Sandbox) -> None:
        customer, subscription = await subscribed(client, sandbox)
        await pay_with(client, customer, DECLINING)
        go_to(sandbox, RENEWAL)
        invoice = str(invoice_of(await read(client, subscription)).id)
        with pytest.raises(CardError) as declined:
            await client.v1.invoices.pay_async(invoice)
        good = await client.v1.payment_methods.attach_async("pm_card_visa", {"customer": customer.id})

        paid = await client.v1.invoices.pay_async(invoice, {"payment_method": good.id})

        assert declined.value.code == "card_declined"
        assert (paid.status, paid.attempt_count) == ("paid", 3)
        assert (await read(client, subscription)).status == "active"
        sandbox.advance(20 * DAY)
        assert len(await events_of(client, "invoice.payment_failed")) == 2

    async def test_a_lost_card_is_not_tried_again(self, client: StripeClient, sandbox: Sandbox) -> None:
        _, subscription = await subscribed(client, sandbox)
        card = await client.v1.payment_methods.list_async({"customer": str(subscription.customer)})
        sandbox.spoil_card(card.data[0].id, "lost_card")

        go_to(sandbox, RENEWAL + 14 * DAY)
        waiting = await read(client, subscription)
        go_to(sandbox, RENEWAL + 15 * DAY)

        assert (waiting.status, invoice_of(waiting).attempt_count) == ("past_due", 1)
        assert invoice_of(waiting).next_payment_attempt is None
        assert (await read(client, subscription)).status == "canceled"
        assert len(await events_of(client, "charge.failed")) == 1

    async def test_a_lost_card_that_its_bank_replaces_is(
        self, client: StripeClient, sandbox: Sandbox
    ) -> None:
        _, subscription = await subscribed(client, sandbox)
        card = await client.v1.payment_methods.list_async({"customer": str(subscription.customer)})
        sandbox.spoil_card(card.data[0].id, "lost_card")
        go_to(sandbox, RENEWAL)

        sandbox.replace_card(card.data[0].id, last4="1881", exp_month=1, exp_year=2040)
        go_to(sandbox, RENEWAL + 3 * DAY)

        assert (await read(client, subscription)).status == "active"

    async def test_a_card_that_had_no_funds_recovers(self, client: StripeClient, sandbox: Sandbox) -> None:
        _, subscription = await subscribed(client, sandbox)
        card = await client.v1.payment_methods.list_async({"customer": str(subscription.customer)})
        sandbox.spoil_card(card.data[0].id, "insufficient_funds")
        go_to(sandbox, RENEWAL + 4 * DAY)
        assert (await read(client, subscription)).status == "past_due"

        sandbox.mend_card(card.data[0].id)
        go_to(sandbox, RENEWAL + 8 * DAY)

        assert invoice_of(await read(client, subscription)).attempt_count == 3
        assert (await read(client, subscription)).status == "active"

    async def test_the_latest_invoice_decides_whether_it_is_behind(
        self, client: StripeClient, sandbox: Sandbox
    ) -> None:
        customer, _ = await subscribed(client, sandbox)
        weekly = await subscribe(client, customer, await plan(client, 700, "week"))
        await pay_with(client, customer, DECLINING)
        sandbox.advance(7 * DAY + DRAFT)
        assert (await read(client, weekly)).status == "past_due"
        debt = invoice_of(await read(client, weekly))
        await pay_with(client, customer, "pm_card_visa_chargeDeclinedFraudulent")
        sandbox.advance(6 * DAY)
        await pay_with(client, customer, "pm_card_visa")

        sandbox.advance(DAY)

        assert (await read(client, weekly)).status == "active"
        assert (await client.v1.invoices.retrieve_async(str(debt.id))).status == "open"

    async def test_a_debt_that_is_taken_back_is_no_debt(self, client: StripeClient, sandbox: Sandbox) -> None:
        customer, subscription = await subscribed(client, sandbox)
        await pay_with(client, customer, DECLINING)
        go_to(sandbox, RENEWAL)
        debt = str(invoice_of(await read(client, subscription)).id)

        await client.v1.invoices.void_invoice_async(debt)

        assert (await read(client, subscription)).status == "active"

    async def test_without_any_card_nothing_is_charged(self, client: StripeClient, sandbox: Sandbox) -> None:
        customer, subscription = await subscribed(client, sandbox)
        card = (await client.v1.payment_methods.list_async({"customer": customer.id})).data[0]
        await client.v1.payment_methods.detach_async(card.id)

        go_to(sandbox, RENEWAL)

        assert (await read(client, subscription)).status == "past_due"
        assert await events_of(client, "charge.failed") == []

    async def test_an_expired_card_is_declined(self, client: StripeClient, sandbox: Sandbox) -> None:
        customer, subscription = await subscribed(client, sandbox)
        card = (await client.v1.payment_methods.list_async({"customer": customer.id})).data[0]
        await client.v1.payment_methods.update_async(card.id, {"card": {"exp_month": 2, "exp_year": 2027}})

        go_to(sandbox, moment("2027-03-31T13:00:00"))

        statuses = [invoice.status for invoice in await invoices_of(client, subscription)]
        assert statuses == ["paid", "paid", "open"]
        intent = await intent_of(client, invoice_of(await read(client, subscription)))
        assert intent.last_payment_error is not None
        assert intent.last_payment_error.code == "expired_card"

    async def test_a_card_that_needs_its_holder_asks_for_them(
        self, client: StripeClient, sandbox: Sandbox
    ) -> None:
        customer, subscription = await subscribed(client, sandbox)
        await pay_with(client, customer, "pm_card_authenticationRequired")

        go_to(sandbox, RENEWAL)

        intent = await intent_of(client, invoice_of(await read(client, subscription)))
        assert intent.last_payment_error is not None
        assert intent.last_payment_error.code == "authentication_required"
        assert len(await events_of(client, "invoice.payment_failed")) == 1
        assert len(await events_of(client, "invoice.payment_action_required")) == 1

    async def test_its_holder_can_authenticate_afterwards(
        self, client: StripeClient, sandbox: Sandbox, http: httpx2.AsyncClient
    ) -> None:
        customer, subscription = await subscribed(client, sandbox)
        card = await pay_with(client, customer, SECURED)
        go_to(sandbox, RENEWAL)
        invoice = invoice_of(await read(client, subscription))
        with pytest.raises(CardError) as asked:
            await client.v1.invoices.pay_async(str(invoice.id), {"off_session": False})

        waiting = await client.v1.payment_intents.confirm_async(
            (await intent_of(client, invoice)).id,
            {"payment_method": card, "return_url": "https://shop.example.com/done"},
        )
        await http.post(page_of(waiting), data={"outcome": "complete"})

        assert asked.value.code == "invoice_payment_intent_requires_action"
        after = await read(client, subscription)
        assert (after.status, invoice_of(after).status) == ("active", "paid")
        assert sandbox.ledger()["totals"]["captures"] == 2


class TestSettings:
    @pytest.fixture
    def sandbox_settings(self, sandbox_settings: SandboxSettings) -> SandboxSettings:
        return replace(sandbox_settings, dunning_days=(1, 2), dunning_end="unpaid")

    async def test_an_unpaid_subscription_goes_on_without_collecting(
        self, client: StripeClient, sandbox: Sandbox
    ) -> None:
        customer, subscription = await subscribed(client, sandbox)
        await pay_with(client, customer, DECLINING)

        go_to(sandbox, moment("2027-04-01T00:00:00"))

        unpaid = await read(client, subscription)
        failures = await events_of(client, "invoice.payment_failed")
        assert [event.created - RENEWAL for event in failures] == [0, DAY, 3 * DAY]
        assert unpaid.status == "unpaid"
        assert [one.status for one in await invoices_of(client, subscription)] == ["paid", "open", "draft"]
        assert day(unpaid["items"].data[0].current_period_end) == "2027-04-30"

    async def test_paying_makes_it_active_again(self, client: StripeClient, sandbox: Sandbox) -> None:
        customer, subscription = await subscribed(client, sandbox)
        await pay_with(client, customer, DECLINING)
        go_to(sandbox, RENEWAL + 4 * DAY)
        await pay_with(client, customer, "pm_card_visa")

        await client.v1.invoices.pay_async(str(invoice_of(await read(client, subscription)).id))

        assert (await read(client, subscription)).status == "active"
