"""`payments-gateway reconcile` and `resync`."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from domain.actor import Actor
from domain.commands.add_payment_method import AddPaymentMethod
from domain.commands.create_payment import CreatePayment
from domain.money import Money
from domain.payment import Payment
from domain.payment_status import CaptureMethod, PaymentStatus
from gateway.settings import DEVELOPMENT_STRIPE_KEY, Settings
from gateway.wiring import Gateway
from gql.ids import global_id
from sandbox import Sandbox, SandboxSettings
from tests.dashboard import Dashboard
from tests.gateway.test_cli import Run, logging_restored, run
from tests.gateway.test_plans import environment

__all__ = ["logging_restored", "run"]

COFFEE = Money(minor=450, currency="EUR")
SINCE = "--since", (datetime.now(UTC) - timedelta(days=2)).strftime("%Y-%m-%d")


@pytest.fixture
def sandbox_settings() -> SandboxSettings:
    """At Stripe all has happened yesterday, so that nothing of it is on its way any more."""
    return SandboxSettings(secret_key=DEVELOPMENT_STRIPE_KEY, begins_days_ago=1)


@pytest.fixture
async def payment(gateway: Gateway, actor: Actor) -> Payment:
    """Authorised."""
    commands = gateway.services.commands
    await commands.execute(actor, AddPaymentMethod(processor_method_id="pm_card_visa"))
    command = CreatePayment(amount=COFFEE, capture_method=CaptureMethod.MANUAL)
    made = await commands.execute(actor, command)
    return await stored(gateway, made.operation.subject)


async def stored(gateway: Gateway, payment_id: UUID) -> Payment:
    async with gateway.services.database.reads() as reads:
        payment = await reads.payments.get(payment_id)
    assert payment is not None
    return payment


async def write(gateway: Gateway, statement: str) -> None:
    async with gateway.engine.begin() as connection:
        await connection.execute(text(statement))


class TestReconcile:
    async def test_ends_with_0_where_nothing_differs(
        self, run: Run, settings: Settings, payment: Payment
    ) -> None:
        result = await run("reconcile", *SINCE, **environment(settings))

        assert result.exit_code == 0, result.output
        assert "0 fields differed" in result.stdout

    async def test_tells_what_differs_and_changes_nothing(
        self, run: Run, settings: Settings, payment: Payment, gateway: Gateway
    ) -> None:
        await write(gateway, "UPDATE payments SET status = 'PENDING'")

        result = await run("reconcile", *SINCE, **environment(settings))

        assert result.exit_code == 1, result.output
        assert "status is PENDING here and AUTHORIZED at Stripe" in result.stdout
        assert global_id(Payment, payment.id) in result.stdout
        assert (await stored(gateway, payment.id)).status is PaymentStatus.PENDING

    async def test_heals_where_that_is_asked_for(
        self, run: Run, settings: Settings, payment: Payment, gateway: Gateway
    ) -> None:
        await write(gateway, "UPDATE payments SET status = 'PENDING'")

        result = await run("reconcile", *SINCE, "--heal", "--json", **environment(settings))

        assert result.exit_code == 0, result.output
        drift, summary = map(json.loads, result.stdout.splitlines())
        assert (drift["type"], drift["field"], drift["is_healed"]) == ("drift", "status", True)
        assert (summary["type"], summary["drifts_found"], summary["healed"]) == ("run", 1, 1)
        assert (await stored(gateway, payment.id)).status is PaymentStatus.AUTHORIZED

    async def test_ends_with_1_where_something_cannot_be_healed(
        self, run: Run, settings: Settings, payment: Payment, gateway: Gateway
    ) -> None:
        await write(gateway, "UPDATE payments SET status = 'CANCELLED'")

        result = await run("reconcile", *SINCE, "--heal", **environment(settings))

        assert result.exit_code == 1
        assert "not healed" in result.stdout

    async def test_says_where_stripe_refuses(self, run: Run, settings: Settings, payment: Payment) -> None:
        result = await run("reconcile", *SINCE, **environment(settings, STRIPE_SECRET_KEY="sk_test_wrong"))

        assert result.exit_code == 1
        assert "could not be finished" in result.stderr
        assert "ProcessorRefused" in result.stderr

    async def test_of_what_is_to_come_is_refused(self, run: Run, settings: Settings) -> None:
        tomorrow = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%d")

        result = await run("reconcile", "--since", tomorrow, **environment(settings))

        assert result.exit_code == 1
        assert "This has not happened yet." in result.stderr

    async def test_names_what_cannot_be_read(
        self, run: Run, settings: Settings, payment: Payment, sandbox: Sandbox
    ) -> None:
        [intent] = sandbox.objects.all("payment_intent")
        sandbox.objects.save({**intent, "last_payment_error": "odd"})

        result = await run("reconcile", *SINCE, **environment(settings))

        assert result.exit_code == 1
        assert "Stripe cannot be asked" not in result.stderr
        assert f"{intent['id']} cannot be read" in result.stderr

    async def test_says_where_there_is_no_database(self, run: Run, settings: Settings) -> None:
        nowhere = "postgresql+asyncpg://nobody@127.0.0.1:1/nothing"

        result = await run("reconcile", *SINCE, **environment(settings, DATABASE_URL=nowhere))

        assert result.exit_code == 1
        assert "DATABASE_URL cannot be used" in result.stderr


class TestResync:
    async def test_reads_one_object_anew(
        self, run: Run, settings: Settings, payment: Payment, gateway: Gateway, dashboard: Dashboard
    ) -> None:
        await dashboard.client.v1.payment_intents.cancel_async(payment.processor_payment_id or "")

        result = await run("resync", global_id(Payment, payment.id), **environment(settings))

        assert result.exit_code == 0, result.output
        assert "status is AUTHORIZED here and CANCELLED at Stripe" in result.stdout
        assert (await stored(gateway, payment.id)).status is PaymentStatus.CANCELLED

    @pytest.mark.parametrize("wrong", ["pay_0195d1c500007000800000000000ffff", "nonsense"])
    async def test_says_where_there_is_no_such_object(
        self, run: Run, settings: Settings, sandbox: Sandbox, wrong: str
    ) -> None:
        result = await run("resync", wrong, **environment(settings))

        assert result.exit_code == 1
        assert result.stderr
