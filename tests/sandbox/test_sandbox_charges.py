import pytest
from stripe import Charge, InvalidRequestError, StripeClient

from tests.sandbox.payments import charge_of, payment, previous_attributes


@pytest.fixture
async def charge(client: StripeClient) -> Charge:
    return charge_of(await client.v1.payment_intents.create_async(payment(expand=["latest_charge"])))


class TestUpdate:
    async def test_changes_and_tells_what_was_before(self, client: StripeClient, charge: Charge) -> None:
        updated = await client.v1.charges.update_async(
            charge.id,
            {
                "description": "Order 17",
                "metadata": {"order": "17"},
                "fraud_details": {"user_report": "safe"},
                "shipping": {"name": "Ada", "address": {"line1": "1 Main Street"}},
            },
        )

        assert updated.description == "Order 17"
        assert updated.shipping is not None
        assert updated.shipping.name == "Ada"
        assert await previous_attributes(client, "charge.updated") == {
            "description": None,
            "fraud_details": {"user_report": None},
            "metadata": {"order": None},
            "shipping": None,
        }

    async def test_a_fraud_report_can_be_taken_back(self, client: StripeClient, charge: Charge) -> None:
        await client.v1.charges.update_async(charge.id, {"fraud_details": {"user_report": "fraudulent"}})

        updated = await client.v1.charges.update_async(charge.id, {"fraud_details": {"user_report": ""}})

        assert updated.fraud_details is not None
        assert updated.fraud_details.to_dict() == {}


class TestBalance:
    async def test_a_capture_is_booked_with_its_fee(self, client: StripeClient, charge: Charge) -> None:
        listed = await client.v1.balance_transactions.list_async({"source": charge.id})
        [booked] = listed.data

        read = await client.v1.balance_transactions.retrieve_async(booked.id, {"expand": ["source"]})

        assert (read.amount, read.fee, read.net, read.currency) == (2000, 88, 1912, "usd")
        assert isinstance(read.source, Charge)

    async def test_an_unknown_one_is_404(self, client: StripeClient) -> None:
        with pytest.raises(InvalidRequestError) as refused:
            await client.v1.balance_transactions.retrieve_async("txn_none")

        assert refused.value.http_status == 404
