"""`payments-gateway invariants`: each is told, and a broken one ends it with 1."""

import json

import pytest
from sqlalchemy import text

from domain.account import BillingAccount
from domain.invariants import InvariantName
from domain.ports import Database
from gateway.wiring import Gateway
from tests.domain.values import NOON, OWNER, a_payment
from tests.gateway.test_cli import Run, logging_restored, run

__all__ = ["logging_restored", "run"]


@pytest.fixture
async def overdrawn(gateway: Gateway, database: Database) -> str:
    """A payment of which more is disputed than was collected; its id."""
    payment = a_payment()
    async with database.work() as work:
        await work.accounts.ensure(BillingAccount(user_id=OWNER, created_at=NOON, updated_at=NOON))
        await work.payments.add(payment)
    async with gateway.engine.begin() as connection:
        await connection.execute(text("UPDATE payments SET disputed_amount = 7"))
    return str(payment.id)


class TestCommand:
    async def test_tells_that_all_hold(self, run: Run, gateway: Gateway) -> None:
        result = await run("invariants", DATABASE_URL=gateway.settings.database_url)

        assert (result.exit_code, result.stderr) == (0, "")
        assert [line.split()[:2] for line in result.stdout.splitlines()] == [
            [name.value, "holds."] for name in InvariantName
        ]

    async def test_names_what_breaks_one_and_ends_with_1(
        self, run: Run, gateway: Gateway, overdrawn: str
    ) -> None:
        result = await run("invariants", DATABASE_URL=gateway.settings.database_url)

        assert result.exit_code == 1
        lines = result.stdout.splitlines()
        at = next(number for number, line in enumerate(lines) if line.startswith("MONEY_BACK"))
        assert lines[at].startswith("MONEY_BACK is BROKEN, 1 time. ")
        assert lines[at + 1] == (
            f"  PAYMENT {overdrawn}: 0 was collected, 0 refunded, and disputes withhold 7 (minor units of USD)."
        )

    async def test_tells_machines_in_json(self, run: Run, gateway: Gateway, overdrawn: str) -> None:
        result = await run("invariants", "--json", DATABASE_URL=gateway.settings.database_url)

        told = {each["invariant"]: each for each in map(json.loads, result.stdout.splitlines())}
        assert (result.exit_code, list(told)) == (1, [name.value for name in InvariantName])
        assert told["EVENTS_HANDLED"]["holds"] is True
        [violation] = told["MONEY_BACK"]["violations"]
        assert (violation["subject"], violation["id"]) == ("PAYMENT", overdrawn)

    async def test_is_kept_for_the_metrics(self, run: Run, gateway: Gateway, database: Database) -> None:
        await run("invariants", DATABASE_URL=gateway.settings.database_url)

        async with database.reads() as reads:
            assert len(await reads.invariants.checks()) == len(InvariantName)

    async def test_without_a_database_says_so(self, run: Run) -> None:
        result = await run("invariants")

        assert result.exit_code == 1
        assert "DATABASE_URL" in result.stderr
