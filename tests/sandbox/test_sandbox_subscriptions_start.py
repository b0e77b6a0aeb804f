from typing import Any, cast

import pytest
from stripe import InvalidRequestError, StripeClient
from stripe.params import SubscriptionListParams

from sandbox import Sandbox
from tests.sandbox.billing import (
    DECLINING,
    day,
    go_to,
    intent_of,
    invoice_of,
    item_of,
    period_of,
    plan,
    read,
    stop_at,
    subscribe,
    subscriber,
)
from tests.sandbox.payments import event_types, previous_attributes


class TestPaidAtOnce:
    async def test_a_good_card_makes_it_active(self, client: StripeClient, sandbox: Sandbox) -> None:
        stop_at(sandbox, "2027-01-31T12:00:00")
        customer, price = await subscriber(client), await plan(client)

        subscription = await subscribe(client, customer, price, metadata={"plan": "basic"})

        invoice = invoice_of(subscription)
        assert subscription.status == "active"
        assert period_of(subscription) == ("2027-01-31", "2027-02-28")
        assert (invoice.status, invoice.billing_reason) == ("paid", "subscription_create")
        assert (invoice.total, invoice.amount_paid, invoice.amount_remaining) == (1500, 1500, 0)
        assert invoice.number is not None
        assert invoice.number.endswith("-0001")
        assert sandbox.ledger()["totals"]["amount_captured"] == {"usd": 1500}

    async def test_events_tell_the_story(self, client: StripeClient) -> None:
        customer, price = await subscriber(client), await plan(client)
        before = len(await event_types(client))

        await subscribe(client, customer, price)

        assert (await event_types(client))[before:] == [
            "invoice.created",
            "customer.subscription.created",
            "invoice.finalized",
            "payment_intent.created",
            "charge.succeeded",
            "payment_intent.succeeded",
            "invoice.paid",
            "invoice.payment_succeeded",
            "invoice_payment.paid",
            "customer.subscription.updated",
        ]
        assert await previous_attributes(client, "customer.subscription.updated") == {"status": "incomplete"}

    async def test_its_intent_is_an_ordinary_one(self, client: StripeClient) -> None:
        customer, price = await subscriber(client), await plan(client)

        subscription = await subscribe(client, customer, price, metadata={"plan": "basic"})

        intent = await intent_of(client, invoice_of(subscription))
        by_intent = await client.v1.invoice_payments.list_async(
            {"payment": {"type": "payment_intent", "payment_intent": intent.id}}
        )
        assert (intent.status, intent.amount, intent.metadata.to_dict()) == ("succeeded", 1500, {})
        assert [payment.invoice for payment in by_intent.data] == [invoice_of(subscription).id]
        assert [payment.status for payment in by_intent.data] == ["paid"]

    async def test_lines_name_price_period_and_subscription(self, client: StripeClient) -> None:
        customer, price = await subscriber(client), await plan(client)

        subscription = await subscribe(client, customer, price, metadata={"plan": "basic"})

        invoice, item = invoice_of(subscription), item_of(subscription)
        [line] = invoice.lines.data
        assert line.pricing is not None
        assert line.pricing.price_details is not None
        assert line.pricing.price_details.price == price.id
        assert (line.period.start, line.period.end) == (item.current_period_start, item.current_period_end)
        assert line.parent is not None
        assert line.parent.subscription_item_details is not None
        assert line.parent.subscription_item_details.subscription_item == item.id
        assert not line.parent.subscription_item_details.proration
        assert invoice.parent is not None
        assert invoice.parent.subscription_details is not None
        assert invoice.parent.subscription_details.subscription == subscription.id
        assert invoice.parent.subscription_details.to_dict()["metadata"] == {"plan": "basic"}

    async def test_answers_can_be_expanded_deeply(self, client: StripeClient) -> None:
        customer, price = await subscriber(client), await plan(client)

        subscription = await subscribe(
            client,
            customer,
            price,
            expand=[
                "latest_invoice.payments",
                "latest_invoice.confirmation_secret",
                "items.data.price.product",
                "customer",
            ],
        )

        invoice, intent = invoice_of(subscription), await intent_of(client, invoice_of(subscription))
        assert invoice.payments is not None
        assert invoice.payments.data[0].payment.payment_intent == intent.id
        assert invoice.confirmation_secret is not None
        assert invoice.confirmation_secret.client_secret == intent.client_secret
        assert item_of(subscription).price.product.name == "Plan"
        plain = await client.v1.invoices.retrieve_async(str(invoice.id))
        assert {"payments", "confirmation_secret"}.isdisjoint(plain.to_dict())

    async def test_an_own_card_goes_before_the_customers(self, client: StripeClient) -> None:
        customer, price = await subscriber(client, DECLINING), await plan(client)
        card = await client.v1.payment_methods.attach_async("pm_card_mastercard", {"customer": customer.id})

        subscription = await subscribe(client, customer, price, default_payment_method=card.id)

        assert (subscription.status, subscription.default_payment_method) == ("active", card.id)

    async def test_a_free_price_needs_no_card(self, client: StripeClient, sandbox: Sandbox) -> None:
        customer, price = await client.v1.customers.create_async(), await plan(client, 0)

        subscription = await subscribe(client, customer, price)

        assert (subscription.status, invoice_of(subscription).status) == ("active", "paid")
        assert sandbox.ledger()["totals"]["payment_intents"] == 0

    async def test_a_given_anchor_cuts_the_first_period_short(
        self, client: StripeClient, sandbox: Sandbox
    ) -> None:
        now = stop_at(sandbox, "2027-04-16T00:00:00")
        customer, price = await subscriber(client), await plan(client, 3000)

        subscription = await subscribe(client, customer, price, billing_cycle_anchor=now + 15 * 86_400)

        assert period_of(subscription) == ("2027-04-16", "2027-05-01")
        assert invoice_of(subscription).total == 1500
        go_to(sandbox, now + 15 * 86_400)
        assert period_of(await read(client, subscription)) == ("2027-05-01", "2027-06-01")


