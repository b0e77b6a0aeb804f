"""One subscription through everything, and every cent of it accounted for."""

from stripe import Customer, Price, StripeClient, Subscription

from sandbox import Sandbox
from sandbox.state.objects import visible
from sandbox.webhooks.types import EVENT_TYPES
from tests.sandbox.billing import (
    DECLINING,
    change,
    go_to,
    invoices_of,
    item_of,
    moment,
    pay_with,
    read,
    switched,
)
from tests.sandbox.stripe_types import mistakes_in_object


async def test_a_subscription_lives_through_a_year(
    client: StripeClient,
    sandbox: Sandbox,
    ada: Customer,
    basic: Price,
    pro: Price,
    yearly: Price,
    subscription: Subscription,
) -> None:
    # April: an upgrade in the middle of the month, paid at once.
    await change(client, subscription, items=switched(subscription, pro), proration_behavior="always_invoice")
    # May: a renewal fails, and recovers with a new card at the second retry.
    await pay_with(client, ada, DECLINING)
    go_to(sandbox, moment("2027-05-05T00:00:00"))
    assert (await read(client, subscription)).status == "past_due"
    await pay_with(client, ada, "pm_card_mastercard")
    go_to(sandbox, moment("2027-05-16T12:00:00"))
    assert (await read(client, subscription)).status == "active"
    # A downgrade leaves credit, of which the next renewals live.
    await change(
        client, subscription, items=switched(subscription, basic), proration_behavior="always_invoice"
    )
    # July and August: nothing is collected.
    go_to(sandbox, moment("2027-06-15T00:00:00"))
    resumes_at = moment("2027-08-15T00:00:00")
    await change(client, subscription, pause_collection={"behavior": "void", "resumes_at": resumes_at})
    # October: once a year is cheaper. In spring it ends.
    go_to(sandbox, moment("2027-10-10T00:00:00"))
    await change(client, subscription, items=switched(subscription, yearly))
    await change(client, subscription, cancel_at=moment("2028-04-01T00:00:00"))
    go_to(sandbox, moment("2028-06-01T00:00:00"))

    ended = await read(client, subscription)
    invoices = await invoices_of(client, subscription)
    assert (ended.status, item_of(ended).price.id) == ("canceled", yearly.id)
    assert [invoice.total for invoice in invoices] == [
        3000,
        -1500 + 4500,
        9000,
        -4500 + 1500,
        3000,
        3000,
        3000,
        3000,
        3000,
        -2129 + 60_000,
    ]
    assert [invoice.status for invoice in invoices].count("void") == 2
    paid = [invoice for invoice in invoices if invoice.status == "paid"]
    balance = (await client.v1.customers.retrieve_async(ada.id)).balance
    ledger = sandbox.ledger()
    collected = {
        one["invoice"]: one["amount_captured"] for one in ledger["payment_intents"] if one["captures"]
    }
    captured = ledger["totals"]["amount_captured"]["usd"]
    assert collected == {invoice.id: invoice.amount_paid for invoice in paid if invoice.amount_paid}
    assert ledger["totals"]["captures"] == len(collected)
    assert captured + (balance or 0) == sum(invoice.total for invoice in paid)
    for event in sandbox.objects.all("event"):
        assert event["type"] in EVENT_TYPES
        assert mistakes_in_object(visible(event)) == []
