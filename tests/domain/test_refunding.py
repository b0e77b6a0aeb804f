import asyncio

import pytest

from domain.actor import Actor, Role
from domain.commands.payments import CapturePayment
from domain.commands.refunds import RefundPayment
from domain.errors import (
    AmountOutOfRange,
    CurrencyRuleBroken,
    Disputed,
    Forbidden,
    InvalidInput,
    NotFound,
    ProcessorRefused,
    StateConflict,
)
from domain.identity import new_id
from domain.money import Money
from domain.operation import ObjectKind, OperationState
from domain.payment import Payment
from domain.payment_status import CaptureMethod, PaymentAction, PaymentStatus
from domain.ports import Database
from domain.refund import RefundOrigin, RefundReason, RefundStatus
from sandbox import Sandbox
from tests.domain.shopping import COFFEE, Post, Shopper


@pytest.fixture
async def paid(shopper: Shopper) -> Payment:
    await shopper.saves()
    return await shopper.pays()


def given_back(sandbox: Sandbox) -> dict[str, int]:
    """What was really refunded, by Stripe's own books."""
    return dict(sandbox.ledger()["totals"]["amount_refunded"])


class TestRefundPayment:
    async def test_gives_everything_back(
        self, shopper: Shopper, clerk: Shopper, paid: Payment, sandbox: Sandbox
    ) -> None:
        refund = await clerk.gives_back(paid, note="Cold coffee")

        payment = await shopper.payment(paid.id)
        assert (refund.status, refund.amount, refund.currency) == (RefundStatus.SUCCEEDED, 450, "EUR")
        assert (refund.origin, refund.created_by) == (RefundOrigin.API, clerk.actor.user_id)
        assert (refund.note, refund.revokes_access) == ("Cold coffee", True)
        assert refund.succeeded_at is not None
        assert (payment.status, payment.refunded_amount) == (PaymentStatus.REFUNDED, 450)
        assert (payment.refund_pending_amount, payment.refundable_amount) == (0, 0)
        assert payment.actions == ()
        assert given_back(sandbox) == {"eur": 450}

    async def test_gives_back_in_parts_until_nothing_is_left(
        self, shopper: Shopper, clerk: Shopper, paid: Payment, sandbox: Sandbox
    ) -> None:
        await clerk.gives_back(paid, 100)
        partly = await shopper.payment(paid.id)
        await clerk.gives_back(paid, 50)
        rest = await clerk.gives_back(paid)

        assert (partly.status, partly.refundable_amount) == (PaymentStatus.PARTIALLY_REFUNDED, 350)
        assert partly.actions == (PaymentAction.REFUND,)
        assert rest.amount == 300
        assert [refund.amount for refund in await shopper.refunds(paid)] == [100, 50, 300]
        assert (await shopper.payment(paid.id)).status is PaymentStatus.REFUNDED
        assert given_back(sandbox) == {"eur": 450}

    async def test_gives_back_no_more_than_was_captured(
        self, shopper: Shopper, clerk: Shopper, sandbox: Sandbox
    ) -> None:
        await shopper.saves()
        held = await shopper.pays(capture_method=CaptureMethod.MANUAL)
        await clerk.does(CapturePayment(payment_id=held.id, amount=Money(minor=300, currency="EUR")))

        refund = await clerk.gives_back(held)

        assert refund.amount == 300
        assert (await shopper.payment(held.id)).status is PaymentStatus.REFUNDED

    @pytest.mark.parametrize(
        ("reason", "told"),
        [
            (RefundReason.DUPLICATE, "duplicate"),
            (RefundReason.FRAUDULENT, "fraudulent"),
            (RefundReason.CUSTOMER_REQUEST, "requested_by_customer"),
            (RefundReason.GOODWILL, None),
        ],
    )
    async def test_tells_stripe_its_reason_and_our_ids(
        self, clerk: Shopper, paid: Payment, sandbox: Sandbox, reason: RefundReason, told: str | None
    ) -> None:
        refund = await clerk.gives_back(paid, reason=reason)

        [made] = sandbox.objects.all("refund")
        assert (refund.reason, made["reason"]) == (reason, told)
        assert made["metadata"] == {"refund_id": str(refund.id), "payment_id": str(paid.id)}
        assert refund.processor_refund_id == made["id"]

    async def test_is_told_in_the_audit_trail(
        self, clerk: Shopper, paid: Payment, database: Database
    ) -> None:
        refund = await clerk.gives_back(paid, note="Cold coffee")

        async with database.reads() as reads:
            of_refund = await reads.audit.of_object(ObjectKind.REFUND, refund.id)
            of_payment = await reads.audit.of_object(ObjectKind.PAYMENT, paid.id)
        assert [record.action for record in of_refund] == ["refund.requested", "refund.succeeded"]
        assert {record.actor_id for record in of_refund} == {clerk.actor.user_id}
        assert of_refund[0].note == "Cold coffee"
        assert [record.action for record in of_payment][-2:] == [
            "payment.refunds_counted",
            "payment.refunded",
        ]


