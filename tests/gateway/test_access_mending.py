"""`payments-gateway access mend`: access that was spoilt behind our back is what was paid for again."""

from uuid import uuid4

import pytest
from sqlalchemy import text

from domain.access import AccessReason
from domain.ports import Database
from gateway.wiring import Gateway
from tests.domain.access_values import FILM, Books, a_plan, a_purchase, a_subscription
from tests.gateway.test_cli import Run, logging_restored, run

__all__ = ["logging_restored", "run"]


@pytest.fixture
async def books(database: Database) -> Books:
    books = Books(database=database)
    await books.open()
    return books


async def behind_our_back(gateway: Gateway, statement: str) -> None:
    async with gateway.engine.begin() as connection:
        assert (await connection.execute(text(statement))).rowcount > 0


class TestMending:
    async def test_gives_a_purchase_its_access_back(self, run: Run, gateway: Gateway, books: Books) -> None:
        purchase = a_purchase()
        await books.pays(purchase)
        await behind_our_back(gateway, "DELETE FROM entitlements")

        result = await run("access", "mend", str(purchase.id), DATABASE_URL=gateway.settings.database_url)

        assert (result.exit_code, result.stdout) == (0, "Access is what was paid for.\n")
        assert await books.reason(FILM) is AccessReason.OWNED

    async def test_takes_back_what_a_subscription_has_not_paid_for(
        self, run: Run, gateway: Gateway, books: Books
    ) -> None:
        plan = a_plan("hd")
        subscription = a_subscription(plan)
        await books.offers(plan)
        await books.subscribes(subscription)
        [rightful] = await books.rows()
        await behind_our_back(gateway, "UPDATE entitlements SET ends_at = ends_at + interval '1 year'")

        await run("access", "mend", str(subscription.id), DATABASE_URL=gateway.settings.database_url)

        [row] = await books.rows()
        assert row.ends_at == rightful.ends_at
        assert [record.action for record in await books.audit(row)][-1] == "entitlement.changed"

    async def test_of_something_unknown_is_refused(self, run: Run, gateway: Gateway) -> None:
        unknown = uuid4()

        result = await run("access", "mend", str(unknown), DATABASE_URL=gateway.settings.database_url)

        assert result.exit_code == 1
        assert result.stderr == f"{unknown}: There is no payment and no subscription with this id.\n"
