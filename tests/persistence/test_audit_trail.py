"""Chains and seals, in a real PostgreSQL."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from domain.actor import Actor, Role
from domain.audit import GENESIS, AuditRecord, audit_record, digest
from domain.audit_log import NEWEST_FIRST, OLDEST_FIRST, AuditFilter
from domain.audit_seal import AuditSeal
from domain.audit_service import AuditService
from domain.identity import new_id
from domain.operation import ObjectKind
from domain.paging import FixedOrder, Slice
from domain.ports import Database, Work
from gateway.wiring import Gateway
from persistence import audit_seals
from tests.audit import verified
from tests.domain.values import NOON, a_payment
from tests.waiting import until

ODD: dict[str, Any] = {
    "emoji": ["☕", "👩‍👩‍👧"],
    "unicode": ["é", "e\u0301", "\u2028\ufeff\u0001\x7f"],
    "quotes": ['"', "\\", "\\u0041", "\t\n"],
    "whole": [0, -(2**63), 2**53 + 1, 2**63, 2**64 - 1],
    "floats": [0.1, -0.0, 2.0, 1e16, 9.3e18, 1e22, 1.8446744073709552e19, 1.7976931348623157e308],
    "small floats": [5e-324, 1e-7, 2.2250738585072014e-308, 123456.789e-12],
    "nested": {"z": {"b": [None, True, {"a": []}], "a": {}}, "": "empty", "Ä": 1, 'a"b': False},
    "nothing": None,
}


def record_of(object_id: UUID, **known: Any) -> AuditRecord:
    by = Actor(role=Role.USER, user_id=new_id(), request_id="test-request", ip="2001:db8::1")
    record = audit_record("payment.created", None, a_payment(id=object_id), at=NOON, by=by)
    return replace(record, **known)


@pytest.fixture
def audit(gateway: Gateway) -> AuditService:
    return gateway.services.audit


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_seals, "PATIENCE", 0.1)
    monkeypatch.setattr(audit_seals, "PAUSE", 0.01)


async def recorded(database: Database, *object_ids: UUID) -> None:
    for object_id in object_ids:
        async with database.work() as work:
            await work.audit.add(record_of(object_id))


async def trail_of(database: Database, object_id: UUID) -> list[AuditRecord]:
    async with database.reads() as reads:
        return list(await reads.audit.of_object(ObjectKind.PAYMENT, object_id))


async def add_at_once(work: Work, record: AuditRecord) -> None:
    """What is added waits for the transaction's next statement."""
    await work.audit.add(record)
    await work.audit.by_ids([record.id])


class TestChain:
    async def test_links_an_objects_records_in_their_order(self, database: Database) -> None:
        one, other = new_id(), new_id()

        await recorded(database, one, other, one, one)

        first, second, third = await trail_of(database, one)
        assert [first.previous_hash, second.previous_hash] == [GENESIS, first.hash]
        assert third.previous_hash == second.hash
        assert first.sequence < second.sequence < third.sequence
        assert [record.previous_hash for record in await trail_of(database, other)] == [GENESIS]

    async def test_links_records_of_one_transaction(self, database: Database) -> None:
        thing = new_id()

        async with database.work() as work:
            await work.audit.add(record_of(thing))
            await work.audit.add(record_of(thing))

        first, second = await trail_of(database, thing)
        assert second.previous_hash == first.hash == digest(GENESIS, first)

    @pytest.mark.parametrize("changes", [{name: value} for name, value in ODD.items()], ids=ODD.keys())
    async def test_says_the_same_after_the_round_trip(
        self, database: Database, changes: dict[str, Any]
    ) -> None:
        record = record_of(new_id(), changes=changes)

        async with database.work() as work:
            await work.audit.add(record)

        [stored] = await trail_of(database, record.object_id)
        assert stored.facts == record.facts
        assert stored.hash == digest(GENESIS, record)

    @pytest.mark.parametrize(
        "at",
        [
            datetime(9999, 12, 31, 23, 59, 59, 999_998, UTC),
            datetime(1, 1, 1, 0, 0, 0, 1, UTC),
            datetime(2026, 3, 29, 1, 59, 59, 999_999, UTC),
            datetime(2026, 3, 29, 1, 59, 59, 100_000, timezone(timedelta(hours=-5, minutes=-30))),
        ],
    )
    async def test_keeps_instants_to_the_microsecond(self, database: Database, at: datetime) -> None:
        record = record_of(new_id(), at=at, occurred_at=NOON)

        async with database.work() as work:
            await work.audit.add(record)

        [stored] = await trail_of(database, record.object_id)
        assert (stored.at, stored.hash) == (record.at, digest(GENESIS, record))

    async def test_cannot_fork(self, database: Database, gateway: Gateway) -> None:
        thing = new_id()

        async def add_without_a_lock() -> None:
            async with database.work() as work:
                await work.audit.add(record_of(thing))

        async def is_waiting() -> bool:
            async with gateway.engine.connect() as connection:
                waiting = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"
                return bool(await connection.scalar(text(waiting)))

        async with database.work() as work:
            await add_at_once(work, record_of(thing))
            rival = asyncio.create_task(add_without_a_lock())
            await until(is_waiting)

        with pytest.raises(IntegrityError, match="uq_audit_records_chain"):
            await rival
        assert len(await trail_of(database, thing)) == 1


