from typing import Any, cast

import httpx2
import pytest
from stripe import CardError, InvalidRequestError, StripeClient
from stripe.params import SubscriptionListParams

from sandbox import Sandbox
from tests.sandbox.billing import (
    day,
    go_to,
    intent_of,
    invoice_of,
    invoices_of,
    item_of,
    period_of,
    plan,
    read,
    stop_at,
    subscribe,
    subscriber,
)
from tests.sandbox.payments import event_types, previous_attributes

RETURN_URL = "https://shop.example.com/done"
SECURED = "pm_card_authenticationRequired"
DECLINING = "pm_card_chargeCustomerFail"


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


class TestNotPaid:
    @pytest.mark.parametrize("behavior", ["allow_incomplete", "default_incomplete"])
    async def test_a_declined_card_leaves_it_incomplete(
        self, client: StripeClient, sandbox: Sandbox, behavior: str
    ) -> None:
        customer, price = await subscriber(client, DECLINING), await plan(client)

        subscription = await subscribe(client, customer, price, payment_behavior=behavior)

        assert (subscription.status, invoice_of(subscription).status) == ("incomplete", "open")
        assert sandbox.ledger()["totals"]["captures"] == 0

    async def test_another_card_completes_it(self, client: StripeClient) -> None:
        customer, price = await subscriber(client, DECLINING), await plan(client)
        subscription = await subscribe(client, customer, price)
        good = await client.v1.payment_methods.attach_async("pm_card_visa", {"customer": customer.id})

        paid = await client.v1.invoices.pay_async(
            str(invoice_of(subscription).id), {"payment_method": good.id, "off_session": False}
        )

        assert (paid.status, paid.attempt_count) == ("paid", 2)
        assert (await read(client, subscription)).status == "active"

    async def test_a_confirmation_is_waited_for_if_that_was_asked(self, client: StripeClient) -> None:
        customer, price = await subscriber(client), await plan(client)
        subscription = await subscribe(client, customer, price, payment_behavior="default_incomplete")
        intent = await intent_of(client, invoice_of(subscription))
        assert (subscription.status, intent.status) == ("incomplete", "requires_confirmation")

        await client.v1.payment_intents.confirm_async(intent.id)

        after = await read(client, subscription)
        assert (after.status, invoice_of(after).status) == ("active", "paid")

    async def test_the_card_of_the_confirmation_can_be_kept(self, client: StripeClient) -> None:
        customer, price = await client.v1.customers.create_async(), await plan(client)
        subscription = await subscribe(
            client,
            customer,
            price,
            payment_behavior="default_incomplete",
            payment_settings={"save_default_payment_method": "on_subscription"},
        )
        intent = await intent_of(client, invoice_of(subscription))
        assert intent.status == "requires_payment_method"

        paid = await client.v1.payment_intents.confirm_async(intent.id, {"payment_method": "pm_card_visa"})

        after = await read(client, subscription)
        assert (after.status, after.default_payment_method) == ("active", paid.payment_method)

    @pytest.mark.parametrize(
        ("card", "code"),
        [(DECLINING, "card_declined"), (SECURED, "subscription_payment_intent_requires_action")],
    )
    async def test_nothing_is_made_if_it_must_be_paid(
        self, client: StripeClient, sandbox: Sandbox, card: str, code: str
    ) -> None:
        customer, price = await subscriber(client, card), await plan(client)
        before = await event_types(client)

        with pytest.raises(CardError) as refused:
            await subscribe(client, customer, price, payment_behavior="error_if_incomplete")

        assert (refused.value.code, refused.value.http_status) == (code, 402)
        assert (await client.v1.subscriptions.list_async({"status": "all"})).data == []
        assert (await client.v1.invoices.list_async()).data == []
        assert await event_types(client) == before
        assert sandbox.ledger()["totals"]["payment_intents"] == 0

    async def test_somebody_must_pay(self, client: StripeClient) -> None:
        customer, price = await client.v1.customers.create_async(), await plan(client)

        with pytest.raises(InvalidRequestError) as refused:
            await subscribe(client, customer, price)

        assert refused.value.code == "resource_missing"

    async def test_it_expires_after_23_hours(self, client: StripeClient, sandbox: Sandbox) -> None:
        customer, price = await subscriber(client, DECLINING), await plan(client)
        subscription = await subscribe(client, customer, price)

        sandbox.advance(23 * 3_600 - 60)
        assert (await read(client, subscription)).status == "incomplete"
        sandbox.advance(120)

        after = await read(client, subscription)
        assert (after.status, invoice_of(after).status) == ("incomplete_expired", "void")
        assert after.ended_at == after.created + 23 * 3_600
        assert (await intent_of(client, invoice_of(after))).status == "canceled"

    async def test_cancelling_it_expires_it(self, client: StripeClient) -> None:
        customer, price = await subscriber(client, DECLINING), await plan(client)
        subscription = await subscribe(client, customer, price)

        canceled = await client.v1.subscriptions.cancel_async(subscription.id)

        assert canceled.status == "incomplete_expired"
        assert [invoice.status for invoice in await invoices_of(client, subscription)] == ["void"]


class TestAuthentication:
    @pytest.mark.parametrize(
        ("outcome", "status", "invoice_status"),
        [("complete", "active", "paid"), ("fail", "incomplete", "open")],
    )
    async def test_the_cardholder_is_asked(
        self,
        client: StripeClient,
        http: httpx2.AsyncClient,
        outcome: str,
        status: str,
        invoice_status: str,
    ) -> None:
        customer, price = await subscriber(client, SECURED), await plan(client)
        subscription = await subscribe(client, customer, price)
        assert subscription.status == "incomplete"
        asked = await client.v1.payment_intents.confirm_async(
            (await intent_of(client, invoice_of(subscription))).id, {"return_url": RETURN_URL}
        )
        assert asked.status == "requires_action"
        assert asked.next_action is not None
        assert asked.next_action.redirect_to_url is not None

        await http.post(str(asked.next_action.redirect_to_url.url), data={"outcome": outcome})

        after = await read(client, subscription)
        assert (after.status, invoice_of(after).status) == (status, invoice_status)

    async def test_the_first_attempt_asks_already(self, client: StripeClient) -> None:
        customer, price = await subscriber(client, SECURED), await plan(client)

        subscription = await subscribe(client, customer, price)

        assert (await intent_of(client, invoice_of(subscription))).status == "requires_action"
        assert "invoice.payment_action_required" in await event_types(client)


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
