from typing import Any

import httpx2
import pytest
from stripe import CardError, Customer, PaymentMethod, StripeClient

from tests.sandbox.payments import payment, previous_attributes


@pytest.fixture
async def card(client: StripeClient, customer: Customer) -> PaymentMethod:
    return await client.v1.payment_methods.attach_async("pm_card_visa", {"customer": customer.id})


def charging(card: PaymentMethod) -> Any:
    return payment(customer=card.customer, payment_method=card.id)


class TestBehaviour:
    async def test_a_saved_card_is_refused_and_accepted_again(
        self, client: StripeClient, http: httpx2.AsyncClient, card: PaymentMethod
    ) -> None:
        spoil = {"payment_method": card.id, "behaviour": "insufficient_funds"}
        assert (await http.post("/_sandbox/cards", json=spoil)).status_code == 200
        with pytest.raises(CardError) as declined:
            await client.v1.payment_intents.create_async(charging(card))

        await http.post("/_sandbox/cards", json={**spoil, "behaviour": "accept"})
        intent = await client.v1.payment_intents.create_async(charging(card))

        assert declined.value.error is not None
        assert declined.value.error.decline_code == "insufficient_funds"
        assert intent.status == "succeeded"

    async def test_a_bank_replaces_a_card(
        self, client: StripeClient, http: httpx2.AsyncClient, card: PaymentMethod
    ) -> None:
        new = {"last4": "1881", "exp_month": 3, "exp_year": 2040}

        await http.post("/_sandbox/cards", json={"payment_method": card.id, "behaviour": "replace", **new})

        read = (await client.v1.payment_methods.retrieve_async(card.id)).to_dict()["card"]
        assert {name: read[name] for name in new} == new
        assert await previous_attributes(client, "payment_method.automatically_updated") == {
            "card": {"last4": "4242", "exp_month": 12, "exp_year": 2034}
        }

    @pytest.mark.parametrize(
        "change",
        [
            {"behaviour": "moody"},
            {"behaviour": "replace"},
            {"behaviour": "accept", "because": "why not"},
            {"payment_method": "pm_unknown"},
            {"payment_method": 7},
        ],
    )
    async def test_nonsense_is_refused(
        self, http: httpx2.AsyncClient, card: PaymentMethod, change: dict[str, Any]
    ) -> None:
        body = {"payment_method": card.id, "behaviour": "lost_card", **change}

        assert (await http.post("/_sandbox/cards", json=body)).status_code == 400
