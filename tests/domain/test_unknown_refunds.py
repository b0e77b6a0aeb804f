from dataclasses import replace
from datetime import timedelta

import pytest

from domain.attempt import KEYS_ARE_KNOWN_FOR
from domain.commands.refunds import RefundPayment
from domain.errors import AmountOutOfRange, ProcessorRefused, ProcessorUnavailable
from domain.operation import OperationState
from domain.payment import Payment
from domain.payment_status import PaymentStatus
from domain.refund import Refund, RefundReason, RefundStatus
from gateway.wiring import Gateway
from sandbox import Sandbox
from sandbox.control.faults import Kind
from tests.domain.faults import KINDS, resumed_later, spoil
from tests.domain.shopping import Post, Shopper
from tests.domain.stumbling import OvertakenProcessor, StumblingProcessor

pytestmark = pytest.mark.usefixtures("impatient")

KEY = "refund-17"
REFUNDS = "/v1/refunds$"


@pytest.fixture
async def paid(shopper: Shopper) -> Payment:
    await shopper.saves()
    return await shopper.pays()


def some_of(payment: Payment) -> RefundPayment:
    """All of it: nothing is left for a second refund by mistake, and the guard of Stripe's own is off."""
    return RefundPayment(payment_id=payment.id, reason=RefundReason.CUSTOMER_REQUEST)


async def is_refunded_once(clerk: Shopper, paid: Payment, sandbox: Sandbox) -> bool:
    operation, payment = await clerk.operation("refundPayment", KEY), await clerk.payment(paid.id)
    [refund] = await clerk.refunds(paid)
    return (
        (operation.state, operation.object_id) == (OperationState.SUCCEEDED, refund.id)
        and (refund.status, refund.amount) == (RefundStatus.SUCCEEDED, 450)
        and (payment.status, payment.refund_pending_amount) == (PaymentStatus.REFUNDED, 0)
        and sandbox.ledger()["totals"]["amount_refunded"] == {"eur": 450}
    )


class TestFaultyRefund:
    @pytest.mark.parametrize("kind", KINDS)
    async def test_that_lasts_is_unknown_until_the_caller_retries(
        self, clerk: Shopper, paid: Payment, sandbox: Sandbox, kind: Kind
    ) -> None:
        sandbox.guards.over_refunds = False
        spoil(sandbox, REFUNDS, kind)

        first = (await clerk.does(some_of(paid), key=KEY)).operation
        sandbox.faults.clear()
        await clerk.does(some_of(paid), key=KEY)

        assert isinstance(first.verdict, ProcessorUnavailable)
        assert await is_refunded_once(clerk, paid, sandbox)

    @pytest.mark.parametrize("with_webhooks", [False, True])
    @pytest.mark.parametrize("kind", KINDS)
    async def test_that_lasts_is_settled_by_the_worker(
        self,
        clerk: Shopper,
        paid: Payment,
        sandbox: Sandbox,
        gateway: Gateway,
        post: Post,
        kind: Kind,
        with_webhooks: bool,
    ) -> None:
        sandbox.guards.over_refunds = False
        spoil(sandbox, REFUNDS, kind)
        await clerk.does(some_of(paid), key=KEY)
        sandbox.faults.clear()

        if with_webhooks:
            await post.deliver_all()
        await resumed_later(gateway)

        assert await is_refunded_once(clerk, paid, sandbox)

    async def test_keeps_its_amount_reserved_meanwhile(
        self, clerk: Shopper, paid: Payment, sandbox: Sandbox
    ) -> None:
        spoil(sandbox, REFUNDS, Kind.ERROR_BEFORE)

        refund = await clerk.gives_back(paid, 400, key=KEY)

        payment = await clerk.payment(paid.id)
        assert (refund.status, payment.refund_pending_amount) == (RefundStatus.PENDING, 400)
        assert (payment.status, payment.refundable_amount) == (PaymentStatus.COMPLETED, 50)
        with pytest.raises(AmountOutOfRange):
            await clerk.gives_back(paid, 51)

    async def test_that_stripe_never_heard_of_in_a_day_gives_its_amount_back(
        self, clerk: Shopper, paid: Payment, sandbox: Sandbox, gateway: Gateway
    ) -> None:
        spoil(sandbox, REFUNDS, Kind.ERROR_BEFORE)
        await clerk.does(some_of(paid), key=KEY)
        sandbox.faults.clear()
        commands = gateway.services.commands
        tomorrow = commands.clock() + KEYS_ARE_KNOWN_FOR + timedelta(minutes=1)

        await replace(commands, clock=lambda: tomorrow).resume_abandoned()

        [refund] = await clerk.refunds(paid)
        assert isinstance((await clerk.operation("refundPayment", KEY)).verdict, ProcessorRefused)
        assert (refund.status, refund.failure_reason) == (RefundStatus.FAILED, "too_late")
        assert (await clerk.payment(paid.id)).refundable_amount == 450
        assert sandbox.ledger()["totals"]["amount_refunded"] == {"eur": 0}

    async def test_that_was_given_up_counts_after_all_when_stripe_tells_of_it(
        self, clerk: Shopper, paid: Payment, sandbox: Sandbox, gateway: Gateway, post: Post
    ) -> None:
        spoil(sandbox, REFUNDS, Kind.RESET_AFTER)
        refund = await clerk.gives_back(paid, key=KEY)
        async with gateway.services.database.work() as work:
            await work.refunds.save(refund.given_up("too_late", at=refund.created_at))

        await post.deliver_all()

        assert (await clerk.refund(refund.id)).status is RefundStatus.SUCCEEDED
        assert (await clerk.payment(paid.id)).refunded_amount == 450


