"""Disputes as Stripe tells of them: read anew at every hint, since they go back and forth."""

import asyncio
import random
from typing import Any

import pytest

from domain.dispute import DisputeStatus
from domain.events import InboxStatus
from domain.money import Money
from domain.operation import ObjectKind
from domain.payment import Payment
from domain.payment_status import PaymentStatus, SyncSource
from domain.ports import Database
from domain.refund import RefundStatus
from gateway.wiring import Gateway
from sandbox import Sandbox
from sandbox.control.faults import Kind
from tests.domain.faults import spoil
from tests.domain.shopping import COFFEE, Post, Shopper
from tests.domain.values import stripe_event


@pytest.fixture
async def paid(shopper: Shopper) -> Payment:
    await shopper.saves()
    return await shopper.pays(description="One hundred grams of beans")


def opened(sandbox: Sandbox, payment: Payment, **choices: Any) -> str:
    """Stripe's id of a dispute that the payer's bank has just opened."""
    return str(sandbox.dispute(payment.processor_payment_id or "", **choices)["id"])


class TestDispute:
    async def test_appears_and_takes_the_money(
        self, shopper: Shopper, paid: Payment, sandbox: Sandbox, post: Post, database: Database
    ) -> None:
        dispute_id = opened(sandbox, paid, reason="product_not_received")

        await post.deliver_all()

        [dispute] = await shopper.disputes(paid)
        assert (dispute.processor_dispute_id, dispute.user_id) == (dispute_id, shopper.actor.user_id)
        assert (dispute.status, dispute.amount) == (DisputeStatus.NEEDS_RESPONSE, COFFEE.minor)
        assert (dispute.reason, dispute.currency) == ("product_not_received", "EUR")
        assert dispute.evidence_due_by is not None
        assert dispute.synced_by is SyncSource.WEBHOOK
        payment = await shopper.payment(paid.id)
        assert (payment.status, payment.disputed_amount) == (PaymentStatus.COMPLETED, COFFEE.minor)
        assert (payment.refundable_amount, payment.actions) == (0, ())
        async with database.reads() as reads:
            records = await reads.audit.of_object(ObjectKind.DISPUTE, dispute.id)
        assert [record.action for record in records] == ["dispute.needs_response"]

    async def test_of_a_part_holds_that_part_only(
        self, shopper: Shopper, paid: Payment, sandbox: Sandbox, post: Post
    ) -> None:
        opened(sandbox, paid, amount=200)

        await post.deliver_all()

        assert (await shopper.payment(paid.id)).disputed_amount == 200

    async def test_that_only_asks_holds_nothing(
        self, shopper: Shopper, paid: Payment, sandbox: Sandbox, post: Post
    ) -> None:
        dispute_id = opened(sandbox, paid, is_inquiry=True)
        await post.deliver_all()
        asking, during = (await shopper.disputes(paid))[0], await shopper.payment(paid.id)

        sandbox.decide_dispute(dispute_id, "warning_closed")
        await post.deliver_all()

        assert (asking.status, asking.suspends_access) == (DisputeStatus.INQUIRY, False)
        assert (during.disputed_amount, during.refundable_amount) == (0, COFFEE.minor)
        assert [dispute.status for dispute in await shopper.disputes(paid)] == [DisputeStatus.CLOSED]

    async def test_goes_back_and_forth_and_so_does_the_money(
        self, shopper: Shopper, paid: Payment, sandbox: Sandbox, post: Post
    ) -> None:
        dispute_id, held = opened(sandbox, paid), []

        for status in ("under_review", "won", "lost", "won", "lost"):
            sandbox.decide_dispute(dispute_id, status)
            await post.deliver_all()
            held.append((await shopper.payment(paid.id)).disputed_amount)

        [dispute] = await shopper.disputes(paid)
        assert held == [450, 0, 450, 0, 450]
        told = [entry["status"] for entry in dispute.history if isinstance(entry, dict)]
        assert told == ["UNDER_REVIEW", "WON", "LOST", "WON", "LOST"]
        assert (dispute.status, dispute.suspends_access) == (DisputeStatus.LOST, True)

    async def test_won_leaves_the_payment_refundable(
        self, shopper: Shopper, clerk: Shopper, paid: Payment, sandbox: Sandbox, post: Post
    ) -> None:
        sandbox.decide_dispute(opened(sandbox, paid), "won")
        await post.deliver_all()

        refund = await clerk.gives_back(paid)

        assert refund.status is RefundStatus.SUCCEEDED

    async def test_fails_the_refunds_that_were_under_way(
        self, shopper: Shopper, clerk: Shopper, sandbox: Sandbox, post: Post
    ) -> None:
        await shopper.saves("pm_card_pendingRefund")
        payment = await shopper.pays()
        refund = await clerk.gives_back(payment, 100)
        opened(sandbox, payment)

        await post.deliver_all()

        failed, settled = await clerk.refund(refund.id), await shopper.payment(payment.id)
        assert failed.status is RefundStatus.FAILED
        assert failed.failure_reason == "charge_for_pending_refund_disputed"
        assert (settled.refund_pending_amount, settled.disputed_amount) == (0, 350)

    async def test_told_in_any_order_and_twice_ends_the_same(
        self, shopper: Shopper, paid: Payment, sandbox: Sandbox, post: Post
    ) -> None:
        dispute_id = opened(sandbox, paid)
        sandbox.decide_dispute(dispute_id, "under_review")
        sandbox.decide_dispute(dispute_id, "won")
        sandbox.decide_dispute(dispute_id, "lost")
        events = [
            {**event, "id": f"{event['id']}_{number}"} for number, event in enumerate(post.events() * 2)
        ]
        random.Random(7).shuffle(events)  # noqa: S311

        await post.deliver(*events)

        [dispute] = await shopper.disputes(paid)
        assert dispute.status is DisputeStatus.LOST
        assert (await shopper.payment(paid.id)).disputed_amount == COFFEE.minor

    async def test_told_by_many_events_at_once_is_one_dispute(
        self, shopper: Shopper, paid: Payment, sandbox: Sandbox, post: Post, gateway: Gateway
    ) -> None:
        dispute_id = opened(sandbox, paid)
        sandbox.decide_dispute(dispute_id, "lost")
        received = [await post.receive(event) for event in post.events()]

        await asyncio.gather(*(gateway.webhooks.handle(event.id) for event in received))

        [dispute] = await shopper.disputes(paid)
        assert dispute.status is DisputeStatus.LOST
        assert (await shopper.payment(paid.id)).disputed_amount == COFFEE.minor
        assert {(await post.stored(event)).status for event in received} <= {
            InboxStatus.HANDLED,
            InboxStatus.IGNORED,
        }

    async def test_that_overtakes_the_news_of_its_payment_ends_the_same(
        self, shopper: Shopper, sandbox: Sandbox, post: Post, impatient: None
    ) -> None:
        await shopper.saves()
        spoil(sandbox, "/v1/payment_intents$", Kind.RESET_AFTER)
        payment = await shopper.pays()
        [intent] = sandbox.objects.all("payment_intent")
        sandbox.dispute(intent["id"])

        await post.deliver(*post.events("charge.dispute.created"))
        overtaking = await shopper.payment(payment.id)
        await post.deliver_all()

        assert (overtaking.status, overtaking.disputed_amount) == (PaymentStatus.COMPLETED, COFFEE.minor)
        settled = await shopper.payment(payment.id)
        assert (settled.status, settled.disputed_amount) == (PaymentStatus.COMPLETED, COFFEE.minor)
        assert (settled.method_last4, len(await shopper.disputes(payment))) == ("4242", 1)

    @pytest.mark.parametrize(
        "name", ["created", "updated", "closed.won", "funds_withdrawn", "funds_reinstated"]
    )
    async def test_of_a_payment_that_is_not_ours_is_kept(self, post: Post, name: str) -> None:
        received = await post.receive(stripe_event(f"charge.dispute.{name}"))

        await post.gateway.webhooks.handle(received.id)

        stored = await post.stored(received)
        assert (stored.status, stored.last_error) == (InboxStatus.IGNORED, None)


