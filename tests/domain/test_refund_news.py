"""Refunds as Stripe tells of them: late, failed, or made in its Dashboard."""

import random

import pytest

from domain.actor import Role
from domain.commands.payments import CancelPayment, CapturePayment
from domain.events import InboxStatus
from domain.money import Money
from domain.operation import ObjectKind
from domain.payment import Payment
from domain.payment_status import CaptureMethod, PaymentStatus, SyncSource
from domain.ports import Database
from domain.refund import RefundOrigin, RefundReason, RefundStatus
from sandbox import Sandbox
from sandbox.control.faults import Kind
from tests.domain.faults import spoil
from tests.domain.shopping import COFFEE, Post, Shopper, StripeEvent
from tests.domain.values import stripe_event


@pytest.fixture
async def paid(shopper: Shopper) -> Payment:
    await shopper.saves()
    return await shopper.pays()


async def paid_by(shopper: Shopper, card: str) -> Payment:
    await shopper.saves(card, makes_default=True)
    return await shopper.pays()


class TestLateRefund:
    async def test_is_pending_until_the_bank_takes_it(
        self, shopper: Shopper, clerk: Shopper, sandbox: Sandbox, post: Post
    ) -> None:
        payment = await paid_by(shopper, "pm_card_pendingRefund")
        pending = await clerk.gives_back(payment, 100)
        during = await shopper.payment(payment.id)

        sandbox.decide_refund(pending.processor_refund_id or "", "succeeded")
        await post.deliver_all()

        after, settled = await shopper.payment(payment.id), await clerk.refund(pending.id)
        assert (during.status, during.refund_pending_amount) == (PaymentStatus.COMPLETED, 100)
        assert (during.refundable_amount, pending.status) == (350, RefundStatus.PENDING)
        assert (settled.status, settled.synced_by) == (RefundStatus.SUCCEEDED, SyncSource.WEBHOOK)
        assert settled.last_event_id is not None
        assert after.status is PaymentStatus.PARTIALLY_REFUNDED
        assert (after.refunded_amount, after.refund_pending_amount) == (100, 0)

    @pytest.mark.parametrize("status", ["failed", "canceled"])
    @pytest.mark.parametrize("card", ["pm_card_pendingRefund", "pm_card_refundFail"])
    async def test_that_comes_to_nothing_gives_its_amount_back(
        self,
        shopper: Shopper,
        clerk: Shopper,
        sandbox: Sandbox,
        post: Post,
        card: str,
        status: str,
    ) -> None:
        payment = await paid_by(shopper, card)
        refund = await clerk.gives_back(payment)
        if refund.status is RefundStatus.SUCCEEDED:
            status = "failed"  # A bank may send back what it first took, but nobody can cancel it.

        sandbox.decide_refund(refund.processor_refund_id or "", status, failure_reason="declined")
        await post.deliver_all()

        settled, after = await clerk.refund(refund.id), await shopper.payment(payment.id)
        assert settled.status in {RefundStatus.FAILED, RefundStatus.CANCELLED}
        assert settled.failure_reason == "declined"
        assert after.status is PaymentStatus.COMPLETED
        assert (after.refunded_amount, after.refundable_amount) == (0, COFFEE.minor)
        again = await clerk.gives_back(payment)
        assert again.amount == COFFEE.minor

    async def test_told_in_any_order_and_twice_ends_the_same(
        self, shopper: Shopper, clerk: Shopper, sandbox: Sandbox, post: Post
    ) -> None:
        payment = await paid_by(shopper, "pm_card_pendingRefund")
        refund = await clerk.gives_back(payment, 100)
        sandbox.decide_refund(refund.processor_refund_id or "", "succeeded")
        sandbox.decide_refund(refund.processor_refund_id or "", "failed")
        events = post.events() * 2
        random.Random(17).shuffle(events)  # noqa: S311

        await post.deliver(*(numbered(event, number) for number, event in enumerate(events)))

        assert (await clerk.refund(refund.id)).status is RefundStatus.FAILED
        assert (await shopper.payment(payment.id)).refundable_amount == COFFEE.minor


