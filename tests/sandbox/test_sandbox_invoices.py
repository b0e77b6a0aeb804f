import httpx2
import pytest
from stripe import Customer, InvalidRequestError, Invoice, StripeClient, Subscription

from sandbox import Sandbox
from tests.sandbox.billing import (
    DECLINING,
    go_to,
    intent_of,
    invoice_of,
    moment,
    plan,
    read,
    stop_at,
    subscribe,
    subscriber,
)
from tests.sandbox.payments import previous_attributes


@pytest.fixture
async def customer(client: StripeClient, sandbox: Sandbox) -> Customer:
    stop_at(sandbox, "2027-04-01T00:00:00")
    return await subscriber(client)


@pytest.fixture
async def subscription(client: StripeClient, customer: Customer) -> Subscription:
    return await subscribe(client, customer, await plan(client))


@pytest.fixture
def paid(subscription: Subscription) -> Invoice:
    return invoice_of(subscription)


@pytest.fixture
async def owed(client: StripeClient) -> Invoice:
    """The first invoice of a subscription whose card was declined."""
    return invoice_of(await subscribe(client, await subscriber(client, DECLINING), await plan(client)))


class TestPages:
    async def test_show_the_invoice_to_whoever_has_the_link(
        self, http: httpx2.AsyncClient, paid: Invoice
    ) -> None:
        page = await http.get(str(paid.hosted_invoice_url))
        pdf = await http.get(str(paid.invoice_pdf))

        assert str(paid.number) in page.text
        assert "15.00 usd" in page.text
        assert (pdf.headers["content-type"], pdf.content[:8]) == ("application/pdf", b"%PDF-1.4")
        assert str(paid.number).encode() in pdf.content

    async def test_are_hidden_from_others(self, http: httpx2.AsyncClient, paid: Invoice) -> None:
        guessed = str(paid.hosted_invoice_url).rpartition("/")[0] + "/guess"

        assert (await http.get(guessed)).status_code == 404
        assert (await http.get(f"{guessed}/pdf")).status_code == 404

    async def test_a_renewal_has_them_too(
        self, client: StripeClient, sandbox: Sandbox, http: httpx2.AsyncClient, subscription: Subscription
    ) -> None:
        go_to(sandbox, moment("2027-05-02T00:00:00"))

        renewal = invoice_of(await read(client, subscription))

        assert (await http.get(str(renewal.hosted_invoice_url))).status_code == 200


class TestList:
    async def test_narrows(self, client: StripeClient, paid: Invoice, owed: Invoice) -> None:
        open_ones = await client.v1.invoices.list_async({"status": "open"})
        of_customer = await client.v1.invoices.list_async({"customer": str(paid.customer)})

        assert [one.id for one in open_ones.data] == [owed.id]
        assert [one.id for one in of_customer.data] == [paid.id]


class TestUpdate:
    async def test_merges_metadata(self, client: StripeClient, paid: Invoice) -> None:
        updated = await client.v1.invoices.update_async(str(paid.id), {"metadata": {"note": "seen"}})

        assert updated.metadata is not None
        assert updated.metadata.to_dict() == {"note": "seen"}
        assert await previous_attributes(client, "invoice.updated") == {"metadata": {"note": None}}


class TestVoid:
    async def test_takes_back_an_open_invoice(self, client: StripeClient, owed: Invoice) -> None:
        voided = await client.v1.invoices.void_invoice_async(str(owed.id))

        assert (voided.status, voided.amount_paid) == ("void", 0)
        assert (await intent_of(client, owed)).status == "canceled"
        [subscription] = (await client.v1.subscriptions.list_async({"status": "ended"})).data
        assert subscription.status == "incomplete_expired"

    async def test_gives_used_credit_back(self, client: StripeClient, customer: Customer) -> None:
        eve = await subscriber(client, DECLINING)
        await client.v1.customers.update_async(eve.id, {"balance": -400})
        owed = invoice_of(await subscribe(client, eve, await plan(client)))
        assert (owed.amount_due, (await client.v1.customers.retrieve_async(eve.id)).balance) == (1100, 0)

        await client.v1.invoices.void_invoice_async(str(owed.id))

        assert (await client.v1.customers.retrieve_async(eve.id)).balance == -400

    async def test_is_too_late_for_a_paid_one(self, client: StripeClient, paid: Invoice) -> None:
        with pytest.raises(InvalidRequestError):
            await client.v1.invoices.void_invoice_async(str(paid.id))


class TestPay:
    async def test_refuses_what_is_paid(self, client: StripeClient, paid: Invoice) -> None:
        with pytest.raises(InvalidRequestError) as refused:
            await client.v1.invoices.pay_async(str(paid.id))

        assert refused.value.code == "invoice_already_paid"

    async def test_the_debt_of_an_ended_subscription_can_be_settled(
        self, client: StripeClient, sandbox: Sandbox, subscription: Subscription
    ) -> None:
        go_to(sandbox, moment("2027-05-01T00:10:00"))
        draft = invoice_of(await read(client, subscription))
        await client.v1.subscriptions.cancel_async(subscription.id)

        final = await client.v1.invoices.finalize_invoice_async(str(draft.id))
        paid = await client.v1.invoices.pay_async(str(draft.id))

        assert (final.status, paid.status) == ("open", "paid")
        assert (await read(client, subscription)).status == "canceled"

    async def test_another_intent_follows_a_cancelled_one(self, client: StripeClient, owed: Invoice) -> None:
        await client.v1.payment_intents.cancel_async((await intent_of(client, owed)).id)
        good = await client.v1.payment_methods.attach_async("pm_card_visa", {"customer": str(owed.customer)})

        paid = await client.v1.invoices.pay_async(str(owed.id), {"payment_method": good.id})

        payments = await client.v1.invoice_payments.list_async({"invoice": str(owed.id)})
        assert paid.status == "paid"
        assert [payment.status for payment in payments.data] == ["paid", "canceled"]

    async def test_a_forgiven_invoice_can_still_be_paid(self, client: StripeClient, owed: Invoice) -> None:
        forgiven = await client.v1.invoices.mark_uncollectible_async(str(owed.id))
        good = await client.v1.payment_methods.attach_async("pm_card_visa", {"customer": str(owed.customer)})

        paid = await client.v1.invoices.pay_async(str(owed.id), {"payment_method": good.id})

        assert (forgiven.status, paid.status) == ("uncollectible", "paid")


class TestPayments:
    async def test_are_retrieved(self, client: StripeClient, paid: Invoice) -> None:
        [listed] = (await client.v1.invoice_payments.list_async({"invoice": str(paid.id)})).data

        read = await client.v1.invoice_payments.retrieve_async(listed.id, {"expand": ["invoice"]})

        assert (read.amount_paid, read.amount_requested, read.is_default) == (1500, 1500, True)
        assert not isinstance(read.invoice, str)
        assert read.invoice.id == paid.id