class TestLists:
    @pytest.mark.parametrize("order", [OLDEST_FIRST, NEWEST_FIRST], ids=lambda order: order.name)
    async def test_of_several_objects_are_those_that_each_has_alone(
        self, database: Database, order: FixedOrder[Any]
    ) -> None:
        things = [new_id() for _ in range(3)]
        await recorded(database, *things, *things[1:], *things, *things[:1])
        wanted, none = AuditFilter(object_kind=ObjectKind.PAYMENT), new_id()
        middle = order.place_of((await trail_of(database, things[1]))[1])

        async with database.reads() as reads:
            for part in (
                Slice(limit=2),
                Slice(limit=9),
                Slice(start=middle),
                Slice(start=middle, is_backward=True),
            ):
                together = await reads.audit.listed_for([*things, none], wanted, order, part)

                for thing in things:
                    of_one = AuditFilter(object_kind=ObjectKind.PAYMENT, object_id=thing)
                    alone = await reads.audit.listed(of_one, order, part)
                    assert together.get(thing, []) == alone
                    assert (await reads.audit.listed_for([thing], wanted, order, part)).get(
                        thing, []
                    ) == alone
                assert none not in together

    async def test_show_nothing_of_other_kinds(self, database: Database) -> None:
        things = [new_id(), new_id()]
        await recorded(database, *things)
        methods = AuditFilter(object_kind=ObjectKind.PAYMENT_METHOD)

        async with database.reads() as reads:
            assert await reads.audit.listed_for(things, methods, OLDEST_FIRST, Slice()) == {}
            assert await reads.audit.counts_for(things, methods) == {}
            assert await reads.audit.count(AuditFilter(object_kind=ObjectKind.PAYMENT)) == 2


