import pytest

from domain.account import BillingAccount
from domain.ports import Database
from tests.domain.values import NOON, OWNER


@pytest.fixture
async def owner(database: Database) -> BillingAccount:
    """The account to which the tests' values belong."""
    account = BillingAccount(user_id=OWNER, created_at=NOON, updated_at=NOON)
    async with database.work() as work:
        return await work.accounts.ensure(account)
