"""Plans, subscribers and the passing of months, as the tests of billing have them."""

import time
from datetime import UTC, datetime
from typing import Any, cast

from stripe import Customer, Event, Invoice, PaymentIntent, Price, StripeClient, Subscription
from stripe.params import InvoiceCreatePreviewParams, SubscriptionCreateParams, SubscriptionUpdateParams

from sandbox import Sandbox

DAY = 86_400
# A renewal is a draft for an hour before it is charged.
DRAFT = 3_600


def moment(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def days_since(at: int) -> float:
    """Real ones; negative where that moment is yet to come."""
    return (time.time() - at) / DAY


NEW_YEAR = moment("2027-01-01T00:00:00")
# A month that began on the 1st is half over.
HALFWAY = moment("2027-04-16T00:00:00")
MONTH_END = moment("2027-05-01T00:00:00")
DECLINING = "pm_card_chargeCustomerFail"
SECURED = "pm_card_authenticationRequired"


def stop_at(sandbox: Sandbox, text: str) -> int:
    """Let it be that moment, and stay so until a test moves on."""
    sandbox.clock.freeze()
    sandbox.clock.advance(moment(text) - sandbox.clock.now())
    return sandbox.clock.now()


def go_to(sandbox: Sandbox, at: int) -> None:
    sandbox.advance(at - sandbox.clock.now())


async def plan(client: StripeClient, amount: int = 1500, interval: str = "month", **settings: Any) -> Price:
    usual = {
        "currency": "usd",
        "unit_amount": amount,
        "recurring": {"interval": interval},
        "product_data": {"name": "Plan"},
    }
    return await client.v1.prices.create_async(cast("Any", {**usual, **settings}))


async def subscriber(client: StripeClient, card: str = "pm_card_visa") -> Customer:
    """A customer who pays with this card unless told otherwise."""
    customer = await client.v1.customers.create_async({"name": "Ada", "email": "ada@example.com"})
    await pay_with(client, customer, card)
    return customer


async def pay_with(client: StripeClient, customer: Customer, card: str) -> str:
    method = await client.v1.payment_methods.attach_async(card, {"customer": customer.id})
    await client.v1.customers.update_async(
        customer.id, {"invoice_settings": {"default_payment_method": method.id}}
    )
    return str(method.id)


async def subscribe(client: StripeClient, customer: Customer, price: Price, **settings: Any) -> Subscription:
    params = {
        "customer": customer.id,
        "items": [{"price": price.id}],
        "expand": ["latest_invoice"],
        **settings,
    }
    return await client.v1.subscriptions.create_async(cast("SubscriptionCreateParams", params))


async def change(client: StripeClient, subscription: Subscription, **settings: Any) -> Subscription:
    params = {"expand": ["latest_invoice"], **settings}
    return await client.v1.subscriptions.update_async(
        subscription.id, cast("SubscriptionUpdateParams", params)
    )


async def preview(client: StripeClient, subscription: Subscription, **details: Any) -> Invoice:
    params = {"subscription": subscription.id, "subscription_details": details}
    return await client.v1.invoices.create_preview_async(cast("InvoiceCreatePreviewParams", params))


async def read(client: StripeClient, subscription: Subscription) -> Subscription:
    return await client.v1.subscriptions.retrieve_async(
        subscription.id, {"expand": ["latest_invoice.payments"]}
    )


def switched(subscription: Subscription, price: Price) -> list[dict[str, Any]]:
    """`items` of an update that puts another price in the place of the one there is."""
    return [{"id": item_of(subscription).id, "price": price.id}]


def item_of(subscription: Subscription) -> Any:
    return subscription["items"].data[0]


def period_of(subscription: Subscription) -> tuple[str, str]:
    """The days on which the current period begins and ends."""
    item = item_of(subscription)
    return day(item.current_period_start), day(item.current_period_end)


def amounts(invoice: Invoice) -> list[int]:
    return [line.amount for line in invoice.lines.data]


def day(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")


def invoice_of(subscription: Subscription) -> Invoice:
    assert isinstance(subscription.latest_invoice, Invoice)
    return subscription.latest_invoice


async def invoices_of(client: StripeClient, subscription: Subscription) -> list[Invoice]:
    """All of them, oldest first."""
    listed = await client.v1.invoices.list_async({"subscription": subscription.id, "limit": 100})
    return listed.data[::-1]


async def intent_of(client: StripeClient, invoice: Invoice) -> PaymentIntent:
    payments = await client.v1.invoice_payments.list_async(
        {"invoice": str(invoice.id), "expand": ["data.payment.payment_intent"]}
    )
    intent = payments.data[0].payment.payment_intent
    assert isinstance(intent, PaymentIntent)
    return intent


async def events_of(client: StripeClient, *types: str) -> list[Event]:
    """All events of these types, oldest first."""
    return (await client.v1.events.list_async({"types": list(types), "limit": 100})).data[::-1]
