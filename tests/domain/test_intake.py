import asyncio
from contextlib import suppress
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from domain.errors import DatabaseUnavailable
from domain.events import InboxEvent
from domain.identity import new_id
from domain.intake import MOST_AT_ONCE, Intake
from domain.ports import Database
from gateway.wiring import Gateway
from tests.domain.values import inbox_event, stripe_event


@pytest.fixture
def intake(database: Database) -> Intake:
    return Intake(database)


def events(count: int) -> list[InboxEvent]:
    one = inbox_event(stripe_event("charge.succeeded"))
    return [replace(one, id=new_id(), processor_event_id=f"evt_{number}") for number in range(count)]


async def count(gateway: Gateway, table: str) -> int:
    async with gateway.engine.connect() as connection:
        counted = await connection.scalar(text(f"SELECT count(*) FROM {table}"))  # noqa: S608 - a name of ours
    return int(counted or 0)


async def keep_all(intake: Intake, coming: list[InboxEvent]) -> None:
    await asyncio.gather(*map(intake.keep, coming))


class TestKeep:
    async def test_of_many_at_once_stores_all_in_one_statement(
        self, intake: Intake, database: Database, gateway: Gateway
    ) -> None:
        with database.counted() as statements:
            await keep_all(intake, events(50))

        assert statements == {"inbox_events": 1, "pgqueuer": 1}
        assert await count(gateway, "inbox_events") == await count(gateway, "pgqueuer") == 50

    async def test_of_too_many_for_one_transaction_stores_them_in_several(
        self, intake: Intake, database: Database, gateway: Gateway
    ) -> None:
        many = 2 * MOST_AT_ONCE + 1

        with database.counted() as statements:
            await keep_all(intake, events(many))

        assert statements == {"inbox_events": 3, "pgqueuer": 3}
        assert await count(gateway, "inbox_events") == await count(gateway, "pgqueuer") == many

    async def test_that_takes_too_long_says_so_to_those_who_share_it_and_who_wait_and_to_nobody_after(
        self, database: Database, gateway: Gateway
    ) -> None:
        hasty = Intake(database, patience=0.3)
        *coming, later = events(MOST_AT_ONCE + 2)

        async with gateway.engine.begin() as other:
            await other.execute(text("LOCK TABLE inbox_events"))
            async with asyncio.timeout(3):
                answers = await asyncio.gather(*map(hasty.keep, coming), return_exceptions=True)
        await hasty.keep(later)

        assert {type(answer) for answer in answers} == {DatabaseUnavailable}
        assert await count(gateway, "inbox_events") == 1

    async def test_of_one_that_comes_while_others_commit_stores_it_next(
        self, intake: Intake, gateway: Gateway
    ) -> None:
        first, second, third = events(3)
        async with gateway.engine.begin() as other:
            await other.execute(text("LOCK TABLE inbox_events"))
            committing = asyncio.create_task(intake.keep(first))
            await asyncio.sleep(0.05)
            waiting = asyncio.create_task(keep_all(intake, [second, third]))
            await asyncio.sleep(0.05)

        await asyncio.gather(committing, waiting)

        assert await count(gateway, "inbox_events") == 3

    async def test_of_the_same_event_many_times_stores_it_and_its_job_once(
        self, intake: Intake, gateway: Gateway
    ) -> None:
        [event] = events(1)

        await keep_all(intake, [replace(event, id=new_id()) for _ in range(20)])

        assert await count(gateway, "inbox_events") == await count(gateway, "pgqueuer") == 1

    async def test_by_several_processes_in_any_order_waits_for_nobody_without_end(
        self, database: Database, gateway: Gateway
    ) -> None:
        coming = events(200)

        await asyncio.gather(
            *(
                keep_all(Intake(database), [replace(each, id=new_id()) for each in order])
                for order in (coming, coming[::-1], coming[::2] + coming[1::2])
            )
        )

        assert await count(gateway, "inbox_events") == 200

    async def test_that_fails_says_so_to_all_who_share_it_and_to_nobody_after(
        self, intake: Intake, gateway: Gateway
    ) -> None:
        good, other, later = events(3)
        broken = replace(other, id=good.id)

        answers = await asyncio.gather(*map(intake.keep, [good, broken]), return_exceptions=True)
        await intake.keep(later)

        assert [type(answer) for answer in answers] == [IntegrityError, IntegrityError]
        assert await count(gateway, "inbox_events") == 1

    async def test_stores_the_events_of_a_caller_who_has_gone_away(
        self, intake: Intake, gateway: Gateway
    ) -> None:
        first, second = events(2)
        gone = asyncio.create_task(intake.keep(first))
        await asyncio.sleep(0)
        staying = asyncio.create_task(intake.keep(second))

        gone.cancel()
        with suppress(asyncio.CancelledError):
            await gone
        await staying

        assert await count(gateway, "inbox_events") == 2
