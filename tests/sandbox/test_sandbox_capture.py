import pytest
from stripe import InvalidRequestError, PaymentIntent, StripeClient

from sandbox import Sandbox
from tests.sandbox.payments import charge_of, event_types, payment

WEEK = 7 * 86_400


class TestCapture:
    @pytest.fixture
    async def held(self, client: StripeClient) -> PaymentIntent:
        return await client.v1.payment_intents.create_async(payment(capture_method="manual"))

    async def test_authorises_first(self, client: StripeClient, held: PaymentIntent) -> None:
        charge = await client.v1.charges.retrieve_async(str(held.latest_charge))

        assert (held.status, held.amount_capturable, held.amount_received) == ("requires_capture", 2000, 0)
        assert (charge.captured, charge.amount_captured, charge.balance_transaction) == (False, 0, None)
        assert await event_types(client) == [
            "payment_intent.created",
            "charge.succeeded",
            "payment_intent.amount_capturable_updated",
        ]

    async def test_takes_all_by_default(self, client: StripeClient, held: PaymentIntent) -> None:
        paid = await client.v1.payment_intents.capture_async(held.id)

        assert (paid.status, paid.amount_capturable, paid.amount_received) == ("succeeded", 0, 2000)
        assert (await event_types(client))[-2:] == ["charge.captured", "payment_intent.succeeded"]

    async def test_takes_a_part_and_releases_the_rest(
        self, client: StripeClient, held: PaymentIntent
    ) -> None:
        paid = await client.v1.payment_intents.capture_async(
            held.id, {"amount_to_capture": 1500, "expand": ["latest_charge"]}
        )

        charge = charge_of(paid)
        assert (paid.amount, paid.amount_received, paid.amount_capturable) == (2000, 1500, 0)
        assert (charge.amount, charge.amount_captured, charge.amount_refunded) == (2000, 1500, 0)

    async def test_refuses_more_than_was_authorised(self, client: StripeClient, held: PaymentIntent) -> None:
        with pytest.raises(InvalidRequestError) as refused:
            await client.v1.payment_intents.capture_async(held.id, {"amount_to_capture": 2001})

        assert (refused.value.code, refused.value.param) == ("amount_too_large", "amount_to_capture")

    async def test_works_once(self, client: StripeClient, held: PaymentIntent) -> None:
        await client.v1.payment_intents.capture_async(held.id, {"amount_to_capture": 500})

        with pytest.raises(InvalidRequestError) as refused:
            await client.v1.payment_intents.capture_async(held.id)
        assert refused.value.code == "payment_intent_unexpected_state"

    async def test_an_authorisation_runs_out_after_a_week(
        self, client: StripeClient, sandbox: Sandbox, held: PaymentIntent
    ) -> None:
        sandbox.advance(WEEK - 60)
        assert (await client.v1.payment_intents.retrieve_async(held.id)).status == "requires_capture"

        sandbox.advance(120)

        expired = await client.v1.payment_intents.retrieve_async(held.id)
        assert (expired.status, expired.cancellation_reason) == ("canceled", "expired")
        assert (await event_types(client))[-2:] == ["charge.expired", "payment_intent.canceled"]


class TestCancel:
    async def test_ends_an_open_intent(self, client: StripeClient) -> None:
        intent = await client.v1.payment_intents.create_async({"amount": 2000, "currency": "usd"})

        canceled = await client.v1.payment_intents.cancel_async(
            intent.id, {"cancellation_reason": "requested_by_customer"}
        )

        assert (canceled.status, canceled.cancellation_reason) == ("canceled", "requested_by_customer")
        assert canceled.canceled_at is not None

    async def test_releases_an_authorisation_without_a_refund(self, client: StripeClient) -> None:
        held = await client.v1.payment_intents.create_async(payment(capture_method="manual"))

        canceled = await client.v1.payment_intents.cancel_async(held.id, {"expand": ["latest_charge"]})

        charge = charge_of(canceled)
        assert (canceled.status, canceled.amount_capturable) == ("canceled", 0)
        assert (charge.captured, charge.refunded, charge.amount_refunded) == (False, False, 0)
        assert "charge.refunded" not in await event_types(client)

    @pytest.mark.parametrize("confirm", [True, False])
    async def test_refuses_a_finished_intent(self, client: StripeClient, confirm: bool) -> None:
        intent = await client.v1.payment_intents.create_async(payment(confirm=confirm))
        if not confirm:
            await client.v1.payment_intents.cancel_async(intent.id)

        with pytest.raises(InvalidRequestError) as refused:
            await client.v1.payment_intents.cancel_async(intent.id)

        assert refused.value.code == "payment_intent_unexpected_state"
