from typing import Any

import pytest
from stripe import CardError, Customer, InvalidRequestError, Price, StripeClient, Subscription

from sandbox import Sandbox
from tests.sandbox.billing import (
    DAY,
    DECLINING,
    HALFWAY,
    SECURED,
    change,
    events_of,
    intent_of,
    invoice_of,
    invoices_of,
    item_of,
    pay_with,
    preview,
    read,
    switched,
)


class TestPaymentBehavior:
    @pytest.fixture
    async def terms(
        self, client: StripeClient, ada: Customer, subscription: Subscription, pro: Price
    ) -> dict[str, Any]:
        await pay_with(client, ada, DECLINING)
        return {"items": switched(subscription, pro), "proration_behavior": "always_invoice"}

    @pytest.mark.parametrize("behavior", ["allow_incomplete", "default_incomplete"])
    async def test_the_change_happens_and_falls_behind(
        self,
        client: StripeClient,
        subscription: Subscription,
        pro: Price,
        terms: dict[str, Any],
        behavior: str,
    ) -> None:
        changed = await change(client, subscription, payment_behavior=behavior, **terms)

        assert (changed.status, item_of(changed).price.id) == ("past_due", pro.id)
        assert invoice_of(changed).status == "open"

    @pytest.mark.parametrize(
        ("card", "code"),
        [(DECLINING, "card_declined"), (SECURED, "subscription_payment_intent_requires_action")],
    )
    async def test_nothing_changes_if_it_must_be_paid(
        self,
        client: StripeClient,
        ada: Customer,
        subscription: Subscription,
        terms: dict[str, Any],
        card: str,
        code: str,
    ) -> None:
        await pay_with(client, ada, card)
        before = (await read(client, subscription)).to_dict()

        with pytest.raises(CardError) as refused:
            await change(client, subscription, payment_behavior="error_if_incomplete", **terms)

        assert refused.value.code == code
        assert (await read(client, subscription)).to_dict() == before
        assert len(await invoices_of(client, subscription)) == 1

    async def test_a_pending_update_is_applied_when_it_is_paid(
        self,
        client: StripeClient,
        ada: Customer,
        subscription: Subscription,
        basic: Price,
        pro: Price,
        terms: dict[str, Any],
    ) -> None:
        waiting = await change(client, subscription, payment_behavior="pending_if_incomplete", **terms)
        assert (waiting.status, item_of(waiting).price.id) == ("active", basic.id)
        assert waiting.pending_update is not None
        assert waiting.pending_update.expires_at == HALFWAY + 23 * 3_600
        assert waiting.pending_update.subscription_items is not None
        assert waiting.pending_update.subscription_items[0].price.id == pro.id

        await pay_with(client, ada, "pm_card_visa")
        await client.v1.invoices.pay_async(str(invoice_of(waiting).id))

        after = await read(client, subscription)
        assert (after.pending_update, item_of(after).price.id) == (None, pro.id)
        assert len(await events_of(client, "customer.subscription.pending_update_applied")) == 1

    async def test_a_pending_update_expires(
        self,
        client: StripeClient,
        sandbox: Sandbox,
        subscription: Subscription,
        basic: Price,
        terms: dict[str, Any],
    ) -> None:
        await change(client, subscription, payment_behavior="pending_if_incomplete", **terms)

        sandbox.advance(23 * 3_600)

        after = await read(client, subscription)
        assert (after.status, after.pending_update, item_of(after).price.id) == ("active", None, basic.id)
        assert invoice_of(after).status == "void"
        [expired] = await events_of(client, "customer.subscription.pending_update_expired")
        assert expired.created == HALFWAY + 23 * 3_600

    async def test_a_pending_update_that_is_paid_at_once_never_waits(
        self,
        client: StripeClient,
        ada: Customer,
        subscription: Subscription,
        pro: Price,
        terms: dict[str, Any],
    ) -> None:
        await pay_with(client, ada, "pm_card_visa")

        changed = await change(client, subscription, payment_behavior="pending_if_incomplete", **terms)

        assert (changed.pending_update, item_of(changed).price.id) == (None, pro.id)
        assert await events_of(client, "customer.subscription.pending_update_applied") == []

    async def test_prorations_of_a_dropped_update_are_not_lost(
        self, client: StripeClient, sandbox: Sandbox, subscription: Subscription, terms: dict[str, Any]
    ) -> None:
        await change(client, subscription, items=[{"id": item_of(subscription).id, "quantity": 2}])
        waiting = await change(client, subscription, payment_behavior="pending_if_incomplete", **terms)
        before = await preview(client, waiting)

        await client.v1.invoices.void_invoice_async(str(invoice_of(waiting).id))

        assert before.total == 6000
        assert (await preview(client, waiting)).total == 6000 + 1500

    async def test_a_pending_update_ends_with_its_subscription(
        self, client: StripeClient, subscription: Subscription, terms: dict[str, Any]
    ) -> None:
        waiting = await change(client, subscription, payment_behavior="pending_if_incomplete", **terms)

        ended = await client.v1.subscriptions.cancel_async(subscription.id)

        assert (ended.status, ended.pending_update) == ("canceled", None)
        assert (await client.v1.invoices.retrieve_async(str(invoice_of(waiting).id))).status == "void"

    async def test_another_change_takes_the_place_of_a_pending_one(
        self, client: StripeClient, subscription: Subscription, yearly: Price, terms: dict[str, Any]
    ) -> None:
        first = await change(client, subscription, payment_behavior="pending_if_incomplete", **terms)

        second = await change(
            client,
            subscription,
            payment_behavior="pending_if_incomplete",
            items=switched(subscription, yearly),
        )

        assert (await client.v1.invoices.retrieve_async(str(invoice_of(first).id))).status == "void"
        assert second.pending_update is not None
        assert second.pending_update.subscription_items is not None
        assert second.pending_update.subscription_items[0].price.id == yearly.id

    async def test_a_change_that_waits_for_its_holder_is_tried_again(
        self,
        client: StripeClient,
        sandbox: Sandbox,
        ada: Customer,
        subscription: Subscription,
        terms: dict[str, Any],
    ) -> None:
        await pay_with(client, ada, SECURED)
        changed = await change(client, subscription, **terms)
        await pay_with(client, ada, "pm_card_visa")

        sandbox.advance(3 * DAY)

        assert (changed.status, invoice_of(changed).next_payment_attempt) == ("past_due", HALFWAY + 3 * DAY)
        assert (await read(client, subscription)).status == "active"

    async def test_only_what_can_wait_may_be_pending(
        self, client: StripeClient, subscription: Subscription
    ) -> None:
        with pytest.raises(InvalidRequestError) as refused:
            await change(
                client, subscription, payment_behavior="pending_if_incomplete", metadata={"plan": "pro"}
            )

        assert refused.value.param == "metadata"

    async def test_a_declined_change_is_collected_later(
        self,
        client: StripeClient,
        sandbox: Sandbox,
        ada: Customer,
        subscription: Subscription,
        terms: dict[str, Any],
    ) -> None:
        changed = await change(client, subscription, **terms)
        await pay_with(client, ada, "pm_card_visa")

        sandbox.advance(3 * DAY)

        assert (await read(client, subscription)).status == "active"
        intent = await intent_of(client, invoice_of(changed))
        assert (intent.status, intent.amount) == ("succeeded", 3000)
