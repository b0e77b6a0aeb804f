from typing import Any

import pytest
from stripe import Customer, InvalidRequestError, Price, StripeClient, Subscription

from sandbox import Sandbox
from tests.sandbox.billing import HALFWAY, amounts, change, go_to, invoices_of, moment, preview, switched


class TestPreview:
    @pytest.mark.parametrize("proration", ["create_prorations", "always_invoice", "none"])
    @pytest.mark.parametrize("target", ["pro", "yearly"])
    async def test_equals_what_is_charged_to_the_cent(
        self,
        client: StripeClient,
        sandbox: Sandbox,
        subscription: Subscription,
        pro: Price,
        yearly: Price,
        proration: str,
        target: str,
    ) -> None:
        terms = {
            "items": switched(subscription, {"pro": pro, "yearly": yearly}[target]),
            "proration_behavior": proration,
            "proration_date": HALFWAY + 1_234,
        }
        go_to(sandbox, HALFWAY + 5_000)
        seen = await preview(client, subscription, **terms)

        go_to(sandbox, HALFWAY + 90_000)
        await change(client, subscription, **terms)
        if len(await invoices_of(client, subscription)) == 1:
            go_to(sandbox, moment("2027-05-01T02:00:00"))

        charged = (await invoices_of(client, subscription))[-1]
        assert (amounts(seen), seen.amount_due) == (amounts(charged), charged.amount_paid)

    async def test_of_nothing_is_the_next_renewal(
        self, client: StripeClient, subscription: Subscription
    ) -> None:
        seen = await preview(client, subscription)

        assert (seen.total, seen.billing_reason) == (3000, "subscription_cycle")
        assert seen.id is not None
        assert seen.id.startswith("upcoming_in_")
        assert len(await invoices_of(client, subscription)) == 1

    async def test_of_an_immediate_end_shows_the_credit(
        self, client: StripeClient, subscription: Subscription
    ) -> None:
        kept = await preview(client, subscription, cancel_now=True, proration_behavior="none")
        credited = await preview(client, subscription, cancel_now=True)

        assert (kept.total, credited.total) == (0, -1500)

    async def test_of_a_subscription_that_will_end_is_refused(
        self, client: StripeClient, subscription: Subscription
    ) -> None:
        await change(client, subscription, cancel_at_period_end=True)

        with pytest.raises(InvalidRequestError) as refused:
            await preview(client, subscription)

        assert refused.value.code == "invoice_upcoming_none"

    @pytest.mark.parametrize(
        ("asked", "code"),
        [
            ({"customer": "ada"}, "invoice_upcoming_none"),
            ({"subscription_details": {"items": []}}, "parameter_missing"),
            ({"subscription": "sub_unknown"}, "resource_missing"),
            ({"subscription": "ended"}, "invoice_upcoming_none"),
        ],
    )
    async def test_of_nothing_that_would_be_billed_is_refused(
        self, client: StripeClient, ada: Customer, subscription: Subscription, asked: Any, code: str
    ) -> None:
        if asked.get("subscription") == "ended":
            await client.v1.subscriptions.cancel_async(subscription.id)
        ids = {"ada": ada.id, "ended": subscription.id}
        params: Any = {name: ids.get(str(value), value) for name, value in asked.items()}

        with pytest.raises(InvalidRequestError) as refused:
            await client.v1.invoices.create_preview_async(params)

        assert refused.value.code == code

    async def test_of_a_new_subscription(self, client: StripeClient, ada: Customer, basic: Price) -> None:
        async def seen(**details: Any) -> int:
            items = {"items": [{"price": basic.id}], **details}
            params: Any = {"customer": ada.id, "subscription_details": items}
            return (await client.v1.invoices.create_preview_async(params)).amount_due

        assert await seen() == 3000
        assert await seen(trial_end=HALFWAY) == 0
        assert (await client.v1.subscriptions.list_async()).data == []