class TestFirstDraft:
    async def test_holds_what_we_know_and_the_bank_may_not(
        self, shopper: Shopper, clerk: Shopper, paid: Payment, sandbox: Sandbox, post: Post
    ) -> None:
        await clerk.gives_back(paid, 100)
        opened(sandbox, paid)

        await post.deliver_all()

        [dispute] = await shopper.disputes(paid)
        draft = dispute.evidence_draft
        assert draft["product_description"] == "One hundred grams of beans"
        assert "€1.00 were refunded" in str(draft["refund_refusal_explanation"])
        facts = str(draft["uncategorized_text"])
        assert str(paid.id) in facts
        assert "€4.50" in facts
        assert "visa, ending in 4242, issued in US" in facts
        assert f"Receipt: {paid.receipt_url}" in facts
        assert str((paid.completed_at or paid.created_at).year) in str(draft["service_date"])

    async def test_leaves_out_what_we_do_not_know(
        self, shopper: Shopper, sandbox: Sandbox, post: Post
    ) -> None:
        await shopper.saves()
        payment = await shopper.pays(Money(minor=700, currency="EUR"))
        opened(sandbox, payment)

        await post.deliver_all()

        [dispute] = await shopper.disputes(payment)
        assert dispute.evidence_draft.keys() == {"service_date", "uncategorized_text"}
