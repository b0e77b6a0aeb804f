"""Callers' metadata as it lies in the database."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.account import BillingAccount
from domain.errors import MetadataUnreadable
from domain.json_value import JsonObject
from domain.payment import Payment
from domain.ports import Database
from gateway.wiring import Gateway
from persistence.tables import metadata
from tests.domain.access_values import a_plan, a_subscription
from tests.domain.values import OWNER, a_payment, an_operation
from tests.persistence.keys import CURRENT, FORMER, database_with
from tests.tables import contents_of

SECRET = "table seven, by the window"
DETAILS: JsonObject = {"note": SECRET, "seats": 2, "ratio": 1e16, "tags": ["é", None, True, {"deep": []}]}
FULL_ROW_OF_SERVERS_BEFORE = "UPDATE payments SET details = CAST(:details AS jsonb), version = version + 1"


async def paid(database: Database, details: JsonObject = DETAILS, **known: Any) -> Payment:
    payment = a_payment(details=details, **known)
    async with database.work() as work:
        await work.payments.add(payment)
    return payment


async def read(database: Database, payment: Payment) -> Payment:
    async with database.reads() as reads:
        found = await reads.payments.get(payment.id)
    assert found is not None
    return found


async def is_anywhere(gateway: Gateway, secret: str) -> bool:
    tables = await contents_of(gateway.settings.database_url, metadata)
    return any(secret in row for rows in tables.values() for row in rows)


@pytest.fixture
def engine(gateway: Gateway) -> AsyncEngine:
    return gateway.engine


@pytest.fixture
def as_a_server_before(engine: AsyncEngine) -> Callable[..., Any]:
    """Such a server writes the whole row, as it knows it."""

    async def write(details: str) -> None:
        async with engine.begin() as connection:
            await connection.execute(text(FULL_ROW_OF_SERVERS_BEFORE), {"details": details})

    return write


class TestMetadata:
    async def test_of_a_payment_is_nowhere_in_the_clear_and_comes_back_as_it_was(
        self, database: Database, gateway: Gateway, owner: BillingAccount
    ) -> None:
        payment = await paid(database)

        assert (await read(database, payment)).details == DETAILS
        assert not await is_anywhere(gateway, "seven")

    async def test_of_a_subscription_is_nowhere_in_the_clear_and_comes_back_as_it_was(
        self, database: Database, gateway: Gateway, owner: BillingAccount
    ) -> None:
        plan = a_plan("hd")
        subscription = replace(a_subscription(plan), details=DETAILS)
        async with database.work() as work:
            await work.plans.add(plan)
            assert await work.subscriptions.add(subscription)

        async with database.reads() as reads:
            found = await reads.subscriptions.get(subscription.id)

        assert found is not None
        assert found.details == DETAILS
        assert not await is_anywhere(gateway, "seven")

    async def test_that_an_operation_keeps_for_its_resumption_is_nowhere_in_the_clear(
        self, database: Database, gateway: Gateway
    ) -> None:
        operation = an_operation(arguments={"plan_id": "p", "details": DETAILS})
        async with database.work() as work:
            await work.operations.add(operation)
            await work.operations.save(await work.operations.locked(operation.id))

        async with database.reads() as reads:
            found = (await reads.operations.by_ids([operation.id], caller=None)).get(operation.id)

        assert found is not None
        assert found.arguments == operation.arguments
        assert not await is_anywhere(gateway, "seven")

    @pytest.mark.parametrize("nothing", [{}, {"encrypted": True}])
    async def test_that_looks_like_the_mark_or_like_none_is_kept(
        self, database: Database, owner: BillingAccount, nothing: JsonObject
    ) -> None:
        payment = await paid(database, nothing)

        assert (await read(database, payment)).details == nothing

    async def test_does_not_open_in_another_row(
        self, database: Database, engine: AsyncEngine, owner: BillingAccount
    ) -> None:
        mine, theirs = await paid(database), await paid(database, {"note": "theirs"})
        async with engine.begin() as connection:
            await connection.execute(
                text(
                    "UPDATE payments SET sealed_details = "
                    "(SELECT sealed_details FROM payments WHERE id = :mine) WHERE id = :theirs"
                ),
                {"mine": mine.id, "theirs": theirs.id},
            )

        with pytest.raises(MetadataUnreadable, match="changed or moved"):
            dict((await read(database, theirs)).details)

    async def test_that_is_copied_to_another_row_is_bound_to_that(
        self, database: Database, owner: BillingAccount
    ) -> None:
        payment = await read(database, await paid(database))

        copy = await paid(database, payment.details)

        assert (await read(database, copy)).details == DETAILS


class TestWithoutItsKey:
    async def test_everything_but_metadata_is_read_and_written(
        self, gateway: Gateway, database: Database, owner: BillingAccount
    ) -> None:
        url = gateway.settings.database_url
        async with database_with(url, FORMER) as before:
            payment = await paid(before)

        async with database_with(url, CURRENT) as now, now.work() as work:
            held = await work.payments.lock(payment.id)
            assert held is not None
            await work.payments.save(replace(held, receipt_url="https://example.com/", version=2))

        found = await read(database, payment)
        assert found.receipt_url == "https://example.com/"
        with pytest.raises(MetadataUnreadable, match="'former'"):
            dict(found.details)
        async with database_with(url, f"{CURRENT},{FORMER}") as again:
            assert (await read(again, payment)).details == DETAILS

    async def test_new_metadata_takes_its_place(self, gateway: Gateway, owner: BillingAccount) -> None:
        url = gateway.settings.database_url
        async with database_with(url, FORMER) as before:
            payment = await paid(before)

        async with database_with(url, CURRENT) as now:
            async with now.work() as work:
                held = await work.payments.lock(payment.id)
                assert held is not None
                await work.payments.save(replace(held, details={"new": 1}))

            assert (await read(now, payment)).details == {"new": 1}


class TestServersOfTheVersionBefore:
    """They know one column, and write the whole row."""

    async def test_write_metadata_that_is_read(
        self, database: Database, owner: BillingAccount, as_a_server_before: Callable[..., Any]
    ) -> None:
        payment = await paid(database, {})

        await as_a_server_before('{"order": 17}')

        assert (await read(database, payment)).details == {"order": 17}

    async def test_leave_sealed_metadata_as_it_is_where_they_change_something_else(
        self, database: Database, owner: BillingAccount, as_a_server_before: Callable[..., Any]
    ) -> None:
        payment = await paid(database)

        await as_a_server_before('{"encrypted": true}')

        assert (await read(database, payment)).details == DETAILS

    @pytest.mark.parametrize("given", ["{}", '{"order": 18}'])
    async def test_replace_sealed_metadata(
        self, database: Database, owner: BillingAccount, as_a_server_before: Callable[..., Any], given: str
    ) -> None:
        payment = await paid(database)

        await as_a_server_before(given)

        assert (await read(database, payment)).details == ({} if given == "{}" else {"order": 18})


class TestLists:
    async def test_show_every_row_and_only_what_looks_into_metadata_fails(
        self, gateway: Gateway, database: Database, owner: BillingAccount
    ) -> None:
        async with database_with(gateway.settings.database_url, FORMER) as before:
            lost = await paid(before)
        fine = await paid(database)

        async with database.reads() as reads:
            found = await reads.payments.by_ids([lost.id, fine.id], owner=OWNER)

        assert found[fine.id].details == DETAILS
        with pytest.raises(MetadataUnreadable, match="'former'"):
            len(found[lost.id].details)
        assert SECRET not in repr(found[lost.id])
