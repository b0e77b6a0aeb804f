import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from domain.command_service import Executed
from domain.commands.create_payment import CreatePayment
from domain.commands.delete_payment_method import DeletePaymentMethod
from domain.commands.payment_methods import StartPaymentMethodSetup
from domain.commands.payments import CancelPayment, CapturePayment
from domain.errors import KeyInProgress, KeyReused, Retry
from domain.money import Money
from domain.operation import KEPT_FOR, OperationState
from domain.payment_status import CaptureMethod, PaymentStatus
from domain.ports import Database, Work
from gateway.wiring import Gateway
from sandbox import Sandbox
from tests.domain.shopping import COFFEE, Shopper, captures

KEY = "coffee-17"


@pytest.fixture
async def customer(shopper: Shopper) -> Shopper:
    await shopper.saves()
    return shopper


class HeldBack:
    """A database whose transactions begin when a test says so."""

    def __init__(self, database: Database) -> None:
        self.reads, self.counted, self.snapshot = database.reads, database.counted, database.snapshot
        self.is_waiting = asyncio.Event()
        self.may_go_on = asyncio.Event()
        self._database = database

    @asynccontextmanager
    async def work(self) -> AsyncIterator[Work]:
        self.is_waiting.set()
        await self.may_go_on.wait()
        async with self._database.work() as work:
            yield work


async def at_once(shopper: Shopper, command: CreatePayment | CapturePayment, times: int) -> list[Executed]:
    """The command under one key, so many times at once; all must answer, or say that it is running."""
    attempts = (shopper.does(command, key=KEY) for _ in range(times))
    answers = await asyncio.gather(*attempts, return_exceptions=True)
    executed = [answer for answer in answers if isinstance(answer, Executed)]
    others = [answer for answer in answers if not isinstance(answer, Executed)]
    assert {type(other) for other in others} <= {KeyInProgress}
    return executed


class TestSameKeyAgain:
    async def test_gives_the_first_answer_marked_as_replayed(
        self, customer: Shopper, sandbox: Sandbox
    ) -> None:
        first = await customer.does(CreatePayment(amount=COFFEE, details={"a": 1, "b": 2}), key=KEY)

        again = await customer.does(CreatePayment(amount=COFFEE, details={"b": 2, "a": 1}), key=KEY)

        assert again.operation == first.operation
        assert (first.is_replayed, again.is_replayed) == (False, True)
        assert captures(sandbox) == 1

    async def test_replays_a_decline(self, shopper: Shopper) -> None:
        await shopper.saves("pm_card_chargeCustomerFail")
        first = await shopper.does(CreatePayment(amount=COFFEE), key=KEY)

        again = await shopper.does(CreatePayment(amount=COFFEE), key=KEY)

        assert again.operation.subject == first.operation.subject
        assert again.operation.error == first.operation.error

    async def test_replays_even_when_the_object_has_moved_on(self, customer: Shopper) -> None:
        payment = await customer.pays(key=KEY, capture_method=CaptureMethod.MANUAL)
        await customer.does(CancelPayment(payment_id=payment.id), key="cancel-17")

        again = await customer.does(
            CreatePayment(amount=COFFEE, capture_method=CaptureMethod.MANUAL), key=KEY
        )

        assert again.operation.subject == payment.id
        assert (await customer.does(CancelPayment(payment_id=payment.id), key="cancel-17")).is_replayed

    async def test_with_other_input_is_refused_and_names_the_fields(
        self, customer: Shopper, sandbox: Sandbox
    ) -> None:
        first = await customer.does(CreatePayment(amount=COFFEE, description="One"), key=KEY)

        other = CreatePayment(amount=Money(minor=451, currency="EUR"), description="Two")
        with pytest.raises(KeyReused) as refused:
            await customer.does(other, key=KEY)

        assert refused.value.differing_fields == ("amount", "description")
        assert (refused.value.first.id, refused.value.retry) == (first.operation.id, Retry.NEW_KEY)
        assert captures(sandbox) == 1

    async def test_by_another_user_is_another_payment(
        self, customer: Shopper, stranger: Shopper, sandbox: Sandbox
    ) -> None:
        await stranger.saves()

        mine, theirs = await customer.pays(key=KEY), await stranger.pays(key=KEY)

        assert mine.id != theirs.id
        assert captures(sandbox) == 2

    async def test_for_another_mutation_is_another_use(self, customer: Shopper) -> None:
        payment = await customer.pays(key=KEY)

        executed = await customer.does(StartPaymentMethodSetup(), key=KEY)

        assert not executed.is_replayed
        assert executed.operation.subject != payment.id

    async def test_no_key_is_its_own_first_use(self, customer: Shopper, sandbox: Sandbox) -> None:
        await customer.pays()
        await customer.pays()

        assert captures(sandbox) == 2