class TestDashboardRefund:
    async def test_appears_here(
        self, shopper: Shopper, paid: Payment, sandbox: Sandbox, post: Post, database: Database
    ) -> None:
        sandbox.refund(paid.processor_payment_id or "", amount=200, reason="duplicate")

        await post.deliver_all()

        [refund] = await shopper.refunds(paid)
        assert (refund.origin, refund.created_by) == (RefundOrigin.STRIPE_DASHBOARD, None)
        assert (refund.status, refund.amount) == (RefundStatus.SUCCEEDED, 200)
        assert (refund.reason, refund.revokes_access) == (RefundReason.DUPLICATE, True)
        assert refund.succeeded_at is not None
        payment = await shopper.payment(paid.id)
        assert (payment.status, payment.refunded_amount) == (PaymentStatus.PARTIALLY_REFUNDED, 200)
        async with database.reads() as reads:
            [record] = await reads.audit.of_object(ObjectKind.REFUND, refund.id)
        assert (record.action, record.actor_role) == ("refund.found", Role.SYSTEM)

    @pytest.mark.parametrize("told_by", ["refund.created", "charge.refunded"])
    async def test_appears_whichever_event_tells_of_it(
        self, shopper: Shopper, paid: Payment, sandbox: Sandbox, post: Post, told_by: str
    ) -> None:
        sandbox.refund(paid.processor_payment_id or "", amount=200)

        await post.deliver(*post.events(told_by))

        [refund] = await shopper.refunds(paid)
        assert (refund.amount, refund.status) == (200, RefundStatus.SUCCEEDED)

    async def test_stands_beside_ours(
        self, shopper: Shopper, clerk: Shopper, paid: Payment, sandbox: Sandbox, post: Post
    ) -> None:
        ours = await clerk.gives_back(paid, 100)
        sandbox.refund(paid.processor_payment_id or "", amount=200)
        sandbox.refund(paid.processor_payment_id or "", amount=50)

        await post.deliver_all()

        refunds = await shopper.refunds(paid)
        assert [refund.amount for refund in refunds] == [100, 200, 50]
        assert refunds[0].id == ours.id
        assert (await shopper.payment(paid.id)).refunded_amount == 350

    async def test_that_fails_gives_its_amount_back(
        self, shopper: Shopper, paid: Payment, sandbox: Sandbox, post: Post
    ) -> None:
        made = sandbox.refund(paid.processor_payment_id or "")
        await post.deliver_all()
        sandbox.decide_refund(made["id"], "failed")

        await post.deliver(*post.events("refund.failed"))

        [refund] = await shopper.refunds(paid)
        assert refund.status is RefundStatus.FAILED
        assert (await shopper.payment(paid.id)).refundable_amount == COFFEE.minor

    async def test_that_overtakes_the_news_of_its_payment_ends_the_same(
        self, shopper: Shopper, sandbox: Sandbox, post: Post, impatient: None
    ) -> None:
        await shopper.saves()
        spoil(sandbox, "/v1/payment_intents$", Kind.RESET_AFTER)
        payment = await shopper.pays()
        assert payment.processor_payment_id is None
        [intent] = sandbox.objects.all("payment_intent")
        sandbox.refund(intent["id"], amount=200)

        await post.deliver(*post.events("refund.created"))
        overtaking = await shopper.payment(payment.id)
        await post.deliver_all()

        assert overtaking.status is PaymentStatus.PARTIALLY_REFUNDED
        assert (overtaking.captured_amount, overtaking.refunded_amount) == (COFFEE.minor, 200)
        settled = await shopper.payment(payment.id)
        assert (settled.status, settled.refunded_amount) == (overtaking.status, 200)
        assert (settled.method_last4, settled.decline) == ("4242", None)
        [refund] = await shopper.refunds(payment)
        assert refund.origin is RefundOrigin.STRIPE_DASHBOARD

    async def test_that_copies_our_metadata_is_a_refund_of_its_own(
        self, shopper: Shopper, clerk: Shopper, paid: Payment, sandbox: Sandbox, post: Post
    ) -> None:
        await clerk.gives_back(paid, 100)
        made = sandbox.refund(paid.processor_payment_id or "", amount=200)
        [original] = [refund for refund in sandbox.objects.all("refund") if refund["metadata"]]
        stored = sandbox.objects.find("refund", made["id"])
        assert stored is not None
        sandbox.objects.save({**stored, "metadata": original["metadata"]})

        await post.deliver_all()

        assert [refund.amount for refund in await shopper.refunds(paid)] == [100, 200]
        assert (await shopper.payment(paid.id)).refunded_amount == 300


