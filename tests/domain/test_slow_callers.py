from dataclasses import replace

import pytest

from domain.commands.create_payment import CreatePayment
from domain.errors import ProcessorUnavailable
from domain.operation import OperationState
from gateway.wiring import Gateway
from sandbox import Sandbox
from tests.domain.faults import resumed_later
from tests.domain.shopping import COFFEE, Shopper
from tests.domain.stumbling import KEY, StumblingProcessor, is_paid_once


@pytest.fixture
async def customer(shopper: Shopper) -> Shopper:
    await shopper.saves()
    return shopper


class TestSlowCaller:
    """Whose lease was over before Stripe's answer came, so that the worker did the work."""

    async def test_takes_the_workers_outcome_for_its_own(
        self, customer: Shopper, gateway: Gateway, sandbox: Sandbox
    ) -> None:
        async def be_overtaken() -> None:
            assert await resumed_later(gateway) == 1

        processor = StumblingProcessor.beside(gateway, be_overtaken)
        slow = replace(gateway.services.commands, processor=processor)

        executed = await slow.execute(customer.actor, CreatePayment(amount=COFFEE), key=KEY)

        await processor.close()
        assert executed.operation == await customer.operation("createPayment", KEY)
        assert await is_paid_once(customer, sandbox)

    async def test_that_never_heard_an_answer_does_not_undo_what_the_worker_found(
        self, customer: Shopper, gateway: Gateway, sandbox: Sandbox
    ) -> None:
        async def be_overtaken() -> None:
            await resumed_later(gateway)
            raise ProcessorUnavailable

        processor = StumblingProcessor.beside(gateway, be_overtaken)
        slow = replace(gateway.services.commands, processor=processor)

        executed = await slow.execute(customer.actor, CreatePayment(amount=COFFEE), key=KEY)

        await processor.close()
        assert executed.operation.state is OperationState.SUCCEEDED
        assert await is_paid_once(customer, sandbox)
