import time
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.commands.add_payment_method import AddPaymentMethod
from domain.commands.create_payment import CreatePayment
from domain.commands.payments import CancelPayment, ConfirmPayment
from domain.errors import Busy, ProcessorUnavailable, Retry
from domain.operation import OperationState
from domain.payment_status import PaymentStatus
from gateway.wiring import Gateway
from sandbox import Sandbox
from sandbox.control.faults import Kind
from tests.domain.faults import KINDS, resumed_later, spoil
from tests.domain.shopping import COFFEE, Post, Shopper, captures

pytestmark = pytest.mark.usefixtures("impatient")

KEY = "coffee-17"
PASSING = [kind for kind in KINDS if kind not in {Kind.HANG_BEFORE, Kind.HANG_AFTER, Kind.ERROR_AFTER}]
"""The faults that another attempt within the deadline overcomes."""


@pytest.fixture
async def customer(shopper: Shopper) -> Shopper:
    await shopper.saves()
    return shopper


class TestFaultyCreation:
    @pytest.mark.parametrize("kind", KINDS)
    async def test_that_lasts_is_unknown_until_the_caller_retries(
        self, customer: Shopper, sandbox: Sandbox, kind: Kind
    ) -> None:
        spoil(sandbox, "/v1/payment_intents$", kind)

        first = (await customer.does(CreatePayment(amount=COFFEE), key=KEY)).operation
        sandbox.faults.clear()
        again = (await customer.does(CreatePayment(amount=COFFEE), key=KEY)).operation

        assert first.state is OperationState.OUTCOME_UNKNOWN
        assert again.state is OperationState.SUCCEEDED
        assert (again.subject, again.error) == (first.subject, None)
        assert (await customer.payment(again.subject)).status is PaymentStatus.COMPLETED
        assert captures(sandbox) == 1

    @pytest.mark.parametrize("kind", KINDS)
    async def test_that_lasts_is_settled_by_the_worker(
        self, customer: Shopper, gateway: Gateway, sandbox: Sandbox, kind: Kind
    ) -> None:
        spoil(sandbox, "/v1/payment_intents$", kind)
        first = (await customer.does(CreatePayment(amount=COFFEE), key=KEY)).operation
        sandbox.faults.clear()

        await resumed_later(gateway)

        operation = await customer.operation("createPayment", KEY)
        assert operation.state is OperationState.SUCCEEDED
        assert (await customer.payment(first.subject)).status is PaymentStatus.COMPLETED
        assert captures(sandbox) == 1

    @pytest.mark.parametrize("kind", PASSING)
    async def test_that_passes_is_not_noticed(self, customer: Shopper, sandbox: Sandbox, kind: Kind) -> None:
        spoil(sandbox, "/v1/payment_intents$", kind, times=1)

        operation = (await customer.does(CreatePayment(amount=COFFEE), key=KEY)).operation

        assert operation.state is OperationState.SUCCEEDED
        assert captures(sandbox) == 1

    async def test_tells_the_caller_to_come_back_with_the_same_key(
        self, customer: Shopper, sandbox: Sandbox
    ) -> None:
        spoil(sandbox, "/v1/payment_intents$", Kind.ERROR_AFTER)

        operation = (await customer.does(CreatePayment(amount=COFFEE), key=KEY)).operation

        assert isinstance(operation.verdict, ProcessorUnavailable)
        assert operation.verdict.retry is Retry.LATER_SAME_KEY
        assert (operation.has_ended, operation.finished_at) == (False, None)
        assert (await customer.payment(operation.subject)).status is PaymentStatus.PENDING

    async def test_that_is_told_by_webhook_first_is_settled_at_once(
        self, customer: Shopper, gateway: Gateway, sandbox: Sandbox, post: Post
    ) -> None:
        spoil(sandbox, "/v1/payment_intents$", Kind.ERROR_AFTER)
        operation = (await customer.does(CreatePayment(amount=COFFEE), key=KEY)).operation

        await post.deliver_all()
        assert (await customer.payment(operation.subject)).status is PaymentStatus.COMPLETED
        await resumed_later(gateway)

        assert (await customer.operation("createPayment", KEY)).state is OperationState.SUCCEEDED
        assert captures(sandbox) == 1

    async def test_is_tried_again_and_again_with_growing_pauses(
        self, customer: Shopper, gateway: Gateway, sandbox: Sandbox
    ) -> None:
        spoil(sandbox, "/v1/payment_intents", Kind.ERROR_BEFORE, method=None)
        first = (await customer.does(CreatePayment(amount=COFFEE), key=KEY)).operation

        await resumed_later(gateway)

        second = await customer.operation("createPayment", KEY)
        assert second.state is OperationState.OUTCOME_UNKNOWN
        assert (first.attempts, second.attempts) == (1, 2)

    async def test_keeps_other_commands_off_the_payment(self, customer: Shopper, sandbox: Sandbox) -> None:
        card = await customer.saves("pm_card_mastercard")
        spoil(sandbox, "/v1/payment_intents$", Kind.ERROR_AFTER)
        operation = (await customer.does(CreatePayment(amount=COFFEE), key=KEY)).operation

        for command in (
            ConfirmPayment(payment_id=operation.subject, payment_method_id=card),
            CancelPayment(payment_id=operation.subject),
        ):
            with pytest.raises(Busy) as busy:
                await customer.does(command)
            assert busy.value.retry is Retry.LATER_SAME_KEY

    async def test_of_the_customer_writes_no_payment_and_leaves_the_key_free(
        self, shopper: Shopper, sandbox: Sandbox
    ) -> None:
        spoil(sandbox, "/v1/customers$", Kind.RESET_AFTER)

        with pytest.raises(ProcessorUnavailable):
            await shopper.does(AddPaymentMethod(processor_method_id="pm_card_visa"), key="card-017")
        sandbox.faults.clear()
        added = await shopper.does(AddPaymentMethod(processor_method_id="pm_card_visa"), key="card-017")

        assert not added.is_replayed
        assert len(list(sandbox.objects.all("customer"))) == 1

    async def test_of_the_customer_whose_error_stripe_has_stored_does_not_last_a_day(
        self, shopper: Shopper, sandbox: Sandbox
    ) -> None:
        spoil(sandbox, "/v1/customers$", Kind.ERROR_AFTER, times=1)

        await shopper.does(AddPaymentMethod(processor_method_id="pm_card_visa"), key="card-017")

        [customer] = sandbox.objects.all("customer")
        [method] = sandbox.objects.all("payment_method")
        assert method["customer"] == customer["id"]

    async def test_of_the_customer_whom_nobody_finds_does_not_last_a_day_either(
        self, shopper: Shopper, sandbox: Sandbox
    ) -> None:
        spoil(sandbox, "/v1/customers$", Kind.ERROR_AFTER, times=1)
        spoil(sandbox, "/v1/customers$", Kind.ERROR_BEFORE, method="GET")
        with pytest.raises(ProcessorUnavailable):
            await shopper.saves()
        sandbox.faults.clear()
        [lost] = sandbox.objects.all("customer")
        sandbox.objects.save({**lost, "metadata": {}})

        await shopper.saves()

        assert len(await shopper.methods()) == 1


class TestHangingStripe:
    async def test_is_answered_for_at_the_deadline_whatever_attempts_are_left(
        self, shopper: Shopper, gateway: Gateway, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("processor.stripe_calls.ATTEMPTS", 1_000)
        spoil(sandbox, "/attach$", Kind.HANG_AFTER)
        hasty = replace(gateway.services.commands, deadline=timedelta(seconds=0.5))
        began = time.monotonic()

        executed = await hasty.execute(shopper.actor, AddPaymentMethod(processor_method_id="pm_card_visa"))

        assert executed.operation.state is OperationState.OUTCOME_UNKNOWN
        assert time.monotonic() - began < 2
