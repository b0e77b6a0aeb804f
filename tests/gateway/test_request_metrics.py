"""What Prometheus is told of requests, of GraphQL operations, and of the process."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from prometheus_client import REGISTRY, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.actor import Actor
from gateway.app import application
from gateway.loop_lag import EVERY, watch_lag
from gateway.server import listening_socket
from gateway.wiring import Gateway
from gql.trusted_documents import hash_of
from persistence.engine import create_engine
from persistence.pool import PoolUse, pool_use
from tests.api import EURO, GRAPHQL, Api, fresh_key, mutation_document
from tests.parts import bearer
from tests.waiting import until
from tests.web.in_process import client_of
from web.http_metrics import OTHER

WALLET = "query Wallet { viewer { id } }"
Sample = tuple[str, frozenset[tuple[str, str]]]


class Counted:
    """How the counters have moved since it was made; they are those of the whole process."""

    def __init__(self) -> None:
        self._before = samples()

    def __call__(self, name: str, **labels: str) -> float:
        sample = (name, frozenset(labels.items()))
        return samples().get(sample, 0) - self._before.get(sample, 0)

    def new(self, name: str) -> list[Mapping[str, str]]:
        """The labels of what has moved."""
        return [
            dict(labels)
            for (each, labels), value in samples().items()
            if each == name and value != self._before.get((each, labels), 0)
        ]


def samples() -> dict[Sample, float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(generate_latest(REGISTRY).decode())
        for sample in family.samples
    }


@pytest.fixture
def counted() -> Counted:
    return Counted()


@pytest.fixture
async def http(gateway: Gateway) -> AsyncIterator[httpx2.AsyncClient]:
    """Of an application that is measured; nobody scrapes it."""
    settings = gateway.settings.model_copy(update={"metric_operations": ("Wallet",)})
    measured = replace(gateway, settings=settings)
    with listening_socket("127.0.0.1", 0) as listener:
        async with client_of(application(measured, metrics=listener)) as client:
            yield client


class TestRequests:
    @pytest.mark.parametrize(
        ("method", "path", "labels"),
        [
            ("GET", "/healthz", {"method": "GET", "route": "/healthz", "status": "200"}),
            ("GET", "/nowhere/4242424242424242", {"method": "GET", "route": OTHER, "status": "404"}),
            ("DELETE", GRAPHQL, {"method": "DELETE", "route": GRAPHQL, "status": "405"}),
            ("BREW", "/healthz", {"method": OTHER, "route": "/healthz", "status": "405"}),
        ],
    )
    async def test_are_counted_by_method_template_and_status(
        self, http: httpx2.AsyncClient, counted: Counted, method: str, path: str, labels: dict[str, str]
    ) -> None:
        await http.request(method, path)

        assert counted.new("payments_http_requests_total") == [labels]
        labels.pop("status")
        assert counted("payments_http_request_seconds_count", **labels) == 1

    async def test_are_not_counted_where_there_are_no_metrics(
        self, gateway: Gateway, counted: Counted
    ) -> None:
        async with client_of(application(gateway)) as http:
            await http.get("/healthz")

        assert counted.new("payments_http_requests_total") == []

    async def test_have_ended_when_they_are_counted(self, http: httpx2.AsyncClient, counted: Counted) -> None:
        await http.get("/healthz")

        assert samples()[("payments_http_requests_running", frozenset())] == 0


class TestOperations:
    @pytest.mark.parametrize("kind", ["query", "mutation"])
    async def test_are_counted_by_the_way_in_which_they_were_answered(
        self, http: httpx2.AsyncClient, counted: Counted, actor: Actor, kind: str
    ) -> None:
        keep = 'mutation { deletePaymentMethod(input: {id: "mth_1"}) { errors { code } } }'

        await Api(http=http, headers=bearer(actor)).post(WALLET if kind == "query" else keep)

        assert counted.new("payments_graphql_queries_total") == [{"way": "plan", "kind": kind}]

    async def test_that_are_named_have_series_of_their_own(
        self, http: httpx2.AsyncClient, actor: Actor, counted: Counted
    ) -> None:
        await http.post(GRAPHQL, json={"query": WALLET}, headers=bearer(actor))

        labels = {"operation": "Wallet", "kind": "query"}
        assert counted("payments_graphql_operations_total", **labels, outcome="answered") == 1
        assert counted("payments_graphql_operation_seconds_count", **labels) == 1
        assert counted("payments_graphql_cost_total", **labels) == 2

    async def test_with_a_name_of_the_callers_are_counted_together(
        self, http: httpx2.AsyncClient, actor: Actor, counted: Counted
    ) -> None:
        for number in range(5):
            document = f"query Made_up_{number} {{ viewer {{ id }} }}"
            await http.post(GRAPHQL, json={"query": document}, headers=bearer(actor))
        await http.post(GRAPHQL, json={"query": "{ viewer { id } }"}, headers=bearer(actor))

        assert counted.new("payments_graphql_operations_total") == [
            {"operation": OTHER, "kind": "query", "outcome": "answered"}
        ]
        assert (
            counted("payments_graphql_operations_total", operation=OTHER, kind="query", outcome="answered")
            == 6
        )

    async def test_of_trusted_documents_have_series_too_where_none_are_named(
        self, gateway: Gateway, actor: Actor, counted: Counted, tmp_path: Path
    ) -> None:
        document = "query Trusted { viewer { id } }"
        manifest = tmp_path / "manifest.json"
        manifest.write_text(json.dumps({hash_of(document): document}))
        settings = gateway.settings.model_copy(update={"trusted_documents": manifest})
        with listening_socket("127.0.0.1", 0) as listener:
            async with client_of(application(replace(gateway, settings=settings), metrics=listener)) as http:
                await http.post(GRAPHQL, json={"query": document}, headers=bearer(actor))

        assert counted.new("payments_graphql_operations_total") == [
            {"operation": "Trusted", "kind": "query", "outcome": "answered"}
        ]

    @pytest.mark.parametrize("document", ["{", "{ nonsense }"])
    async def test_that_cannot_be_made_out_are_invalid(
        self, http: httpx2.AsyncClient, counted: Counted, document: str
    ) -> None:
        await http.post(GRAPHQL, json={"query": document})

        assert counted.new("payments_graphql_operations_total") == [
            {"operation": OTHER, "kind": "unknown", "outcome": "invalid"}
        ]

    async def test_that_a_rule_refuses_are_refused(
        self, http: httpx2.AsyncClient, actor: Actor, counted: Counted
    ) -> None:
        api = Api(http=http, headers=bearer(actor))
        await api.post(
            mutation_document("createPayment", "errors { code }"),
            {"input": {"idempotencyKey": fresh_key(), "charge": EURO}},
        )

        assert counted.new("payments_graphql_operations_total") == [
            {"operation": OTHER, "kind": "mutation", "outcome": "refused"}
        ]

    async def test_that_meet_a_defect_have_failed(
        self, http: httpx2.AsyncClient, actor: Actor, counted: Counted, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def burst(*_: object) -> None:
            raise RuntimeError("surprise")

        monkeypatch.setattr("gql.payment_queries.one", burst)
        document = f'{{ payment(id: "pay_{0:032x}") {{ id }} currencies {{ code }} }}'
        await http.post(GRAPHQL, json={"query": document}, headers=bearer(actor))

        assert counted.new("payments_graphql_operations_total") == [
            {"operation": OTHER, "kind": "query", "outcome": "failed"}
        ]


class TestPool:
    async def test_tells_what_is_in_use_and_who_waits(self, gateway: Gateway) -> None:
        engine = create_engine(gateway.settings.database_url, pool_size=2)
        first, second = await engine.connect(), await engine.connect()
        third = asyncio.create_task(connected(engine))
        await until(lambda: has_waiting(engine))

        busy = pool_use(engine)
        await first.close()
        late = await third
        served = pool_use(engine)
        for connection in (second, late):
            await connection.close()

        assert busy == PoolUse(size=2, in_use=2, waiting=1)
        assert served == PoolUse(size=2, in_use=2, waiting=0)
        assert pool_use(engine) == PoolUse(size=2, in_use=0, waiting=0)
        await engine.dispose()


async def connected(engine: AsyncEngine) -> AsyncConnection:
    return await engine.connect()


async def has_waiting(engine: AsyncEngine) -> bool:
    return pool_use(engine).waiting > 0


class TestEventLoop:
    async def test_that_was_held_up_is_told(self, counted: Counted) -> None:
        watching = asyncio.create_task(watch_lag())
        await asyncio.sleep(0)

        time.sleep(EVERY + 0.3)  # noqa: ASYNC251 - holding the loop up is what this is about
        await until(lambda: has_looked(counted))
        watching.cancel()

        assert counted("payments_event_loop_lag_seconds_sum") >= 0.25


async def has_looked(counted: Counted) -> bool:
    return counted("payments_event_loop_lag_seconds_count") > 0


class TestProcess:
    @pytest.mark.parametrize(
        "name",
        [
            "process_cpu_seconds_total",
            "process_resident_memory_bytes",
            "process_open_fds",
            "python_gc_collections_total",
        ],
    )
    def test_is_told_as_well(self, name: str) -> None:
        assert name in {each for each, _ in samples()}