class TestSameKeyAtOnce:
    async def test_fifty_creations_capture_once(
        self, customer: Shopper, sandbox: Sandbox, gateway: Gateway
    ) -> None:
        executed = await at_once(customer, CreatePayment(amount=COFFEE), 50)

        assert len({answer.operation.id for answer in executed}) == 1
        assert captures(sandbox) == 1
        async with gateway.engine.connect() as connection:
            assert await connection.scalar(text("SELECT count(*) FROM payments")) == 1
        replay = await customer.does(CreatePayment(amount=COFFEE), key=KEY)
        assert replay.is_replayed
        assert replay.operation in [answer.operation for answer in executed]

    async def test_thirty_captures_collect_once_and_none_says_that_it_is_too_late(
        self, customer: Shopper, clerk: Shopper, sandbox: Sandbox
    ) -> None:
        payment = await customer.pays(capture_method=CaptureMethod.MANUAL)

        executed = await at_once(clerk, CapturePayment(payment_id=payment.id), 30)

        assert {answer.operation.state for answer in executed} == {OperationState.SUCCEEDED}
        assert captures(sandbox) == 1
        assert (await customer.payment(payment.id)).status is PaymentStatus.COMPLETED

    async def test_first_use_that_ends_meanwhile_is_replayed_though_its_object_has_changed(
        self, customer: Shopper, gateway: Gateway
    ) -> None:
        card = await customer.saves("pm_card_mastercard")
        command, slow = DeletePaymentMethod(method_id=card), HeldBack(gateway.services.database)
        late = replace(gateway.services.commands, database=slow).execute(customer.actor, command, key=KEY)
        waiting = asyncio.create_task(late)
        await slow.is_waiting.wait()

        first = await customer.does(command, key=KEY)
        slow.may_go_on.set()

        assert (await waiting) == Executed(operation=first.operation, is_replayed=True)


async def expire(gateway: Gateway, *, at: datetime) -> None:
    """What the worker does each hour, by the gateway's clock."""
    await replace(gateway.services.commands, clock=lambda: at).drop_expired()


class TestExpiry:
    async def test_key_is_free_again_after_thirty_days(
        self, customer: Shopper, gateway: Gateway, sandbox: Sandbox
    ) -> None:
        first = await customer.does(CreatePayment(amount=COFFEE), key=KEY)
        kept_until = first.operation.started_at + KEPT_FOR

        await expire(gateway, at=kept_until)
        assert (await customer.does(CreatePayment(amount=COFFEE), key=KEY)).is_replayed

        await expire(gateway, at=kept_until + timedelta(milliseconds=1))
        assert not (await customer.does(CreatePayment(amount=COFFEE), key=KEY)).is_replayed
        assert captures(sandbox) == 2

    async def test_operation_that_has_not_ended_is_never_dropped(
        self, customer: Shopper, gateway: Gateway
    ) -> None:
        executed = await customer.does(CreatePayment(amount=COFFEE), key=KEY)
        async with gateway.engine.begin() as connection:
            await connection.execute(
                text("UPDATE operations SET state = 'OUTCOME_UNKNOWN', finished_at = NULL WHERE key = :key"),
                {"key": KEY},
            )

        await expire(gateway, at=executed.operation.started_at + 2 * KEPT_FOR)

        assert (await customer.operation("createPayment", KEY)).id == executed.operation.id
