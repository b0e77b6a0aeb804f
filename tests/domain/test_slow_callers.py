from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.commands.create_payment import CreatePayment
from domain.errors import DatabaseUnavailable, ProcessorUnavailable
from domain.operation import Operation, OperationState
from domain.ports import Database, Work
from gateway.wiring import Gateway
from sandbox import Sandbox
from tests.domain.faults import resumed_later
from tests.domain.shopping import COFFEE, Shopper
from tests.domain.stumbling import KEY, StumblingProcessor, is_paid_once

CONCLUSION, HANDING_OVER = 2, 3
"""The transactions of a resumption, after the one that leases it."""


@dataclass(kw_only=True)
class TakingDatabase:
    """A real one that loses the worker's conclusion; as soon as the attempt is handed over, somebody takes it."""

    database: Database
    customer: Shopper
    begun: int = 0

    @asynccontextmanager
    async def work(self) -> AsyncIterator[Work]:
        self.begun += 1
        ordinal = self.begun
        if ordinal == CONCLUSION:
            raise DatabaseUnavailable("connection_lost")
        async with self.database.work() as work:
            yield work
        if ordinal == HANDING_OVER:
            await taken_over(self.database, self.customer)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.database, name)


async def taken_over(database: Database, customer: Shopper) -> None:
    """By another process, which is at work on it."""
    operation = await customer.operation("createPayment", KEY)
    async with database.work() as work:
        await work.operations.save(operation.leased(datetime.now(UTC) + timedelta(hours=2)))


async def left_unknown(customer: Shopper, gateway: Gateway) -> Operation:
    """A payment that Stripe has collected and did not answer for."""

    async def hear_nothing() -> None:
        raise ProcessorUnavailable

    processor = StumblingProcessor.beside(gateway, hear_nothing)
    deaf = replace(gateway.services.commands, processor=processor)
    executed = await deaf.execute(customer.actor, CreatePayment(amount=COFFEE), key=KEY)
    await processor.close()
    return executed.operation


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

    async def test_that_never_heard_an_answer_leaves_the_next_attempt_its_lease(
        self, customer: Shopper, gateway: Gateway
    ) -> None:
        database = gateway.services.commands.database

        async def be_overtaken() -> None:
            await taken_over(database, customer)
            raise ProcessorUnavailable

        processor = StumblingProcessor.beside(gateway, be_overtaken)
        slow = replace(gateway.services.commands, processor=processor)

        executed = await slow.execute(customer.actor, CreatePayment(amount=COFFEE), key=KEY)

        await processor.close()
        assert executed.operation.state is OperationState.OUTCOME_UNKNOWN
        current = await customer.operation("createPayment", KEY)
        assert (current.state, current.attempts) == (OperationState.RUNNING, 2)


class TestWorkerWhoLosesTheDatabase:
    async def test_leaves_what_it_has_handed_over_to_whoever_took_it(
        self, customer: Shopper, gateway: Gateway
    ) -> None:
        commands = gateway.services.commands
        await left_unknown(customer, gateway)
        database: Any = TakingDatabase(database=commands.database, customer=customer)
        an_hour_later = commands.clock() + timedelta(hours=1)
        losing = replace(commands, database=database, clock=lambda: an_hour_later)

        assert await losing.resume_abandoned() == 1

        current = await customer.operation("createPayment", KEY)
        assert (current.state, current.attempts) == (OperationState.RUNNING, 3)


class TestLateStart:
    async def test_has_no_more_time_than_the_lease_leaves_it(
        self, customer: Shopper, gateway: Gateway
    ) -> None:
        commands = gateway.services.commands
        unknown = await left_unknown(customer, gateway)
        nearly_over = unknown.leased(commands.clock() + commands.lease - commands.deadline)

        operation = await commands.resume(nearly_over)

        assert operation.state is OperationState.OUTCOME_UNKNOWN
