from typing import Any, cast

import pytest
from stripe import Charge, InvalidRequestError, PaymentIntent, StripeClient
from stripe.params import RefundCreateParams

from sandbox import Sandbox
from tests.sandbox.payments import current_charge, event_types, pay, previous_attributes

KEY: Any = {"idempotency_key": "refund-17"}


@pytest.fixture
async def intent(client: StripeClient) -> PaymentIntent:
    return await pay(client)


class TestCreate:
    async def test_gives_everything_back_without_an_amount(
        self, client: StripeClient, intent: PaymentIntent
    ) -> None:
        refund = await client.v1.refunds.create_async(
            {
                "payment_intent": intent.id,
                "reason": "requested_by_customer",
                "metadata": {"order": "17"},
                "expand": ["charge"],
            }
        )

        assert (refund.status, refund.amount, refund.currency) == ("succeeded", 2000, "usd")
        assert (refund.reason, refund.payment_intent) == ("requested_by_customer", intent.id)
        assert refund.metadata is not None
        assert refund.metadata.to_dict() == {"order": "17"}
        assert isinstance(refund.charge, Charge)
        assert (refund.charge.amount_refunded, refund.charge.refunded) == (2000, True)

    async def test_tells_of_the_refund_and_of_the_charge(
        self, client: StripeClient, intent: PaymentIntent
    ) -> None:
        await client.v1.refunds.create_async({"payment_intent": intent.id})

        assert (await event_types(client))[-2:] == ["refund.created", "charge.refunded"]
        assert await previous_attributes(client, "charge.refunded") == {
            "amount_refunded": 0,
            "refunded": False,
        }

    async def test_adds_parts_up_until_nothing_is_left(
        self, client: StripeClient, intent: PaymentIntent
    ) -> None:
        charge = str(intent.latest_charge)
        await client.v1.refunds.create_async({"charge": charge, "amount": 500})
        partly = await current_charge(client, intent)
        rest = await client.v1.refunds.create_async({"charge": charge})
        wholly = await current_charge(client, intent)

        assert rest.amount == 1500
        assert (partly.amount_refunded, partly.refunded) == (500, False)
        assert (wholly.amount_refunded, wholly.refunded) == (2000, True)

    async def test_books_what_leaves_the_balance(self, client: StripeClient, intent: PaymentIntent) -> None:
        refund = await client.v1.refunds.create_async({"payment_intent": intent.id, "amount": 500})

        [booked] = (await client.v1.balance_transactions.list_async({"source": refund.id})).data

        assert refund.balance_transaction == booked.id
        assert (booked.type, booked.amount, booked.fee, booked.net) == ("refund", -500, 0, -500)

    async def test_takes_back_no_more_than_was_captured(self, client: StripeClient) -> None:
        held = await pay(client, capture_method="manual")
        await client.v1.payment_intents.capture_async(held.id, {"amount_to_capture": 1500})

        refund = await client.v1.refunds.create_async({"payment_intent": held.id})

        assert refund.amount == 1500
        assert (await current_charge(client, held)).refunded

    async def test_under_one_key_is_made_once(
        self, client: StripeClient, sandbox: Sandbox, intent: PaymentIntent
    ) -> None:
        params: RefundCreateParams = {"payment_intent": intent.id, "amount": 500}

        first = await client.v1.refunds.create_async(params, KEY)
        again = await client.v1.refunds.create_async(params, KEY)

        assert again.id == first.id
        [entry] = sandbox.ledger()["payment_intents"]
        assert entry["amount_refunded"] == 500
        assert entry["refunds"] == [
            {
                "id": first.id,
                "amount": 500,
                "status": "succeeded",
                "metadata": {},
                "idempotency_keys": ["refund-17"],
            }
        ]


