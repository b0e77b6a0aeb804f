"""News of an attempt that another one has followed: it tells nothing about how the payment stands."""

from itertools import permutations

import pytest

from domain.actor import Actor
from domain.commands.payments import ConfirmPayment
from domain.errors import ProcessorUnavailable
from domain.outcome import Outcome
from domain.payment import Payment
from domain.payment_status import PaymentStatus, SyncSource
from gateway.wiring import Gateway
from sandbox import Sandbox
from sandbox.control.faults import Kind
from tests.domain.faults import spoil
from tests.domain.shopping import Cardholder, Post, Shopper
from tests.domain.values import NOON, a_payment

REFUSED, SUSPICIOUS = "pm_card_chargeCustomerFail", "pm_card_visa_chargeDeclinedFraudulent"
SECURED = "pm_card_authenticationRequired"


@pytest.fixture
async def third_attempt(shopper: Shopper) -> Payment:
    """Declined twice, and now its bank asks the customer; nothing of that was told by an event yet."""
    await shopper.saves(REFUSED)
    payment = await shopper.pays()
    for card in (SUSPICIOUS, SECURED):
        method = await shopper.saves(card)
        await shopper.does(ConfirmPayment(payment_id=payment.id, payment_method_id=method))
    return await shopper.payment(payment.id)


class TestEarlierFailure:
    async def test_told_late_in_any_order_leaves_the_running_attempt(
        self, shopper: Shopper, post: Post, third_attempt: Payment
    ) -> None:
        failures = post.events("payment_intent.payment_failed")

        for order in permutations([*failures, *post.events("payment_intent.requires_action")]):
            await post.deliver(*({**each, "id": f"{each['id']}_{id(order)}"} for each in order))
            payment = await shopper.payment(third_attempt.id)
            assert payment.status is PaymentStatus.REQUIRES_ACTION

        assert len(failures) == 2
        assert [failure.code for failure in payment.failed_attempts] == ["generic_decline", "fraudulent"]

    async def test_applied_once_more_by_an_admin_leaves_it_too(
        self, shopper: Shopper, post: Post, gateway: Gateway, admin: Actor, third_attempt: Payment
    ) -> None:
        await post.deliver_all()
        first, *_ = post.events("payment_intent.payment_failed")
        async with gateway.services.database.reads() as reads:
            event_id = await reads.inbox.known_as(str(first["id"]))
        assert event_id is not None

        rehearsed = await gateway.services.events.rehearse(admin, event_id)
        replayed = await gateway.services.events.replay(admin, event_id)

        assert (rehearsed.changes, replayed.changes) == ([], [])
        assert (await shopper.payment(third_attempt.id)).status is PaymentStatus.REQUIRES_ACTION

    async def test_that_looks_like_the_coming_one_leaves_the_running_attempt(
        self, shopper: Shopper, post: Post, cardholder: Cardholder
    ) -> None:
        """A failed authentication makes no charge by which two of them could be told apart."""
        card = await shopper.saves(SECURED)
        payment = await shopper.pays()
        await cardholder.answers(payment.processor_payment_id or "", outcome="fail")
        [failed] = post.events("payment_intent.payment_failed")
        await post.deliver(failed)
        await shopper.does(ConfirmPayment(payment_id=payment.id, payment_method_id=card))

        await post.deliver({**failed, "id": "evt_told_once_more"})

        assert (await shopper.payment(payment.id)).status is PaymentStatus.REQUIRES_ACTION

    async def test_that_cannot_be_looked_up_waits(
        self, post: Post, sandbox: Sandbox, shopper: Shopper, third_attempt: Payment
    ) -> None:
        [first, _] = post.events("payment_intent.payment_failed")
        spoil(sandbox, "/v1/payment_intents/", Kind.ERROR_BEFORE, method="GET")

        with pytest.raises(ProcessorUnavailable):
            await post.deliver(first)

        assert (await shopper.payment(third_attempt.id)).status is PaymentStatus.REQUIRES_ACTION


class TestAttemptMadeByTheApp:
    async def test_after_a_failure_is_heard_of(
        self, shopper: Shopper, post: Post, cardholder: Cardholder
    ) -> None:
        await shopper.saves(REFUSED)
        payment = await shopper.pays()
        assert payment.status is PaymentStatus.FAILED

        await cardholder.confirms(payment.processor_payment_id or "", SECURED)
        await post.deliver_all()

        assert (await shopper.payment(payment.id)).status is PaymentStatus.REQUIRES_ACTION


class TestFailureOfTheRunningCharge:
    @pytest.mark.parametrize("source", [SyncSource.API_CALL, SyncSource.RECONCILIATION])
    def test_ends_the_attempt_when_it_is_read(self, source: SyncSource) -> None:
        """A bank debit fails under the charge under which it was in progress."""
        running = a_payment().settle(in_status(PaymentStatus.PROCESSING, source), at=NOON)

        failed = running.settle(in_status(PaymentStatus.FAILED, source), at=NOON)

        assert failed.status is PaymentStatus.FAILED

    def test_is_doubted_where_an_event_tells_it(self) -> None:
        running = a_payment().settle(in_status(PaymentStatus.PROCESSING, SyncSource.API_CALL), at=NOON)

        assert running.doubts(in_status(PaymentStatus.FAILED, SyncSource.WEBHOOK))


def in_status(status: PaymentStatus, source: SyncSource) -> Outcome:
    return Outcome(status=status, processor_payment_id="pi_1", charge_id="py_1", source=source)