class Crashed(Exception):
    """The process is gone, as far as one command can tell."""


class TestCrash:
    async def test_after_the_call_is_settled_by_the_worker(
        self, clerk: Shopper, paid: Payment, sandbox: Sandbox, gateway: Gateway
    ) -> None:
        async def die() -> None:
            raise Crashed

        processor = StumblingProcessor.beside(gateway, die)
        dying = replace(gateway.services.commands, processor=processor)
        with pytest.raises(Crashed):
            await dying.execute(clerk.actor, some_of(paid), key=KEY)
        await processor.close()

        await resumed_later(gateway)

        assert await is_refunded_once(clerk, paid, sandbox)


class TestRefundInTheDashboard:
    """Between our intent and our call, of part of the same money."""

    async def refunded_meanwhile(
        self, gateway: Gateway, sandbox: Sandbox, clerk: Shopper, post: Post, paid: Payment
    ) -> list[Refund]:
        async def dashboard() -> None:
            sandbox.refund(paid.processor_payment_id or "", amount=270)
            await post.deliver_all()
            payment = await clerk.payment(paid.id)
            assert (payment.refunded_amount, payment.refund_pending_amount) == (270, 180)

        processor = OvertakenProcessor.beside(gateway, dashboard)
        overtaken = replace(gateway.services.commands, processor=processor)
        await overtaken.execute(clerk.actor, some_of(paid), key=KEY)
        await processor.close()
        return await clerk.refunds(paid)

    async def test_leaves_ours_refused_and_the_rest_to_refund(
        self, gateway: Gateway, sandbox: Sandbox, clerk: Shopper, post: Post, paid: Payment
    ) -> None:
        ours, theirs = await self.refunded_meanwhile(gateway, sandbox, clerk, post, paid)

        assert (ours.status, theirs.status) == (RefundStatus.FAILED, RefundStatus.SUCCEEDED)
        payment = await clerk.payment(paid.id)
        assert payment.status is PaymentStatus.PARTIALLY_REFUNDED
        assert (payment.refunded_amount, payment.refundable_amount) == (270, 180)
        assert sandbox.ledger()["totals"]["amount_refunded"] == {"eur": 270}

    async def test_does_not_stop_the_books_even_if_stripe_gave_back_too_much(
        self, gateway: Gateway, sandbox: Sandbox, clerk: Shopper, post: Post, paid: Payment
    ) -> None:
        sandbox.guards.over_refunds = False

        refunds = await self.refunded_meanwhile(gateway, sandbox, clerk, post, paid)

        assert [refund.status for refund in refunds] == [RefundStatus.SUCCEEDED] * 2
        payment = await clerk.payment(paid.id)
        assert (payment.status, payment.refunded_amount) == (PaymentStatus.REFUNDED, 450)
        assert (payment.captured_amount, payment.refundable_amount) == (450, 0)