class TestSeal:
    async def test_covers_what_is_new(self, database: Database, audit: AuditService) -> None:
        await recorded(database, new_id(), new_id())
        first = await audit.seal()
        await recorded(database, new_id())

        second = await audit.seal()

        assert first is not None
        assert second is not None
        assert (first.records, first.first_sequence, first.previous_hash) == (2, 1, GENESIS)
        assert (second.records, second.first_sequence) == (1, first.last_sequence + 1)
        assert second.previous_hash == first.hash
        assert await audit.seal() is None

    async def test_waits_for_a_transaction_that_has_a_smaller_number(
        self, database: Database, audit: AuditService, impatient: None
    ) -> None:
        async with database.work() as slow:
            await add_at_once(slow, record_of(new_id()))
            await recorded(database, new_id())

            assert await audit.seal() is None

        seal = await audit.seal()
        assert seal is not None
        assert seal.records == 2

    async def test_waits_for_one_that_is_younger_than_the_last_that_ended(
        self, database: Database, audit: AuditService, impatient: None
    ) -> None:
        async with database.work() as younger:
            async with database.work() as older:
                await add_at_once(older, record_of(new_id()))
                await add_at_once(younger, record_of(new_id()))
                await add_at_once(older, record_of(new_id()))

            assert await audit.seal() is None

        seal = await audit.seal()
        assert seal is not None
        assert seal.records == 3

    async def test_goes_on_as_soon_as_it_has_ended(self, database: Database, audit: AuditService) -> None:
        async with database.work() as slow:
            await add_at_once(slow, record_of(new_id()))
            await recorded(database, new_id())
            sealing = asyncio.create_task(audit.seal())
            await asyncio.sleep(0.1)
            assert not sealing.done()

        seal = await sealing
        assert seal is not None
        assert seal.records == 2

    async def test_is_made_by_one_worker_at_a_time(self, database: Database, audit: AuditService) -> None:
        await recorded(database, *(new_id() for _ in range(5)))

        made = await asyncio.gather(*(audit.seal() for _ in range(5)))

        assert sum(seal.records for seal in made if seal is not None) == 5
        assert (await verified(database))[1] == []

    async def test_takes_no_more_than_its_fill(
        self, database: Database, audit: AuditService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("domain.audit_service.LARGEST_SEAL", 2)
        monkeypatch.setattr("domain.audit_seal.LARGEST_SEAL", 2)
        await recorded(database, *(new_id() for _ in range(3)))

        seals = [await audit.seal() for _ in range(3)]

        assert [seal and (seal.records, seal.is_full) for seal in seals] == [(2, True), (1, False), None]
        assert (await verified(database))[1] == []

    async def test_has_one_successor(self, database: Database) -> None:
        seal = AuditSeal(
            first_sequence=1, last_sequence=1, records=1, sealed_at=NOON, previous_hash=GENESIS, hash="1" * 64
        )
        async with database.work() as work:
            await work.audit_seals.add(seal)

        with pytest.raises(IntegrityError, match="uq_audit_seals_previous_hash"):
            async with database.work() as work:
                await work.audit_seals.add(replace(seal, last_sequence=2))

    @pytest.mark.parametrize(
        "statement", ["UPDATE audit_seals SET records = 0", "DELETE FROM audit_seals", "TRUNCATE audit_seals"]
    )
    async def test_stays(
        self, database: Database, audit: AuditService, gateway: Gateway, statement: str
    ) -> None:
        await recorded(database, new_id())
        await audit.seal()

        with pytest.raises(DBAPIError, match="only ever added"):
            async with gateway.engine.begin() as connection:
                await connection.exec_driver_sql(statement)


class TestSnapshot:
    async def test_sees_one_moment(self, database: Database) -> None:
        await recorded(database, new_id())

        async with database.snapshot() as trail:
            before = [record async for record in trail.audit.hashes()]
            await recorded(database, new_id())
            after = [record async for record in trail.audit.hashes()]

        assert before == after
        assert len(before) == 1


class TestForgetting:
    async def test_takes_personal_values_away_and_nothing_else_with_them(
        self, database: Database, gateway: Gateway
    ) -> None:
        told = replace(record_of(new_id()), personal={"note": "x", "salt": "00"}, personal_digest="d" * 64)
        async with database.work() as work:
            await work.audit.add(told)

        for change in (
            "personal = NULL, actor_id = NULL",
            "personal = NULL, changes = '{}'",
            "personal = '{}'",
            "personal_digest = NULL",
            "hash = previous_hash",
        ):
            with pytest.raises(DBAPIError, match="only ever added"):
                async with gateway.engine.begin() as connection:
                    await connection.execute(text(f"UPDATE audit_records SET {change}"))  # noqa: S608
        async with gateway.engine.begin() as connection:
            await connection.execute(text("UPDATE audit_records SET personal = NULL"))
        [record] = await trail_of(database, told.object_id)
        assert record.has_forgotten
