import asyncio
from collections.abc import Callable
from typing import Any

from domain.actor import Actor
from domain.command_service import CommandService
from domain.commands.payments import CreatePayment
from domain.money import Money
from domain.payment import PaymentStatus
from domain.ports import Database
from sandbox import Sandbox

COFFEE = Money(minor=450, currency="EUR")


class TestCreatePayment:
    async def test_collects_the_amount(
        self, commands: CommandService, database: Database, actor: Actor, add_card: Callable[..., Any]
    ) -> None:
        card = await add_card()

        executed = await commands.execute(actor, CreatePayment(amount=COFFEE), key="coffee-17")

        async with database.reads() as reads:
            payment = await reads.payments.get(executed.operation.subject)
        assert payment is not None
        assert payment.status is PaymentStatus.COMPLETED
        assert payment.payment_method_id == card
        assert payment.captured_amount == COFFEE.minor

    async def test_fifty_at_once_with_one_key_capture_once(
        self, commands: CommandService, sandbox: Sandbox, actor: Actor, add_card: Callable[..., Any]
    ) -> None:
        await add_card()

        attempts = [commands.execute(actor, CreatePayment(amount=COFFEE), key="coffee-17") for _ in range(50)]
        await asyncio.gather(*attempts, return_exceptions=True)

        assert [entry["captures"] for entry in sandbox.ledger()["payment_intents"]] == [1]
