"""Crashes between the strokes of a command, and who goes on afterwards."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from domain.command_service import CommandService
from domain.commands.add_payment_method import AddPaymentMethod
from domain.commands.create_payment import CreatePayment
from domain.commands.payments import CancelPayment
from domain.errors import Busy, KeyInProgress, ProcessorUnavailable
from domain.operation import Operation, OperationState
from domain.outcome import Outcome
from domain.payment import Payment
from gateway.wiring import Gateway, wire
from sandbox import Sandbox
from sandbox.control.faults import Kind, Rule
from tests.domain.faults import resumed_later
from tests.domain.shopping import COFFEE, Post, Shopper, captures, until
from tests.domain.stumbling import KEY, StumblingProcessor, is_paid_once
from tests.watched_processor import WatchedProcessor

LEASE = timedelta(seconds=30)
SOON = timedelta(seconds=3)
"""Long before the lease is over."""

Crash = Callable[[], Awaitable[None]]


class Crashed(Exception):
    """The process is gone, as far as one command can tell."""


@pytest.fixture
async def customer(shopper: Shopper) -> Shopper:
    await shopper.saves()
    return shopper


@pytest.fixture
def crash(customer: Shopper, gateway: Gateway) -> Crash:
    """A payment that Stripe has collected and of which only the intent was written down."""

    async def die() -> None:
        raise Crashed

    async def pay_and_die() -> None:
        processor = StumblingProcessor.beside(gateway, die)
        dying = replace(gateway.services.commands, processor=processor)
        with pytest.raises(Crashed):
            await dying.execute(customer.actor, CreatePayment(amount=COFFEE), key=KEY)
        await processor.close()

    return pay_and_die


async def tried_often(customer: Shopper, gateway: Gateway) -> Operation:
    """A payment that Stripe has not heard of yet, though it was tried nine times."""

    class Deaf(WatchedProcessor):
        async def charge(self, payment: Payment, **choices: Any) -> Outcome:
            raise ProcessorUnavailable

    settings = gateway.settings
    deaf = Deaf.connected(settings.stripe_secret_key.get_secret_value(), api_base=settings.stripe_api_base)
    unheard = replace(gateway.services.commands, processor=deaf)
    executed = await unheard.execute(customer.actor, CreatePayment(amount=COFFEE), key=KEY)
    await deaf.close()
    often = replace(executed.operation, attempts=9)
    async with gateway.services.database.work() as work:
        await work.operations.save(often)
    return often


def later(commands: CommandService, delay: timedelta) -> CommandService:
    moment: datetime = commands.clock() + delay
    return replace(commands, clock=lambda: moment)


class TestCrashAfterTheCall:
    async def test_is_settled_by_the_worker_once_the_lease_is_over(
        self, crash: Crash, customer: Shopper, gateway: Gateway, sandbox: Sandbox
    ) -> None:
        await crash()
        commands = gateway.services.commands

        assert await later(commands, LEASE - timedelta(seconds=5)).resume_abandoned() == 0
        assert (await customer.operation("createPayment", KEY)).state is OperationState.RUNNING
        assert await later(commands, LEASE + timedelta(seconds=1)).resume_abandoned() == 1

        assert await is_paid_once(customer, sandbox)

    async def test_is_settled_by_the_callers_retry_once_the_lease_is_over(
        self, crash: Crash, customer: Shopper, gateway: Gateway, sandbox: Sandbox
    ) -> None:
        await crash()
        command, commands = CreatePayment(amount=COFFEE), gateway.services.commands

        with pytest.raises(KeyInProgress):
            await commands.execute(customer.actor, command, key=KEY)
        executed = await later(commands, LEASE + timedelta(seconds=1)).execute(
            customer.actor, command, key=KEY
        )

        assert executed.is_replayed
        assert await is_paid_once(customer, sandbox)

    async def test_is_settled_by_the_webhook_and_then_closed_by_the_worker(
        self, crash: Crash, customer: Shopper, gateway: Gateway, sandbox: Sandbox, post: Post
    ) -> None:
        await crash()

        await post.deliver_all()
        await resumed_later(gateway)

        assert await is_paid_once(customer, sandbox)

    async def test_is_settled_by_our_id_when_stripe_has_forgotten_the_key(
        self, crash: Crash, customer: Shopper, gateway: Gateway, sandbox: Sandbox
    ) -> None:
        await crash()
        sandbox.advance(25 * 3_600)

        await resumed_later(gateway)

        assert await is_paid_once(customer, sandbox)

    async def test_keeps_the_payment_busy_meanwhile(self, crash: Crash, customer: Shopper) -> None:
        await crash()
        payment_id = (await customer.operation("createPayment", KEY)).subject

        with pytest.raises(Busy):
            await customer.does(CancelPayment(payment_id=payment_id))

    async def test_of_two_resumers_at_once_one_does_it(
        self, crash: Crash, customer: Shopper, gateway: Gateway, sandbox: Sandbox
    ) -> None:
        await crash()
        commands = later(gateway.services.commands, LEASE + timedelta(seconds=1))
        replica = wire(gateway.settings, connect=WatchedProcessor.connected)
        there = replace(replica.services.commands, clock=commands.clock)

        counts = await asyncio.gather(commands.resume_abandoned(), there.resume_abandoned())

        await replica.close()
        assert sorted(counts) == [0, 1]
        assert (await customer.operation("createPayment", KEY)).attempts == 2
        assert await is_paid_once(customer, sandbox)

    async def test_of_thirty_retries_at_once_one_does_it(
        self, crash: Crash, customer: Shopper, gateway: Gateway, sandbox: Sandbox
    ) -> None:
        await crash()
        commands = later(gateway.services.commands, LEASE + timedelta(seconds=1))

        retries = (commands.execute(customer.actor, CreatePayment(amount=COFFEE), key=KEY) for _ in range(30))
        answers = await asyncio.gather(*retries, return_exceptions=True)

        failures = {type(answer) for answer in answers if isinstance(answer, Exception)}
        assert failures <= {KeyInProgress}
        assert await is_paid_once(customer, sandbox)


class TestCrashBeforeTheCall:
    async def test_is_carried_out_by_the_worker(
        self, customer: Shopper, gateway: Gateway, sandbox: Sandbox
    ) -> None:
        sandbox.faults.add([Rule(path=re.compile("/payment_intents$"), kind=Kind.HANG_BEFORE, seconds=5)])
        task = asyncio.create_task(customer.does(CreatePayment(amount=COFFEE), key=KEY))
        await until(lambda: not sandbox.faults.rules())
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert captures(sandbox) == 0

        await resumed_later(gateway)

        sandbox.faults.release()
        assert await is_paid_once(customer, sandbox)

    async def test_keeps_every_word_that_stripe_is_to_hear(
        self, customer: Shopper, gateway: Gateway, sandbox: Sandbox
    ) -> None:
        sandbox.faults.add([Rule(path=re.compile("/payment_intents$"), kind=Kind.HANG_BEFORE, seconds=5)])
        command = CreatePayment(
            amount=COFFEE,
            description="Espresso",
            details={"order": "A-17"},
            saves_method=True,
            return_url="https://coffee.example/thanks",
        )
        task = asyncio.create_task(customer.does(command, key=KEY))
        await until(lambda: not sandbox.faults.rules())
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

        await resumed_later(gateway)

        sandbox.faults.release()
        [intent] = sandbox.objects.all("payment_intent")
        assert (intent["description"], intent["setup_future_usage"]) == ("Espresso", "off_session")
        operation = await customer.operation("createPayment", KEY)
        assert intent["metadata"]["payment_id"] == str(operation.subject)
        assert "Espresso" not in str(operation)


class TestCrashDuringTheCall:
    async def test_cancelled_caller_leaves_the_rest_to_the_worker_at_once(
        self, customer: Shopper, gateway: Gateway, sandbox: Sandbox
    ) -> None:
        sandbox.faults.add([Rule(path=re.compile("/payment_intents$"), kind=Kind.HANG_AFTER, seconds=5)])
        task = asyncio.create_task(customer.does(CreatePayment(amount=COFFEE), key=KEY))
        await until(lambda: captures(sandbox))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert (await customer.operation("createPayment", KEY)).state is OperationState.OUTCOME_UNKNOWN

        resumed = await later(gateway.services.commands, SOON).resume_abandoned()

        sandbox.faults.release()
        assert resumed == 1
        assert await is_paid_once(customer, sandbox)

    async def test_goes_on_at_once_however_many_attempts_came_before(
        self, customer: Shopper, gateway: Gateway, sandbox: Sandbox
    ) -> None:
        async def be_cut_off() -> None:
            raise asyncio.CancelledError

        operation = await tried_often(customer, gateway)
        processor = StumblingProcessor.beside(gateway, be_cut_off)
        dying = replace(gateway.services.commands, processor=processor)
        with pytest.raises(asyncio.CancelledError):
            await dying.execute(customer.actor, CreatePayment(amount=COFFEE), key=KEY)
        await processor.close()
        assert (await customer.operation("createPayment", KEY)).attempts == operation.attempts + 1

        assert await later(gateway.services.commands, SOON).resume_abandoned() == 1

        assert await is_paid_once(customer, sandbox)


class TestResumption:
    async def test_that_fails_is_reported_pauses_and_does_not_stop_the_others(
        self, crash: Crash, customer: Shopper, gateway: Gateway, sandbox: Sandbox
    ) -> None:
        await crash()
        await customer.does(AddPaymentMethod(processor_method_id="pm_card_mastercard"), key="card-017")
        async with gateway.engine.begin() as connection:
            await connection.execute(
                text(
                    "UPDATE operations SET state = 'RUNNING', finished_at = NULL, leased_until = started_at,"
                    " caller_id = id WHERE key = 'card-017'"
                )
            )

        with pytest.raises(ExceptionGroup, match="could not be resumed"):
            await resumed_later(gateway)

        assert await is_paid_once(customer, sandbox)
        async with gateway.engine.connect() as connection:
            failed = await connection.execute(
                text("SELECT state, attempts FROM operations WHERE key = 'card-017'")
            )
        assert failed.one() == (OperationState.OUTCOME_UNKNOWN, 2)

    async def test_with_nothing_abandoned_does_nothing(self, customer: Shopper, gateway: Gateway) -> None:
        await customer.pays()

        assert await resumed_later(gateway) == 0
