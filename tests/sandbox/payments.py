"""Payments as the tests make them, and what is read back of them."""

from typing import Any, cast

from stripe import Charge, PaymentIntent, StripeClient
from stripe.params import PaymentIntentCreateParams

NO_REDIRECTS = {"enabled": True, "allow_redirects": "never"}


def payment(**settings: Any) -> PaymentIntentCreateParams:
    """A confirmed payment of 20.00 usd by a good card, unless said otherwise."""
    usual = {
        "amount": 2000,
        "currency": "usd",
        "payment_method": "pm_card_visa",
        "confirm": True,
        "automatic_payment_methods": NO_REDIRECTS,
    }
    return cast("PaymentIntentCreateParams", {**usual, **settings})


def charge_of(intent: PaymentIntent) -> Charge:
    assert isinstance(intent.latest_charge, Charge)
    return intent.latest_charge


async def pay(client: StripeClient, **settings: Any) -> PaymentIntent:
    return await client.v1.payment_intents.create_async(payment(**settings))


async def current_charge(client: StripeClient, intent: PaymentIntent) -> Charge:
    """The charge of a payment as it is now."""
    return await client.v1.charges.retrieve_async(str(intent.latest_charge))


async def event_types(client: StripeClient) -> list[str]:
    """The types of all events, oldest first."""
    return [str(event.type) for event in (await client.v1.events.list_async({"limit": 100})).data][::-1]


async def previous_attributes(client: StripeClient, type_: str) -> Any:
    """Those of the latest event of a type."""
    event = (await client.v1.events.list_async({"types": [type_], "limit": 1})).data[0]
    return event.to_dict()["data"]["previous_attributes"]