class TestRefusals:
    @pytest.mark.parametrize(
        ("settings", "param"),
        [
            ({"items": []}, "items"),
            ({"items": [{"price": "price_unknown"}]}, "items[price]"),
            ({"default_payment_method": "pm_unknown"}, "default_payment_method"),
            ({"billing_cycle_anchor": 1}, "billing_cycle_anchor"),
            ({"trial_end": 1}, "trial_end"),
            ({"cancel_at": 1}, "cancel_at"),
            ({"collection_method": "send_invoice"}, "collection_method"),
        ],
    )
    async def test_names_what_is_wrong(
        self, client: StripeClient, settings: dict[str, Any], param: str
    ) -> None:
        customer, price = await subscriber(client), await plan(client)

        with pytest.raises(InvalidRequestError) as refused:
            await subscribe(client, customer, price, **settings)

        assert refused.value.param == param

    async def test_inactive_and_single_prices_cannot_be_subscribed_to(self, client: StripeClient) -> None:
        customer = await subscriber(client)
        single = await plan(client, recurring={"interval": "month"}, active=False)

        with pytest.raises(InvalidRequestError):
            await subscribe(client, customer, single)


class TestList:
    async def test_hides_ended_ones_unless_asked(self, client: StripeClient) -> None:
        customer, price, other = await subscriber(client), await plan(client), await plan(client, 900)
        first = await subscribe(client, customer, price)
        second = await subscribe(client, customer, other)
        await client.v1.subscriptions.cancel_async(first.id)

        async def listed(**narrowed: Any) -> list[str]:
            params = cast("SubscriptionListParams", {"customer": customer.id, **narrowed})
            found = await client.v1.subscriptions.list_async(params)
            return [one.id for one in found.data]

        assert await listed() == [second.id]
        assert await listed(status="all") == [second.id, first.id]
        assert await listed(status="canceled") == [first.id]
        assert await listed(price=other.id) == [second.id]
        assert await listed(price=price.id) == []
        assert day(second.created) == day(first.created)
