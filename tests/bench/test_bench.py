"""The benchmark's own parts: what it measures must be the same work on both sides."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest

from bench import dataset
from bench.load import BadAnswer, asked
from bench.operations import CREATE_PAYMENT, PAGE_OF_20, PAGE_OF_100, READS, Operation, as_admin, get
from bench.pages import requests
from bench.peers.servers import NAIVE, SERVERS, first
from bench.programs import Program, running
from bench.report import Result, printed
from bench.stack import Stack, connected, questions, settings, stack, statistics
from bench.statistics import RECOUNT, REPORT, recount, stored, year_of
from bench.turns import compared, percentile
from domain.actor import Actor, Role
from domain.identity import new_id
from domain.invariants import InvariantName
from domain.statistics.metrics import StatsDimension
from persistence.engine import create_engine
from persistence.unit_of_work import SqlDatabase
from tests.databases import Server, database

PAYMENTS = 10_000
BEGINNING, END = datetime(2023, 11, 10, tzinfo=UTC), datetime(2023, 11, 25, tzinfo=UTC)
"""Around the days of so many payments, one a minute."""


@pytest.fixture(scope="module")
async def address(postgres: Server, template: str) -> AsyncIterator[str]:
    async with database(postgres, template=template) as name:
        address = postgres.url(name)
        async with connected(address) as connection:
            await dataset.load(connection, PAYMENTS)
        async with statistics(address) as service:
            await service.rebuild()
        yield address


@pytest.fixture
async def connection(address: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    async with connected(address) as connection:
        yield connection


@pytest.fixture(scope="module")
def servers(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder: Path = tmp_path_factory.mktemp("bench")
    with stack(folder, address) as running:
        yield running


@pytest.fixture(scope="module")
def naive(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    log = tmp_path_factory.mktemp("naive") / "naive.log"
    [server] = [server for server in SERVERS if server.name == NAIVE]
    environment = settings(address, "http://127.0.0.1:9")
    with running(server.command, log=log, ready=first(server), environment=environment) as program:
        yield program


@pytest.fixture(scope="module")
async def operations(servers: Stack, address: str) -> dict[str, Operation]:
    return {operation.name: operation for operation in await questions(servers, address, PAYMENTS)}


class TestDataset:
    async def test_has_the_promised_users(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        counts = {
            row["user_id"]: row["count"]
            for row in await connection.fetch("SELECT user_id, count(*) FROM payments GROUP BY user_id")
        }

        sizes = [counts[dataset.user_id(number)] for number in (dataset.HOT, dataset.SMALL, dataset.MEDIUM)]
        assert sizes == [PAYMENTS // 2, 10, 1000]
        assert all(counts[dataset.user_id(number)] > 20 for number in dataset.others(PAYMENTS))

    @pytest.mark.parametrize("name", [InvariantName.PAYMENT_SUMS, InvariantName.MONEY_BACK])
    async def test_refunds_add_up_to_what_payments_say(self, address: str, name: InvariantName) -> None:
        engine = create_engine(address)
        async with SqlDatabase(engine).work() as work:
            breaches = await work.invariants.breaches(
                name, left_behind=datetime.max.replace(tzinfo=UTC), limit=3
            )
        await engine.dispose()

        assert breaches.first == []

    async def test_a_tenth_of_the_payments_was_given_back(
        self, connection: "asyncpg.Connection[asyncpg.Record]"
    ) -> None:
        sums = await connection.fetchrow("SELECT count(DISTINCT payment_id), count(*) FROM refunds")

        assert tuple(sums) == (PAYMENTS // 10, PAYMENTS // 10 + PAYMENTS // 100)

    async def test_is_there_once_it_is_loaded(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        assert await dataset.is_loaded(connection)

    async def test_refuses_a_size_that_would_break_the_promise(
        self, connection: "asyncpg.Connection[asyncpg.Record]"
    ) -> None:
        with pytest.raises(ValueError, match="no multiple"):
            await dataset.load(connection, 1999)


class TestAnswers:
    @pytest.mark.parametrize("name", [*READS, CREATE_PAYMENT])
    async def test_of_both_servers_are_alike(
        self, servers: Stack, operations: dict[str, Operation], name: str
    ) -> None:
        gateway, hand_written = operations[name].gateway[-1], operations[name].hand_written[-1]

        answer = orjson.loads(await asked(servers.gateway.port, gateway))
        expected = orjson.loads(await asked(servers.hand_written.port, hand_written))

        assert answer.pop("extensions").keys() == {"cost"}
        assert without_new_ids(answer) == without_new_ids(expected)

    @pytest.mark.parametrize("name", READS)
    async def test_of_the_naive_server_are_the_gateways(
        self, servers: Stack, naive: Program, operations: dict[str, Operation], name: str
    ) -> None:
        question = operations[name].gateway[-1]

        answer = orjson.loads(await asked(naive.port, question))

        assert answer["data"] == orjson.loads(await asked(servers.gateway.port, question))["data"]

    async def test_of_a_page_are_twenty_payments(
        self, servers: Stack, operations: dict[str, Operation]
    ) -> None:
        answer = orjson.loads(await asked(servers.gateway.port, operations[PAGE_OF_20].gateway[0]))

        page = answer["data"]["payments"]
        assert (len(page["nodes"]), page["pageInfo"]["hasNextPage"]) == (20, True)

    async def test_of_a_large_page_have_refunds(
        self, servers: Stack, operations: dict[str, Operation]
    ) -> None:
        answer = orjson.loads(await asked(servers.gateway.port, operations[PAGE_OF_100].gateway[0]))

        nodes = answer["data"]["payments"]["nodes"]
        assert len(nodes) == 100
        assert sum(len(node["refunds"]) for node in nodes) >= 5

    async def test_of_every_cursor_page_are_full(self, servers: Stack, address: str) -> None:
        for page in (await requests(address, PAYMENTS)).values():
            answer = orjson.loads(await asked(servers.gateway.port, page))
            assert len(answer["data"]["payments"]["nodes"]) == 5

    async def test_that_are_failures_stop_the_benchmark(self, servers: Stack) -> None:
        with pytest.raises(BadAnswer, match="404"):
            await asked(servers.gateway.port, get(dataset.user_id(dataset.HOT), "/nowhere"))


class TestStatistics:
    async def test_are_counted_of_what_was_loaded(self, servers: Stack, address: str) -> None:
        asked_for = {
            "metrics": ["GROSS_VOLUME"],
            "from": "2020-01-01T00:00:00Z",
            "to": "2029-01-01T00:00:00Z",
        }

        answer = orjson.loads(await asked(servers.gateway.port, as_admin(REPORT, input=asked_for)))
        async with connected(address) as connection:
            expected = await connection.fetch(
                "SELECT sum(captured_amount) FROM payments WHERE processor_payment_id LIKE 'pi_bench%'"
                " GROUP BY currency ORDER BY currency"
            )

        told = [value["money"]["minor"] for value in answer["data"]["stats"]["totals"]]
        assert len(told) == 3
        assert sum(told) >= sum(row["sum"] for row in expected) > 0

    @pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kolkata"])
    async def test_per_day_are_what_a_recount_finds(self, servers: Stack, address: str, zone: str) -> None:
        admin = Actor(role=Role.ADMIN, user_id=new_id())

        async with statistics(address) as service:
            asked_for = replace(year_of(zone, StatsDimension.BRAND), since=BEGINNING, until=END)
            report = await service.report(admin, asked_for)
        async with connected(address) as connection:
            rows = await connection.fetch(RECOUNT, BEGINNING, END, zone)

        told = {
            (bucket.start, value.group[0].name, value.currency): value.money.minor
            for bucket in report.buckets
            for value in bucket.values
            if value.money is not None and value.money.minor
        }
        assert told == {
            (row["day"], row["method_brand"] or "", row["currency"]): row["sum"] for row in rows if row["sum"]
        }
        assert len(told) > 50

    async def test_of_a_year_are_timed_beside_their_recount(self, servers: Stack, address: str) -> None:
        asked_for = ("Europe/Berlin", StatsDimension.BRAND)

        slow = await recount(address, asked_for[0])
        fast = await stored(address, *asked_for)

        assert 0 < fast.p50 <= fast.p99
        assert 0 < slow.p50 <= slow.p99


class TestReport:
    async def test_sets_both_servers_side_by_side(
        self, servers: Stack, operations: dict[str, Operation]
    ) -> None:
        page = operations[PAGE_OF_20]

        [comparison] = compared(servers, [page], turns=1, seconds=0.3)

        assert comparison.gateway.p50_ms <= comparison.gateway.p99_ms
        assert min(comparison.gateway.cpu_ms, comparison.hand_written.cpu_ms) > 0
        report = printed(
            Result(
                payments=PAYMENTS,
                comparisons=[comparison],
                pages=[],
                years=[],
                serve_seconds=1,
                develop_seconds=2,
                resident_mib=servers.gateway.resident_bytes() / 2**20,
            )
        )
        assert f"{comparison.cpu_ratio:.1f}" in report

    @pytest.mark.parametrize(("share", "expected"), [(50, 2), (99, 4), (25, 1), (100, 4)])
    def test_percentiles_are_values_that_were_seen(self, share: int, expected: int) -> None:
        assert percentile([1, 2, 3, 4], share) == expected


def without_new_ids(answer: dict[str, Any]) -> dict[str, Any]:
    """A new payment has an id of its own."""
    if created := answer["data"].get("createPayment"):
        created["payment"].pop("id")
    return answer