class TestRelease:
    """Stripe makes refunds of what was only authorised, too: they give back no money of ours."""

    def released(self, sandbox: Sandbox, payment: Payment, amount: int) -> StripeEvent:
        [charge] = sandbox.objects.all("charge")
        sample = stripe_event("refund.updated")
        thing = {
            **sample["data"]["object"],
            "amount": amount,
            "charge": charge["id"],
            "payment_intent": payment.processor_payment_id,
            "currency": "eur",
            "customer": charge["customer"],
            "_due": None,
            "_keys": [],
        }
        sandbox.objects.insert(thing)
        return {**sample, "data": {"object": thing}}

    async def test_of_a_cancelled_authorisation_is_no_refund(
        self, shopper: Shopper, sandbox: Sandbox, post: Post
    ) -> None:
        await shopper.saves()
        payment = await shopper.pays(capture_method=CaptureMethod.MANUAL)
        await shopper.does(CancelPayment(payment_id=payment.id))

        await post.deliver(self.released(sandbox, payment, COFFEE.minor))

        settled = await shopper.payment(payment.id)
        assert (settled.status, settled.refunded_amount) == (PaymentStatus.CANCELLED, 0)
        assert await shopper.refunds(payment) == []

    async def test_of_what_a_part_capture_left_over_is_no_refund(
        self, shopper: Shopper, clerk: Shopper, sandbox: Sandbox, post: Post
    ) -> None:
        await shopper.saves()
        payment = await shopper.pays(capture_method=CaptureMethod.MANUAL)
        await clerk.does(CapturePayment(payment_id=payment.id, amount=Money(minor=300, currency="EUR")))

        await post.deliver(self.released(sandbox, payment, 150))

        settled = await shopper.payment(payment.id)
        assert (settled.status, settled.refundable_amount) == (PaymentStatus.COMPLETED, 300)
        assert await shopper.refunds(payment) == []


class TestForeignRefund:
    @pytest.mark.parametrize("name", ["refund.created", "charge.refunded.full", "charge.refund.updated"])
    async def test_of_a_payment_that_is_not_ours_is_kept(self, post: Post, name: str) -> None:
        received = await post.receive(stripe_event(name))

        await post.gateway.webhooks.handle(received.id)

        stored = await post.stored(received)
        assert (stored.status, stored.last_error) == (InboxStatus.IGNORED, None)

    async def test_is_tried_again_while_stripe_cannot_be_asked(
        self, paid: Payment, sandbox: Sandbox, post: Post, shopper: Shopper, impatient: None
    ) -> None:
        sandbox.refund(paid.processor_payment_id or "")
        [event] = post.events("refund.created")
        received = await post.receive(event)
        spoil(sandbox, "/v1/refunds", Kind.ERROR_BEFORE, method="GET")

        with pytest.raises(Exception, match="not known yet"):
            await post.gateway.webhooks.handle(received.id)
        failed = await post.stored(received)
        sandbox.faults.clear()
        await post.gateway.webhooks.handle(received.id)

        assert failed.status is InboxStatus.FAILED
        assert (await post.stored(received)).status is InboxStatus.HANDLED
        assert len(await shopper.refunds(paid)) == 1


def numbered(event: StripeEvent, number: int) -> StripeEvent:
    """The same event under an id of its own, so that it is applied once more."""
    return {**event, "id": f"{event['id']}_{number}"}
