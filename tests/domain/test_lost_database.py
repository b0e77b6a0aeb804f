"""The database goes away in the middle of a command; the same key, or the worker, finds out what became of it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from domain.commands.create_payment import CreatePayment
from domain.errors import DatabaseUnavailable, KeyInProgress
from domain.operation import OperationState
from domain.ports import Database, Work
from gateway.settings import Settings
from gateway.wiring import Gateway, wire
from sandbox import Sandbox
from tests.domain.faults import resumed_later
from tests.domain.shopping import COFFEE, Shopper, captures
from tests.domain.stumbling import KEY, StumblingProcessor, is_paid_once
from tests.watched_processor import WatchedProcessor

INTENT, CONCLUSION = 1, 2


@dataclass(kw_only=True)
class LosingDatabase:
    """A real one, of which the answer to one COMMIT is lost, whether that `is_done` or not."""

    database: Database
    lost: int
    is_done: bool
    commits: int = 0

    @asynccontextmanager
    async def work(self) -> AsyncIterator[Work]:
        self.commits += 1
        is_lost = self.commits == self.lost
        async with self.database.work() as work:
            yield work
            if is_lost and not self.is_done:
                raise DatabaseUnavailable("connection_lost")
        if is_lost:
            raise DatabaseUnavailable("connection_lost")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.database, name)


@pytest.fixture
async def customer(shopper: Shopper) -> Shopper:
    await shopper.saves()
    return shopper


class TestLostCommit:
    @pytest.mark.parametrize("is_done", [True, False], ids=["done", "undone"])
    async def test_of_the_intent_charges_once_under_the_same_key(
        self, customer: Shopper, gateway: Gateway, sandbox: Sandbox, is_done: bool
    ) -> None:
        commands = gateway.services.commands
        database = LosingDatabase(database=commands.database, lost=INTENT, is_done=is_done)
        losing: Any = replace(commands, database=database)

        with pytest.raises(DatabaseUnavailable):
            await losing.execute(customer.actor, CreatePayment(amount=COFFEE), key=KEY)
        assert captures(sandbox) == 0

        assert await resumed_later(gateway) == is_done
        await commands.execute(customer.actor, CreatePayment(amount=COFFEE), key=KEY)
        assert await is_paid_once(customer, sandbox)

    @pytest.mark.parametrize("is_done", [True, False], ids=["done", "undone"])
    async def test_of_the_conclusion_charges_once_under_the_same_key(
        self, customer: Shopper, gateway: Gateway, sandbox: Sandbox, is_done: bool
    ) -> None:
        commands = gateway.services.commands
        database = LosingDatabase(database=commands.database, lost=CONCLUSION, is_done=is_done)
        losing: Any = replace(commands, database=database)

        with pytest.raises(DatabaseUnavailable):
            await losing.execute(customer.actor, CreatePayment(amount=COFFEE), key=KEY)
        assert captures(sandbox) == 1

        again = await commands.execute(customer.actor, CreatePayment(amount=COFFEE), key=KEY)
        assert again.is_replayed
        assert await is_paid_once(customer, sandbox)


class TestLostBetweenAnswerAndCommit:
    """As long as it is away, not even the attempt's end can be written down."""

    @pytest.fixture
    async def gateway(self, settings: Settings) -> AsyncIterator[Gateway]:
        smallest = {"database_pool_size": 2, "database_pool_timeout": 0.05}
        gateway = wire(settings.model_copy(update=smallest), connect=WatchedProcessor.connected)
        yield gateway
        await gateway.close()

    async def test_is_not_known_until_the_worker_resumes_it(
        self, customer: Shopper, gateway: Gateway, sandbox: Sandbox
    ) -> None:
        commands = gateway.services.commands
        async with AsyncExitStack() as others:

            async def lose_the_database() -> None:
                for _ in range(2):
                    await others.enter_async_context(gateway.engine.connect())

            processor = StumblingProcessor.beside(gateway, lose_the_database)
            losing = replace(commands, processor=processor)
            with pytest.raises(DatabaseUnavailable):
                await losing.execute(customer.actor, CreatePayment(amount=COFFEE), key=KEY)
        await processor.close()
        assert (await customer.operation("createPayment", KEY)).state is OperationState.RUNNING

        with pytest.raises(KeyInProgress):
            await commands.execute(customer.actor, CreatePayment(amount=COFFEE), key=KEY)
        assert await resumed_later(gateway) == 1

        assert await is_paid_once(customer, sandbox)


class TestOvertakenAttempt:
    async def test_that_cannot_write_down_its_end_leaves_the_next_ones_lease(
        self, customer: Shopper, gateway: Gateway, sandbox: Sandbox
    ) -> None:
        commands = gateway.services.commands

        async def be_overtaken() -> None:
            async with commands.database.work() as work:
                await work.operations.lease_abandoned(
                    at=commands.clock() + timedelta(hours=1),
                    until=commands.clock() + timedelta(hours=2),
                    limit=1,
                )

        processor = StumblingProcessor.beside(gateway, be_overtaken)
        database = LosingDatabase(database=commands.database, lost=CONCLUSION, is_done=False)
        losing: Any = replace(commands, processor=processor, database=database)

        with pytest.raises(DatabaseUnavailable):
            await losing.execute(customer.actor, CreatePayment(amount=COFFEE), key=KEY)

        await processor.close()
        operation = await customer.operation("createPayment", KEY)
        assert operation.is_worked_on_at(commands.clock() + timedelta(hours=1))
