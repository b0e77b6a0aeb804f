from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.commands.add_payment_method import AddPaymentMethod
from domain.commands.create_payment import CreatePayment
from domain.commands.payments import CancelPayment
from domain.decline import Decline
from domain.errors import ProcessorRefused
from domain.operation import ObjectKind, OperationState
from domain.outcome import Outcome
from domain.payment_status import PaymentStatus, SyncSource
from domain.ports import Database
from gateway.wiring import Gateway
from sandbox import Sandbox
from sandbox.control.faults import Kind
from tests.domain.faults import spoil
from tests.domain.shopping import COFFEE, Shopper, captures
from tests.domain.values import a_payment

pytestmark = pytest.mark.usefixtures("impatient")

KEY = "coffee-17"
NOW = datetime(2026, 11, 23, tzinfo=UTC)


async def resumed_after(gateway: Gateway, pause: timedelta) -> None:
    commands = gateway.services.commands
    later = commands.clock() + pause
    await replace(commands, clock=lambda: later).resume_abandoned()


class TestOperationOfYesterday:
    async def test_that_stripe_never_heard_of_is_not_charged_any_more(
        self, shopper: Shopper, gateway: Gateway, sandbox: Sandbox
    ) -> None:
        await shopper.saves()
        spoil(sandbox, "/v1/payment_intents$", Kind.ERROR_BEFORE)
        await shopper.does(CreatePayment(amount=COFFEE), key=KEY)
        sandbox.faults.clear()

        await resumed_after(gateway, timedelta(hours=25))

        operation = await shopper.operation("createPayment", KEY)
        assert operation.state is OperationState.FAILED
        assert isinstance(operation.verdict, ProcessorRefused)
        assert (await shopper.payment(operation.subject)).status is PaymentStatus.FAILED
        assert captures(sandbox) == 0

    async def test_that_stripe_carried_out_is_settled(
        self, shopper: Shopper, gateway: Gateway, sandbox: Sandbox
    ) -> None:
        await shopper.saves()
        spoil(sandbox, "/v1/payment_intents$", Kind.ERROR_AFTER)
        await shopper.does(CreatePayment(amount=COFFEE), key=KEY)
        sandbox.faults.clear()

        await resumed_after(gateway, timedelta(hours=25))

        operation = await shopper.operation("createPayment", KEY)
        assert operation.state is OperationState.SUCCEEDED
        assert captures(sandbox) == 1

    async def test_that_was_tried_a_hundred_times_is_still_left_open(
        self, shopper: Shopper, gateway: Gateway, sandbox: Sandbox, database: Database
    ) -> None:
        await shopper.saves()
        spoil(sandbox, "/v1/payment_intents$", Kind.ERROR_BEFORE, method=None)
        first = (await shopper.does(CreatePayment(amount=COFFEE), key=KEY)).operation
        async with database.work() as work:
            await work.operations.save(replace(first, attempts=100))

        await resumed_after(gateway, timedelta(hours=1))

        assert (await shopper.operation("createPayment", KEY)).state is OperationState.OUTCOME_UNKNOWN

    async def test_that_made_a_card_the_default_which_was_saved_already_is_completed(
        self, shopper: Shopper, gateway: Gateway, sandbox: Sandbox
    ) -> None:
        await shopper.saves()
        saved = await shopper.saves("pm_card_mastercard")
        spoil(sandbox, "/v1/customers/[^/]+$", Kind.ERROR_AFTER)
        again = AddPaymentMethod(processor_method_id="pm_card_mastercard", makes_default=True)
        await shopper.does(again, key=KEY)
        sandbox.faults.clear()

        await resumed_after(gateway, timedelta(hours=25))

        assert (await shopper.operation("addPaymentMethod", KEY)).state is OperationState.SUCCEEDED
        assert [method.id for method in await shopper.methods() if method.is_default] == [saved]


class TestFailedPayment:
    def test_goes_on_when_an_answer_says_that_it_is_under_way(self) -> None:
        failed = a_payment().settle(
            Outcome(status=PaymentStatus.FAILED, decline=Decline(code="expired_card")), at=NOW
        )

        under_way = failed.settle(Outcome(status=PaymentStatus.REQUIRES_ACTION), at=NOW)

        assert under_way.status is PaymentStatus.REQUIRES_ACTION

    def test_stays_failed_for_a_late_event_of_an_earlier_step(self) -> None:
        failed = a_payment().settle(
            Outcome(status=PaymentStatus.FAILED, decline=Decline(code="expired_card")), at=NOW
        )

        late = Outcome(status=PaymentStatus.REQUIRES_ACTION, source=SyncSource.WEBHOOK)

        assert failed.settle(late, at=NOW).status is PaymentStatus.FAILED


class TestCancellation:
    async def test_keeps_the_reason_in_the_audit_trail(self, shopper: Shopper, database: Database) -> None:
        payment = await shopper.pays(is_confirmed=False)

        await shopper.does(CancelPayment(payment_id=payment.id, reason="Ordered twice"))

        async with database.reads() as reads:
            records = await reads.audit.of_object(ObjectKind.PAYMENT, payment.id)
        notes = [record.note for record in records if record.note is not None]
        assert notes == ["Ordered twice"]