class TestRefusedRefund:
    @pytest.mark.parametrize("minor", [0, -1, 451])
    async def test_of_more_than_is_left_or_nothing_says_what_is_left(
        self, clerk: Shopper, paid: Payment, sandbox: Sandbox, minor: int
    ) -> None:
        with pytest.raises(AmountOutOfRange) as refused:
            await clerk.gives_back(paid, minor)

        assert refused.value.path == ("amount", "minor")
        assert (refused.value.minimum, refused.value.maximum) == (1, 450)
        assert given_back(sandbox) == {"eur": 0}
        assert await clerk.refunds(paid) == []

    async def test_of_more_than_other_refunds_leave_says_what_is_left(
        self, clerk: Shopper, paid: Payment
    ) -> None:
        await clerk.gives_back(paid, 300)

        with pytest.raises(AmountOutOfRange) as refused:
            await clerk.gives_back(paid, 151)

        assert refused.value.maximum == 150

    async def test_in_another_currency(self, clerk: Shopper, paid: Payment) -> None:
        amount = Money(minor=100, currency="USD")

        with pytest.raises(CurrencyRuleBroken, match="is in EUR"):
            await clerk.does(RefundPayment(payment_id=paid.id, amount=amount, reason=RefundReason.GOODWILL))

    async def test_of_a_fraction_that_the_currency_lacks(self, shopper: Shopper, clerk: Shopper) -> None:
        await shopper.saves()
        payment = await shopper.pays(Money(minor=50_000, currency="ISK"))

        with pytest.raises(CurrencyRuleBroken, match="multiples of 100"):
            await clerk.gives_back(payment, 150)

    async def test_of_a_payment_that_was_given_back_already(self, clerk: Shopper, paid: Payment) -> None:
        await clerk.gives_back(paid)

        with pytest.raises(StateConflict) as refused:
            await clerk.gives_back(paid)

        assert (refused.value.current, refused.value.allowed) == (PaymentStatus.REFUNDED, ())

    async def test_of_a_payment_that_was_not_collected(self, shopper: Shopper, clerk: Shopper) -> None:
        await shopper.saves("pm_card_chargeCustomerFail")
        failed = await shopper.pays()
        open_ = await shopper.pays(is_confirmed=False)

        for payment in (failed, open_):
            with pytest.raises(StateConflict) as refused:
                await clerk.gives_back(payment)
            assert refused.value.current == payment.status

    async def test_of_a_disputed_payment(
        self, clerk: Shopper, paid: Payment, sandbox: Sandbox, post: Post
    ) -> None:
        sandbox.dispute(paid.processor_payment_id or "")
        await post.deliver_all()

        with pytest.raises(Disputed):
            await clerk.gives_back(paid)

        assert given_back(sandbox) == {"eur": 0}

    @pytest.mark.parametrize("role", [Role.USER, Role.SUPPORT, Role.SERVICE])
    async def test_by_anybody_but_an_admin(
        self, shopper: Shopper, paid: Payment, sandbox: Sandbox, role: Role
    ) -> None:
        caller = Shopper(gateway=shopper.gateway, actor=Actor(role=role, user_id=shopper.actor.user_id))

        with pytest.raises(Forbidden):
            await caller.gives_back(paid)

        assert given_back(sandbox) == {"eur": 0}

    async def test_of_no_payment(self, clerk: Shopper) -> None:
        with pytest.raises(NotFound):
            await clerk.does(RefundPayment(payment_id=new_id(), reason=RefundReason.OTHER))

    async def test_with_a_card_number_in_its_note(self, clerk: Shopper, paid: Payment) -> None:
        with pytest.raises(InvalidInput) as refused:
            await clerk.gives_back(paid, note="It was 4242 4242 4242 4242")

        assert (refused.value.path, refused.value.constraint) == (("note",), "noCardNumber")

    async def test_burns_no_key(self, clerk: Shopper, paid: Payment) -> None:
        with pytest.raises(AmountOutOfRange):
            await clerk.gives_back(paid, 451, key="refund-17")

        refund = await clerk.gives_back(paid, 450, key="refund-17")

        assert refund.status is RefundStatus.SUCCEEDED

    async def test_by_stripe_gives_its_amount_back(
        self, shopper: Shopper, clerk: Shopper, paid: Payment, sandbox: Sandbox
    ) -> None:
        sandbox.dispute(paid.processor_payment_id or "")  # We have not heard of it.

        executed = await clerk.does(
            RefundPayment(payment_id=paid.id, reason=RefundReason.OTHER), key="refund-17"
        )

        verdict = executed.operation.verdict
        assert isinstance(verdict, ProcessorRefused)
        assert verdict.reason == "charge_disputed"
        [refund] = await clerk.refunds(paid)
        assert (refund.status, refund.failure_reason) == (RefundStatus.FAILED, "charge_disputed")
        payment = await shopper.payment(paid.id)
        assert (payment.status, payment.refundable_amount) == (PaymentStatus.COMPLETED, 450)


