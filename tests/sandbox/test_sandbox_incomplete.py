import httpx2
import pytest
from stripe import CardError, InvalidRequestError, StripeClient

from sandbox import Sandbox
from tests.sandbox.billing import (
    DECLINING,
    SECURED,
    intent_of,
    invoice_of,
    invoices_of,
    plan,
    read,
    subscribe,
    subscriber,
)
from tests.sandbox.payments import event_types

RETURN_URL = "https://shop.example.com/done"


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

    async def test_a_good_card_passes_the_demand_to_be_paid(self, client: StripeClient) -> None:
        customer, price = await subscriber(client), await plan(client)

        subscription = await subscribe(client, customer, price, payment_behavior="error_if_incomplete")

        assert subscription.status == "active"

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

    async def test_the_merchant_may_insist_on_it(self, client: StripeClient) -> None:
        customer, price = await subscriber(client), await plan(client)
        options = {"card": {"request_three_d_secure": "any"}}

        subscription = await subscribe(
            client, customer, price, payment_settings={"payment_method_options": options}
        )

        assert subscription.status == "incomplete"
        assert (await intent_of(client, invoice_of(subscription))).status == "requires_action"

    async def test_the_first_attempt_asks_already(self, client: StripeClient) -> None:
        customer, price = await subscriber(client, SECURED), await plan(client)

        subscription = await subscribe(client, customer, price)

        assert (await intent_of(client, invoice_of(subscription))).status == "requires_action"
        assert "invoice.payment_action_required" in await event_types(client)
