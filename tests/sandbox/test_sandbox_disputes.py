import pytest
from stripe import Charge, Dispute, InvalidRequestError, PaymentIntent, StripeClient

from sandbox import Sandbox
from tests.sandbox.payments import current_charge, event_types, pay

DAY = 86_400


async def dispute_of(client: StripeClient, intent: PaymentIntent) -> Dispute:
    [dispute] = (await client.v1.disputes.list_async({"payment_intent": intent.id})).data
    return dispute


class TestCards:
    @pytest.mark.parametrize(
        ("card", "reason", "status", "case_type", "code"),
        [
            ("createDispute", "fraudulent", "needs_response", "chargeback", "10.4"),
            ("visa_createDispute", "fraudulent", "needs_response", "chargeback", "10.4"),
            (
                "createDisputeProductNotReceived",
                "product_not_received",
                "needs_response",
                "chargeback",
                "13.1",
            ),
            ("createDisputeInquiry", "fraudulent", "warning_needs_response", "inquiry", "10"),
        ],
    )
    async def test_dispute_what_was_paid_with_them(
        self, client: StripeClient, card: str, reason: str, status: str, case_type: str, code: str
    ) -> None:
        intent = await pay(client, payment_method=f"pm_card_{card}")

        dispute = await dispute_of(client, intent)

        assert intent.status == "succeeded"
        assert (dispute.reason, dispute.status, dispute.amount) == (reason, status, 2000)
        assert dispute.payment_method_details is not None
        assert dispute.payment_method_details.card is not None
        shown = dispute.payment_method_details.card
        assert (shown.case_type, shown.network_reason_code) == (case_type, code)
        assert (await current_charge(client, intent)).disputed

    async def test_dispute_no_authorisation_but_its_capture(self, client: StripeClient) -> None:
        held = await pay(client, payment_method="pm_card_createDispute", capture_method="manual")
        assert (await client.v1.disputes.list_async()).data == []

        await client.v1.payment_intents.capture_async(held.id, {"amount_to_capture": 1500})

        assert (await dispute_of(client, held)).amount == 1500


class TestChargeback:
    @pytest.fixture
    async def intent(self, client: StripeClient) -> PaymentIntent:
        return await pay(client, payment_method="pm_card_createDispute")

    async def test_takes_the_money_and_a_fee_at_once(
        self, client: StripeClient, intent: PaymentIntent
    ) -> None:
        dispute = await dispute_of(client, intent)

        [taken] = dispute.balance_transactions
        assert (taken.type, taken.amount, taken.fee, taken.net) == ("adjustment", -2000, 1500, -3500)
        assert taken.source == dispute.id
        told = ["charge.succeeded", "charge.dispute.created", "charge.dispute.funds_withdrawn"]
        assert [type_ for type_ in await event_types(client) if type_ in told] == told

    async def test_keeps_the_charge_from_being_refunded(
        self, client: StripeClient, intent: PaymentIntent
    ) -> None:
        with pytest.raises(InvalidRequestError) as refused:
            await client.v1.refunds.create_async({"payment_intent": intent.id})

        assert (refused.value.http_status, refused.value.code) == (400, "charge_disputed")
        assert not (await dispute_of(client, intent)).is_charge_refundable

    async def test_is_booked_once_beside_the_charge(
        self, client: StripeClient, intent: PaymentIntent
    ) -> None:
        booked = (await client.v1.balance_transactions.list_async()).data

        assert [transaction.net for transaction in booked] == [1912, -3500]
        assert (await current_charge(client, intent)).balance_transaction == booked[0].id

    async def test_can_be_accepted(self, client: StripeClient, intent: PaymentIntent) -> None:
        dispute = await dispute_of(client, intent)

        closed = await client.v1.disputes.close_async(dispute.id)

        assert closed.status == "lost"
        assert len(closed.balance_transactions) == 1
        assert (await event_types(client))[-1] == "charge.dispute.closed"
        with pytest.raises(InvalidRequestError):
            await client.v1.disputes.close_async(dispute.id)

    async def test_is_lost_when_nobody_answers_in_time(
        self, client: StripeClient, sandbox: Sandbox, intent: PaymentIntent
    ) -> None:
        dispute = await dispute_of(client, intent)
        assert dispute.evidence_details.due_by is not None
        sandbox.advance(dispute.evidence_details.due_by - sandbox.clock.now() - 60)
        assert (await dispute_of(client, intent)).status == "needs_response"

        sandbox.advance(120)

        assert (await dispute_of(client, intent)).status == "lost"
        assert (await event_types(client))[-1] == "charge.dispute.closed"

    async def test_is_found_by_its_charge_and_expands_it(
        self, client: StripeClient, intent: PaymentIntent
    ) -> None:
        await pay(client, payment_method="pm_card_createDispute")

        found = await client.v1.disputes.list_async(
            {"charge": str(intent.latest_charge), "expand": ["data.charge"]}
        )

        [dispute] = found.data
        assert isinstance(dispute.charge, Charge)
        assert dispute.charge.id == intent.latest_charge


class TestInquiry:
    @pytest.fixture
    async def intent(self, client: StripeClient) -> PaymentIntent:
        return await pay(client, payment_method="pm_card_createDisputeInquiry")

    async def test_takes_nothing(self, client: StripeClient, intent: PaymentIntent) -> None:
        dispute = await dispute_of(client, intent)

        assert (dispute.balance_transactions, dispute.is_charge_refundable) == ([], True)
        assert "charge.dispute.funds_withdrawn" not in await event_types(client)
        assert (await client.v1.refunds.create_async({"payment_intent": intent.id})).status == "succeeded"

    async def test_comes_to_nothing_after_four_months(
        self, client: StripeClient, sandbox: Sandbox, intent: PaymentIntent
    ) -> None:
        sandbox.advance(119 * DAY)
        assert (await dispute_of(client, intent)).status == "warning_needs_response"

        sandbox.advance(2 * DAY)

        assert (await dispute_of(client, intent)).status == "warning_closed"

    async def test_ends_when_it_is_closed(self, client: StripeClient, intent: PaymentIntent) -> None:
        closed = await client.v1.disputes.close_async((await dispute_of(client, intent)).id)

        assert (closed.status, closed.balance_transactions) == ("warning_closed", [])
