"""`payments-gateway metadata`: new keys, and everything under the current one."""

import json

import pytest

from domain.account import BillingAccount
from domain.ports import Database
from gateway.settings import DEVELOPMENT_METADATA_KEYS
from gateway.wiring import Gateway
from persistence.keyring import Keyring
from tests.domain.values import NOON, OWNER, a_payment
from tests.gateway.test_cli import Run, logging_restored, run

__all__ = ["logging_restored", "run"]


@pytest.fixture
def environment(gateway: Gateway) -> dict[str, str]:
    settings = gateway.settings
    return {
        "ENVIRONMENT": "development",
        "DATABASE_URL": settings.database_url,
        "STRIPE_SECRET_KEY": settings.stripe_secret_key.get_secret_value(),
        "JWT_SECRET": settings.jwt_secret.get_secret_value(),
        "LOG_LEVEL": "ERROR",
    }


@pytest.fixture
async def paid(database: Database) -> None:
    """A payment with metadata under development's key."""
    async with database.work() as work:
        await work.accounts.ensure(BillingAccount(user_id=OWNER, created_at=NOON, updated_at=NOON))
        await work.payments.add(a_payment(details={"order": 17}))


class TestNewKey:
    async def test_is_one_that_the_setting_takes(self, run: Run) -> None:
        result = await run("metadata", "new-key", "2027-01")

        assert Keyring.read(result.stdout).current == "2027-01"

    async def test_under_an_unfit_name_is_refused(self, run: Run) -> None:
        result = await run("metadata", "new-key", "No Name")

        assert (result.exit_code, "1 to 32" in result.stderr) == (1, True)


class TestRotate:
    async def test_tells_of_each_table_what_it_did_and_that_nothing_is_left(
        self, run: Run, paid: None, environment: dict[str, str]
    ) -> None:
        fresh = (await run("metadata", "new-key", "fresh")).stdout.strip()
        keys = f"{fresh},{DEVELOPMENT_METADATA_KEYS}"

        result = await run("metadata", "rotate", METADATA_KEYS=keys, **environment)
        again = await run("metadata", "rotate", "--json", METADATA_KEYS=fresh, **environment)

        assert (result.exit_code, again.exit_code) == (0, 0)
        assert "payments: 1 of 1 encrypted anew. Left: nothing." in result.stdout
        told = {line["table"]: line for line in map(json.loads, again.stdout.splitlines())}
        assert told["payments"] == {"table": "payments", "looked_at": 1, "moved": 0, "left": {}}
        assert told.keys() == {"payments", "subscriptions", "operations"}

    async def test_ends_with_1_and_names_the_key_that_is_missing(
        self, run: Run, paid: None, environment: dict[str, str]
    ) -> None:
        fresh = (await run("metadata", "new-key", "fresh")).stdout.strip()

        result = await run("metadata", "rotate", METADATA_KEYS=fresh, **environment)

        assert result.exit_code == 1
        assert "Left: 1 under the key development." in result.stdout
