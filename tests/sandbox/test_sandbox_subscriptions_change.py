from typing import Any

import pytest
from stripe import Customer, InvalidRequestError, Price, StripeClient, Subscription

from sandbox import Sandbox
from tests.sandbox.billing import (
    DAY,
    DRAFT,
    HALFWAY,
    amounts,
    change,
    go_to,
    invoice_of,
    invoices_of,
    item_of,
    moment,
    period_of,
    plan,
    read,
    switched,
)
from tests.sandbox.payments import previous_attributes


class TestSamePeriod:
    async def test_prorations_wait_for_the_next_invoice(
        self, client: StripeClient, sandbox: Sandbox, subscription: Subscription, pro: Price
    ) -> None:
        changed = await change(client, subscription, items=switched(subscription, pro))

        assert item_of(changed).price.id == pro.id
        assert item_of(changed).id == item_of(subscription).id
        assert period_of(changed) == period_of(subscription)
        assert len(await invoices_of(client, subscription)) == 1
        go_to(sandbox, moment("2027-05-01T02:00:00"))
        renewal = (await invoices_of(client, subscription))[-1]
        assert (amounts(renewal), renewal.total, renewal.status) == ([-1500, 4500, 9000], 12_000, "paid")
        assert [
            line.parent.subscription_item_details.proration  # type: ignore[union-attr]  # Every line has both.
            for line in renewal.lines.data
        ] == [True, True, False]

    async def test_prorations_can_be_charged_at_once(
        self, client: StripeClient, sandbox: Sandbox, subscription: Subscription, pro: Price
    ) -> None:
        changed = await change(
            client, subscription, items=switched(subscription, pro), proration_behavior="always_invoice"
        )

        invoice = invoice_of(changed)
        assert (amounts(invoice), invoice.status) == ([-1500, 4500], "paid")
        assert invoice.billing_reason == "subscription_update"
        assert sandbox.ledger()["totals"]["amount_captured"] == {"usd": 6000}

    async def test_the_rest_of_the_period_can_be_given_away(
        self, client: StripeClient, sandbox: Sandbox, subscription: Subscription, pro: Price
    ) -> None:
        await change(client, subscription, items=switched(subscription, pro), proration_behavior="none")

        go_to(sandbox, moment("2027-05-01T02:00:00"))
        assert amounts((await invoices_of(client, subscription))[-1]) == [9000]

    async def test_a_change_to_something_cheaper_leaves_credit(
        self, client: StripeClient, sandbox: Sandbox, subscription: Subscription, ada: Customer
    ) -> None:
        cheap = await plan(client, 1000)

        changed = await change(
            client, subscription, items=switched(subscription, cheap), proration_behavior="always_invoice"
        )

        invoice = invoice_of(changed)
        assert (invoice.total, invoice.amount_due, invoice.status) == (-1000, 0, "paid")
        assert (invoice.starting_balance, invoice.ending_balance) == (0, -1000)
        assert (await client.v1.customers.retrieve_async(ada.id)).balance == -1000
        go_to(sandbox, moment("2027-05-01T02:00:00"))
        renewal = (await invoices_of(client, subscription))[-1]
        assert (renewal.total, renewal.amount_due, renewal.ending_balance) == (1000, 0, 0)

    async def test_the_event_tells_what_changed(
        self, client: StripeClient, subscription: Subscription, pro: Price
    ) -> None:
        await change(client, subscription, items=switched(subscription, pro), metadata={"plan": "pro"})

        before = await previous_attributes(client, "customer.subscription.updated")
        assert before["metadata"] == {"plan": None}
        assert before["items"]["data"][0]["price"]["unit_amount"] == 3000

    async def test_items_can_be_added_and_taken_away(
        self, client: StripeClient, subscription: Subscription, pro: Price
    ) -> None:
        items = [{"id": item_of(subscription).id, "deleted": True}, {"price": pro.id, "quantity": 2}]

        changed = await change(client, subscription, items=items, proration_behavior="always_invoice")

        assert [(item.price.id, item.quantity) for item in changed["items"].data] == [(pro.id, 2)]
        assert amounts(invoice_of(changed)) == [-1500, 9000]


class TestNewPeriod:
    async def test_another_interval_begins_now(
        self, client: StripeClient, sandbox: Sandbox, subscription: Subscription, yearly: Price
    ) -> None:
        changed = await change(client, subscription, items=switched(subscription, yearly))

        invoice = invoice_of(changed)
        assert period_of(changed) == ("2027-04-16", "2028-04-16")
        assert changed.billing_cycle_anchor == HALFWAY
        assert (amounts(invoice), invoice.status) == ([-1500, 60_000], "paid")

    async def test_the_anchor_can_be_reset(self, client: StripeClient, subscription: Subscription) -> None:
        changed = await change(client, subscription, billing_cycle_anchor={"type": "now"})

        assert period_of(changed) == ("2027-04-16", "2027-05-16")
        assert amounts(invoice_of(changed)) == [-1500, 3000]

    async def test_a_trial_can_be_given_in_between(
        self, client: StripeClient, sandbox: Sandbox, subscription: Subscription
    ) -> None:
        changed = await change(client, subscription, trial_end=HALFWAY + 10 * DAY, proration_behavior="none")

        assert (changed.status, period_of(changed)) == ("trialing", ("2027-04-16", "2027-04-26"))
        go_to(sandbox, HALFWAY + 10 * DAY + DRAFT)
        assert ((after := await read(client, subscription)).status, period_of(after)) == (
            "active",
            ("2027-04-26", "2027-05-26"),
        )


class TestRefusals:
    async def test_another_currency(self, client: StripeClient, subscription: Subscription) -> None:
        euros = await plan(client, 3000, currency="eur")

        with pytest.raises(InvalidRequestError) as refused:
            await change(client, subscription, items=switched(subscription, euros))

        assert refused.value.param == "items[price]"

    @pytest.mark.parametrize(
        ("settings", "param"),
        [
            ({"items": [{"id": "si_unknown", "quantity": 2}]}, "items"),
            ({"items": [{"quantity": 2}]}, "items[price]"),
            ({"billing_cycle_anchor": {"type": "now"}, "proration_date": 1}, "proration_date"),
            ({"trial_end": 1}, "trial_end"),
            ({"pause_collection": {"behavior": "void", "resumes_at": 1}}, "pause_collection[resumes_at]"),
            ({"cancel_at": HALFWAY + 9, "cancel_at_period_end": True}, "cancel_at"),
            ({"default_payment_method": "pm_card_visa"}, "default_payment_method"),
        ],
    )
    async def test_name_what_is_wrong(
        self, client: StripeClient, subscription: Subscription, settings: dict[str, Any], param: str
    ) -> None:
        with pytest.raises(InvalidRequestError) as refused:
            await change(client, subscription, **settings)

        assert refused.value.param == param

    async def test_an_ended_subscription_keeps_its_terms(
        self, client: StripeClient, subscription: Subscription, pro: Price
    ) -> None:
        await client.v1.subscriptions.cancel_async(subscription.id)

        with pytest.raises(InvalidRequestError):
            await change(client, subscription, items=switched(subscription, pro))
        renamed = await change(client, subscription, metadata={"note": "left us"})

        assert renamed.metadata.to_dict() == {"note": "left us"}