class TestManyAtOnce:
    async def test_never_give_back_more_than_there_is(
        self, shopper: Shopper, clerk: Shopper, sandbox: Sandbox
    ) -> None:
        """Stripe's own guard is off, so that only ours can hold."""
        await shopper.saves()
        payment = await shopper.pays(Money(minor=1000, currency="EUR"))
        sandbox.guards.over_refunds = False

        tried = [clerk.gives_back(payment, 600 if number % 2 else 300) for number in range(20)]
        results = await asyncio.gather(*tried, return_exceptions=True)

        refused = [result for result in results if isinstance(result, BaseException)]
        assert all(isinstance(result, AmountOutOfRange) for result in refused)
        given = given_back(sandbox)["eur"]
        assert given in {600, 900}
        settled = await shopper.payment(payment.id)
        assert (settled.refunded_amount, settled.refund_pending_amount) == (given, 0)
        assert sum(refund.amount for refund in await clerk.refunds(payment)) == given

    async def test_of_one_key_are_one_refund(self, clerk: Shopper, paid: Payment, sandbox: Sandbox) -> None:
        sandbox.guards.over_refunds = False

        executed = await asyncio.gather(
            *(clerk.gives_back(paid, 200, key="refund-17") for _ in range(20)), return_exceptions=True
        )

        again = await clerk.gives_back(paid, 200, key="refund-17")
        assert all(result == again or isinstance(result, Exception) for result in executed)
        assert given_back(sandbox) == {"eur": 200}
        assert [refund.id for refund in await clerk.refunds(paid)] == [again.id]

    async def test_of_one_payment_may_be_under_way_together(
        self, clerk: Shopper, paid: Payment, sandbox: Sandbox
    ) -> None:
        refunds = await asyncio.gather(*(clerk.gives_back(paid, 150) for _ in range(3)))

        assert {refund.status for refund in refunds} == {RefundStatus.SUCCEEDED}
        assert given_back(sandbox) == {"eur": 450}


class TestReplayedRefund:
    async def test_shows_the_first_one_though_nothing_is_left_for_another(
        self, clerk: Shopper, paid: Payment, sandbox: Sandbox
    ) -> None:
        command = RefundPayment(payment_id=paid.id, reason=RefundReason.OTHER)
        first = await clerk.does(command, key="refund-17")

        again = await clerk.does(command, key="refund-17")

        assert (again.is_replayed, again.operation) == (True, first.operation)
        assert again.operation.state is OperationState.SUCCEEDED
        assert given_back(sandbox) == {"eur": COFFEE.minor}
