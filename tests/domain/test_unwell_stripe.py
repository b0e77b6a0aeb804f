"""While Stripe is known to be unwell: callers hear so at once, and the worker waits until it is well again."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.command_service import CommandService
from domain.commands.add_payment_method import AddPaymentMethod
from domain.commands.create_payment import CreatePayment
from domain.errors import ProcessorUnavailable
from domain.operation import Operation, OperationState
from gateway.settings import Settings
from gateway.wiring import Gateway, wire
from processor import stripe_client
from processor.circuit import Circuit, CircuitState
from processor.stripe_processor import StripeProcessor
from sandbox import Sandbox
from sandbox.control.faults import Kind
from tests.clocks import MonotonicClock
from tests.domain.faults import spoil
from tests.domain.shopping import COFFEE, Shopper, captures, until
from tests.watched_processor import WatchedProcessor

pytestmark = pytest.mark.usefixtures("impatient")

PAUSE = 20
PAYMENTS = "/v1/payment_intents"


@pytest.fixture
def clock() -> MonotonicClock:
    return MonotonicClock()


@pytest.fixture
def patience() -> float:
    """Seconds that a request waits for its answer."""
    return 0.2


@pytest.fixture
async def gateway(
    settings: Settings, clock: MonotonicClock, patience: float, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Gateway]:
    """Whose circuit opens after one call in vain."""
    monkeypatch.setattr(stripe_client, "TIMEOUT", patience)

    def connect(secret_key: str, *, api_base: str, circuit: Circuit, **_: object) -> StripeProcessor:
        fragile = Circuit(threshold=4, pause=PAUSE, clock=clock)
        return WatchedProcessor.connected(secret_key, api_base=api_base, circuit=fragile)

    gateway = wire(settings, connect=connect)
    yield gateway
    await gateway.close()


@pytest.fixture
async def customer(shopper: Shopper) -> Shopper:
    await shopper.saves()
    return shopper


@pytest.fixture
async def unwell(customer: Shopper, sandbox: Sandbox, gateway: Gateway) -> Operation:
    """What was on its way to Stripe when that broke down."""
    spoil(sandbox, PAYMENTS, Kind.RESET_BEFORE, method=None)
    operation = (await customer.does(CreatePayment(amount=COFFEE), key="coffee-01")).operation
    assert gateway.processor.circuit is CircuitState.OPEN
    return operation


def requests(sandbox: Sandbox) -> int:
    return len(sandbox.requests.newest_first())


def an_hour_later(gateway: Gateway) -> CommandService:
    commands = gateway.services.commands
    moment = commands.clock() + timedelta(hours=1)
    return replace(commands, clock=lambda: moment)


class TestCaller:
    async def test_hears_at_once_that_the_outcome_is_not_known_and_when_to_ask_again(
        self, customer: Shopper, unwell: Operation, sandbox: Sandbox
    ) -> None:
        sent = requests(sandbox)

        operation = (await customer.does(CreatePayment(amount=COFFEE), key="coffee-02")).operation

        assert operation.state is OperationState.OUTCOME_UNKNOWN
        assert isinstance(operation.verdict, ProcessorUnavailable)
        assert operation.verdict.retry_after_seconds == PAUSE
        assert requests(sandbox) == sent

    async def test_whose_first_request_it_is_leaves_nothing_behind(
        self, stranger: Shopper, unwell: Operation
    ) -> None:
        with pytest.raises(ProcessorUnavailable) as spared:
            await stranger.does(AddPaymentMethod(processor_method_id="pm_card_visa"), key="card-0017")

        assert spared.value.retry_after_seconds == PAUSE

    async def test_that_asks_again_and_again_makes_nobody_wait_longer(
        self, customer: Shopper, unwell: Operation, gateway: Gateway
    ) -> None:
        for _ in range(10):
            again = (await customer.does(CreatePayment(amount=COFFEE), key="coffee-01")).operation

        assert again.attempts == unwell.attempts
        assert isinstance(again.verdict, ProcessorUnavailable)
        assert again.verdict.retry_after_seconds == PAUSE


class TestHeldCalls:
    @pytest.fixture
    def patience(self) -> float:
        """None of them may time out meanwhile, which would open the circuit before all have come."""
        return 20

    async def test_leave_our_own_books_readable(self, customer: Shopper, sandbox: Sandbox) -> None:
        """More payments wait than there are connections to the database."""
        spoil(sandbox, PAYMENTS, Kind.HANG_BEFORE, times=30)
        waiting = [asyncio.create_task(customer.pays(key=f"coffee-{n:02}")) for n in range(30)]
        await until(lambda: not sandbox.faults.rules())

        async with asyncio.timeout(1):
            methods = await customer.methods()

        sandbox.faults.release()
        await asyncio.gather(*waiting)
        assert len(methods) == 1


class TestWorker:
    async def test_leaves_operations_alone_meanwhile(
        self, customer: Shopper, unwell: Operation, gateway: Gateway
    ) -> None:
        resumed = await an_hour_later(gateway).resume_abandoned()

        assert resumed == 0
        assert await customer.operation("createPayment", "coffee-01") == unwell

    async def test_tries_one_operation_after_the_pause(
        self, customer: Shopper, unwell: Operation, gateway: Gateway, clock: MonotonicClock
    ) -> None:
        for number in range(2, 5):
            await customer.does(CreatePayment(amount=COFFEE), key=f"coffee-0{number}")
        clock.seconds += PAUSE

        resumed = await an_hour_later(gateway).resume_abandoned()

        attempts = [
            (await customer.operation("createPayment", f"coffee-0{number}")).attempts
            for number in range(1, 5)
        ]
        assert (resumed, sorted(attempts)) == (1, [1, 1, 1, 2])

    async def test_settles_all_of_them_once_stripe_is_well_again(
        self, customer: Shopper, unwell: Operation, gateway: Gateway, sandbox: Sandbox, clock: MonotonicClock
    ) -> None:
        for number in range(2, 5):
            await customer.does(CreatePayment(amount=COFFEE), key=f"coffee-0{number}")
        sandbox.faults.clear()
        clock.seconds += PAUSE

        resumed = await an_hour_later(gateway).resume_abandoned()

        assert resumed == 4
        assert captures(sandbox) == 4
