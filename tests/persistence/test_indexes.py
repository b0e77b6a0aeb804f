"""Lists are found by an index: what PostgreSQL plans, whatever the parameters, where it must not walk a whole table."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import pytest
from sqlalchemy import Select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.event_list import NEWEST_FIRST, EventFilter
from domain.paging import Direction, NumberedPage, Slice
from domain.payment_list import PaymentFilter, PaymentOrder, PaymentOrderField
from persistence.audit import AFFECTED
from persistence.engine import create_engine
from persistence.entitlements import EntitlementRepository
from persistence.journal import InboxRepository
from persistence.payments import PaymentRepository
from tests.domain.values import OWNER


@pytest.fixture
async def engine(fresh_database: Callable[[], Awaitable[str]]) -> AsyncIterator[AsyncEngine]:
    """Over tables in which nothing ever was: what other tests leave in their statistics would be planned with."""
    engine = create_engine(await fresh_database())
    yield engine
    await engine.dispose()


async def plan(engine: AsyncEngine, statement: Select[Any], values: Mapping[str, Any]) -> str:
    async with engine.begin() as connection:
        for way in ("seqscan", "bitmapscan"):
            await connection.execute(text(f"SET LOCAL enable_{way} = off"))
        compiled = statement.compile(dialect=connection.dialect)
        parameters = compiled.construct_params(dict(values))
        given = tuple(parameters[name] for name in compiled.positiontup or ())
        lines = await connection.exec_driver_sql(f"EXPLAIN (COSTS OFF, GENERIC_PLAN) {compiled}", given)
        return "\n".join(lines.scalars())


class TestDisputedPayments:
    async def test_are_read_from_an_index_of_their_own_in_order(self, engine: AsyncEngine) -> None:
        page = PaymentRepository.lists.page(PaymentFilter(disputed=True), PaymentOrder(), Slice(limit=20))

        found = await plan(engine, *page)

        assert "ix_payments_disputed" in found
        assert "Sort" not in found

    async def test_are_counted_by_it(self, engine: AsyncEngine) -> None:
        count = PaymentRepository.lists.count(PaymentFilter(disputed=True))

        assert "ix_payments_disputed" in await plan(engine, *count)


class TestNumberedPages:
    @pytest.mark.parametrize(
        ("wanted", "order", "index"),
        [
            (PaymentFilter(owner=OWNER), PaymentOrder(), "ix_payments_user_created"),
            (
                PaymentFilter(owner=OWNER),
                PaymentOrder(field=PaymentOrderField.AMOUNT, direction=Direction.ASC),
                "ix_payments_user_amount",
            ),
            (PaymentFilter(), PaymentOrder(), "ix_payments_created"),
        ],
        ids=["of a user", "of a user by amount", "of everybody"],
    )
    async def test_skip_in_the_index_alone_what_comes_before(
        self, engine: AsyncEngine, wanted: PaymentFilter, order: PaymentOrder, index: str
    ) -> None:
        page = PaymentRepository.lists.numbered(wanted, order, NumberedPage(number=3))

        found = await plan(engine, *page)

        assert re.search(rf"Index Only Scan (Backward )?using {index} on payments", found), found


class TestEntitlements:
    async def test_of_an_account_are_found_by_an_index(self, engine: AsyncEngine) -> None:
        theirs = EntitlementRepository._children_by("user_id", has_owner=False)

        found = await plan(engine, theirs, {"identities": [OWNER], "owner": None})

        assert "ix_entitlements_user" in found


class TestEvents:
    async def test_are_listed_from_an_index_in_order(self, engine: AsyncEngine) -> None:
        page = InboxRepository.lists.page(EventFilter(), NEWEST_FIRST, Slice(limit=20))

        found = await plan(engine, *page)

        assert "ix_inbox_events_received" in found
        assert "Sort" not in found

    async def test_that_tell_of_an_object_are_found_by_an_index(self, engine: AsyncEngine) -> None:
        page = InboxRepository.lists.page(
            EventFilter(processor_object_id="pi_1"), NEWEST_FIRST, Slice(limit=20)
        )

        assert "ix_inbox_events_object" in await plan(engine, *page)

    async def test_lead_to_what_they_changed_by_an_index(self, engine: AsyncEngine) -> None:
        found = await plan(engine, AFFECTED, {"ids": [OWNER]})

        assert "ix_audit_records_request" in found