class TestRefusal:
    async def refused(self, client: StripeClient, **params: Any) -> InvalidRequestError:
        before = await event_types(client)
        with pytest.raises(InvalidRequestError) as refused:
            await client.v1.refunds.create_async(cast("RefundCreateParams", params))
        assert await event_types(client) == before
        return refused.value

    async def test_of_more_than_is_left_names_the_amount(
        self, client: StripeClient, intent: PaymentIntent
    ) -> None:
        await client.v1.refunds.create_async({"payment_intent": intent.id, "amount": 1500})

        error = await self.refused(client, payment_intent=intent.id, amount=501)

        assert (error.http_status, error.code, error.param) == (400, None, "amount")
        assert (await current_charge(client, intent)).amount_refunded == 1500

    @pytest.mark.parametrize("amount", [{}, {"amount": 1}])
    async def test_of_what_was_refunded_has_a_code(
        self, client: StripeClient, intent: PaymentIntent, amount: dict[str, int]
    ) -> None:
        await client.v1.refunds.create_async({"payment_intent": intent.id})

        error = await self.refused(client, payment_intent=intent.id, **amount)

        assert (error.http_status, error.code) == (400, "charge_already_refunded")

    async def test_of_what_was_not_captured(self, client: StripeClient) -> None:
        held = await pay(client, capture_method="manual")

        error = await self.refused(client, payment_intent=held.id)

        assert error.http_status == 400
        assert "not captured" in str(error.user_message)

    async def test_of_what_was_not_paid(self, client: StripeClient) -> None:
        open_ = await pay(client, confirm=False)

        error = await self.refused(client, payment_intent=open_.id)

        assert (error.http_status, error.param) == (400, "payment_intent")

    async def test_of_nothing_in_particular(self, client: StripeClient) -> None:
        assert (await self.refused(client, amount=500)).http_status == 400

    async def test_of_an_unknown_charge_is_404(self, client: StripeClient) -> None:
        error = await self.refused(client, charge="ch_none")

        assert (error.http_status, error.code) == (404, "resource_missing")

    async def test_of_another_payments_charge(self, client: StripeClient, intent: PaymentIntent) -> None:
        other = await pay(client)

        error = await self.refused(client, payment_intent=intent.id, charge=other.latest_charge)

        assert error.param == "charge"

    @pytest.mark.parametrize(
        ("params", "param"), [({"amount": 0}, "amount"), ({"reason": "expired_uncaptured_charge"}, "reason")]
    )
    async def test_of_wrong_parameters(
        self, client: StripeClient, intent: PaymentIntent, params: dict[str, Any], param: str
    ) -> None:
        assert (await self.refused(client, payment_intent=intent.id, **params)).param == param

    async def test_sticks_to_its_key(self, client: StripeClient, intent: PaymentIntent) -> None:
        await client.v1.refunds.create_async({"payment_intent": intent.id})

        for _ in range(2):
            with pytest.raises(InvalidRequestError) as refused:
                await client.v1.refunds.create_async({"payment_intent": intent.id}, KEY)

        assert refused.value.headers is not None
        assert refused.value.headers["idempotent-replayed"] == "true"


class TestRead:
    async def test_lists_by_charge_and_by_payment(self, client: StripeClient, intent: PaymentIntent) -> None:
        other = await pay(client)
        refunds = [
            (await client.v1.refunds.create_async({"payment_intent": intent.id, "amount": 500})).id
            for _ in range(2)
        ]
        await client.v1.refunds.create_async({"payment_intent": other.id})

        by_payment = await client.v1.refunds.list_async({"payment_intent": intent.id})
        by_charge = await client.v1.refunds.list_async({"charge": str(intent.latest_charge)})

        assert [refund.id for refund in by_payment.data] == refunds[::-1]
        assert [refund.id for refund in by_charge.data] == refunds[::-1]
        assert len((await client.v1.refunds.list_async()).data) == 3

    async def test_finds_one(self, client: StripeClient, intent: PaymentIntent) -> None:
        made = await client.v1.refunds.create_async({"payment_intent": intent.id})

        assert (await client.v1.refunds.retrieve_async(made.id)).amount == 2000


class TestUpdate:
    async def test_changes_the_metadata_and_tells_of_it(
        self, client: StripeClient, intent: PaymentIntent
    ) -> None:
        made = await client.v1.refunds.create_async({"payment_intent": intent.id})

        updated = await client.v1.refunds.update_async(made.id, {"metadata": {"order": "17"}})

        assert updated.metadata is not None
        assert updated.metadata["order"] == "17"
        assert (await event_types(client))[-2:] == ["refund.updated", "charge.refund.updated"]
        assert await previous_attributes(client, "refund.updated") == {"metadata": {"order": None}}
