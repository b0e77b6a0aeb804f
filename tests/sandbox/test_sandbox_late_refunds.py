"""Refunds whose banks take their time, or send the money back."""

from dataclasses import replace

import pytest
from stripe import InvalidRequestError, PaymentIntent, StripeClient

from sandbox import Sandbox, SandboxSettings
from tests.sandbox.payments import current_charge, event_types, pay, previous_attributes
from tests.waiting import until

HOUR = 3_600


class TestPending:
    @pytest.fixture
    async def intent(self, client: StripeClient) -> PaymentIntent:
        return await pay(client, payment_method="pm_card_pendingRefund")

    async def test_counts_as_refunded_but_is_not_booked_yet(
        self, client: StripeClient, intent: PaymentIntent
    ) -> None:
        refund = await client.v1.refunds.create_async({"payment_intent": intent.id, "amount": 500})

        assert (refund.status, refund.pending_reason) == ("pending", "processing")
        assert refund.balance_transaction is None
        assert (await current_charge(client, intent)).amount_refunded == 500
        assert (await event_types(client))[-2:] == ["refund.created", "charge.refunded"]

    async def test_succeeds_as_time_goes_by(
        self, client: StripeClient, sandbox: Sandbox, intent: PaymentIntent
    ) -> None:
        refund = await client.v1.refunds.create_async({"payment_intent": intent.id})
        sandbox.advance(HOUR - 60)
        assert (await client.v1.refunds.retrieve_async(refund.id)).status == "pending"

        sandbox.advance(120)

        settled = await client.v1.refunds.retrieve_async(refund.id, {"expand": ["balance_transaction"]})
        assert settled.status == "succeeded"
        assert settled.balance_transaction is not None
        assert not isinstance(settled.balance_transaction, str)
        assert settled.balance_transaction.net == -2000
        assert (await event_types(client))[-2:] == ["refund.updated", "charge.refund.updated"]
        assert await previous_attributes(client, "refund.updated") == {
            "balance_transaction": None,
            "pending_reason": "processing",
            "status": "pending",
        }

    class TestWhileNobodyMovesTheClock:
        @pytest.fixture
        def sandbox_settings(self, sandbox_settings: SandboxSettings) -> SandboxSettings:
            return replace(sandbox_settings, chore_seconds=0.01)

        async def test_succeeds_all_the_same(
            self, client: StripeClient, sandbox: Sandbox, intent: PaymentIntent
        ) -> None:
            refund = await client.v1.refunds.create_async({"payment_intent": intent.id})

            sandbox.clock.advance(HOUR)

            async def is_settled() -> bool:
                return (await client.v1.refunds.retrieve_async(refund.id)).status == "succeeded"

            await until(is_settled)

    async def test_is_settled_once(
        self, client: StripeClient, sandbox: Sandbox, intent: PaymentIntent
    ) -> None:
        await client.v1.refunds.create_async({"payment_intent": intent.id})

        sandbox.advance(2 * HOUR)
        sandbox.advance(2 * HOUR)

        assert (await event_types(client)).count("refund.updated") == 1
        assert len((await client.v1.balance_transactions.list_async({"type": "refund"})).data) == 1

    async def test_can_be_cancelled_and_made_again(
        self, client: StripeClient, sandbox: Sandbox, intent: PaymentIntent
    ) -> None:
        refund = await client.v1.refunds.create_async({"payment_intent": intent.id})

        canceled = await client.v1.refunds.cancel_async(refund.id)
        sandbox.advance(2 * HOUR)

        charge = await current_charge(client, intent)
        assert (canceled.status, canceled.failure_reason) == ("canceled", "merchant_request")
        assert (charge.amount_refunded, charge.refunded) == (0, False)
        assert (await event_types(client))[-2:] == ["refund.updated", "charge.refund.updated"]
        assert (await client.v1.refunds.create_async({"payment_intent": intent.id})).amount == 2000
        assert sandbox.ledger()["totals"]["refunds"] == 1

    async def test_a_settled_one_cannot_be_cancelled(
        self, client: StripeClient, sandbox: Sandbox, intent: PaymentIntent
    ) -> None:
        refund = await client.v1.refunds.create_async({"payment_intent": intent.id})
        sandbox.advance(2 * HOUR)

        with pytest.raises(InvalidRequestError):
            await client.v1.refunds.cancel_async(refund.id)

        assert (await current_charge(client, intent)).amount_refunded == 2000


class TestFailing:
    @pytest.fixture
    async def intent(self, client: StripeClient) -> PaymentIntent:
        return await pay(client, payment_method="pm_card_refundFail")

    async def test_looks_good_at_first(self, client: StripeClient, intent: PaymentIntent) -> None:
        refund = await client.v1.refunds.create_async({"payment_intent": intent.id})

        assert refund.status == "succeeded"
        assert (await current_charge(client, intent)).refunded

    async def test_gives_the_money_back_to_the_merchant(
        self, client: StripeClient, sandbox: Sandbox, intent: PaymentIntent
    ) -> None:
        refund = await client.v1.refunds.create_async({"payment_intent": intent.id, "amount": 500})

        sandbox.advance(2 * HOUR)

        failed = await client.v1.refunds.retrieve_async(
            refund.id, {"expand": ["failure_balance_transaction"]}
        )
        assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
        assert failed.failure_balance_transaction is not None
        assert not isinstance(failed.failure_balance_transaction, str)
        assert failed.failure_balance_transaction.net == 500
        assert (await current_charge(client, intent)).amount_refunded == 0

    async def test_is_told_under_every_name(
        self, client: StripeClient, sandbox: Sandbox, intent: PaymentIntent
    ) -> None:
        await client.v1.refunds.create_async({"payment_intent": intent.id})

        sandbox.advance(2 * HOUR)

        told = ["refund.updated", "charge.refund.updated", "refund.failed"]
        assert (await event_types(client))[-3:] == told
        assert (await previous_attributes(client, "charge.refund.updated"))["status"] == "succeeded"

    async def test_leaves_the_charge_to_be_refunded_again(
        self, client: StripeClient, sandbox: Sandbox, intent: PaymentIntent
    ) -> None:
        await client.v1.refunds.create_async({"payment_intent": intent.id})
        sandbox.advance(2 * HOUR)

        again = await client.v1.refunds.create_async({"payment_intent": intent.id})

        assert again.amount == 2000
        [entry] = sandbox.ledger()["payment_intents"]
        assert [refund["status"] for refund in entry["refunds"]] == ["failed", "succeeded"]
        assert entry["amount_refunded"] == 2000
