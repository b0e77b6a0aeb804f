from typing import Any

import pytest
from stripe import CardError, Customer, InvalidRequestError, Invoice, Price, StripeClient, Subscription

from sandbox import Sandbox
from tests.sandbox.billing import (
    DAY,
    DRAFT,
    change,
    events_of,
    go_to,
    intent_of,
    invoice_of,
    invoices_of,
    item_of,
    moment,
    pay_with,
    period_of,
    plan,
    preview,
    read,
    stop_at,
    subscribe,
    subscriber,
    switched,
)
from tests.sandbox.payments import previous_attributes

HALFWAY = moment("2027-04-16T00:00:00")
DECLINING = "pm_card_chargeCustomerFail"
SECURED = "pm_card_authenticationRequired"


@pytest.fixture
async def ada(client: StripeClient, sandbox: Sandbox) -> Customer:
    stop_at(sandbox, "2027-04-01T00:00:00")
    return await subscriber(client)


@pytest.fixture
async def basic(client: StripeClient) -> Price:
    return await plan(client, 3000)


@pytest.fixture
async def pro(client: StripeClient) -> Price:
    return await plan(client, 9000)


@pytest.fixture
async def yearly(client: StripeClient) -> Price:
    return await plan(client, 60_000, "year")


@pytest.fixture
async def subscription(client: StripeClient, sandbox: Sandbox, ada: Customer, basic: Price) -> Subscription:
    """Bought on 1 April, and now it is the middle of the month."""
    made = await subscribe(client, ada, basic)
    go_to(sandbox, HALFWAY)
    return made


def amounts(invoice: Invoice) -> list[int]:
    return [line.amount for line in invoice.lines.data]


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

    async def test_of_a_new_subscription(self, client: StripeClient, ada: Customer, basic: Price) -> None:
        async def seen(**details: Any) -> int:
            items = {"items": [{"price": basic.id}], **details}
            params: Any = {"customer": ada.id, "subscription_details": items}
            return (await client.v1.invoices.create_preview_async(params)).amount_due

        assert await seen() == 3000
        assert await seen(trial_end=HALFWAY) == 0
        assert (await client.v1.subscriptions.list_async()).data == []


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
