"""What a collector of traces gets to see, and what it never does."""

import asyncio
import logging
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from opentelemetry.trace import get_current_span
from pgqueuer.ports.tracing import TRACER
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from domain.actor import Actor
from gateway.app import application
from gateway.server import listening_socket
from gateway.settings import Settings, UnfitSettings
from gateway.wiring import Gateway, wire
from gateway.worker import Worker
from processor.stripe_traces import template_of
from tests.api import EURO, GRAPHQL, Api, fresh_key, mutation_document
from tests.gateway.collector import Collector, collecting
from tests.parts import bearer
from tests.secret_texts import secrets_in
from tests.waiting import until
from tests.watched_processor import WatchedProcessor
from tests.web.in_process import client_of

CARD = "4242424242424242"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{CALLER}-01"


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    async with collecting() as collector:
        yield collector


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Spans are sent soon, and OpenTelemetry's loggers are afterwards as they were."""
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
    logger = logging.getLogger("opentelemetry")
    level = logger.level
    yield
    logger.setLevel(level)


def traced(settings: Settings, url: str) -> Gateway:
    changed = settings.model_copy(update={"otel_exporter_otlp_endpoint": url})
    return wire(changed, connect=WatchedProcessor.connected)


@asynccontextmanager
async def asking(gateway: Gateway) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the gateway, which is closed afterwards, so that all its spans have been sent."""
    try:
        async with client_of(application(gateway)) as http:
            yield http
    finally:
        await gateway.close()


class TestRequest:
    async def test_is_a_span_with_the_operation_and_its_statements_below(
        self, settings: Settings, collector: Collector, actor: Actor
    ) -> None:
        async with asking(traced(settings, collector.url)) as http:
            await http.post(GRAPHQL, json={"query": "query Wallet { viewer { id } }"}, headers=bearer(actor))

        request = await collector.named(f"POST {GRAPHQL}")
        [operation] = collector.below(request)
        assert request.attributes["http.route"] == GRAPHQL
        assert request.attributes["http.response.status_code"] == 200
        assert request.service == "payments-gateway"
        assert operation.name == "query Wallet"
        assert operation.attributes["graphql.cost"] == 2
        assert len(operation.attributes["graphql.document.sha256"]) == 64
        assert {span.name for span in collector.below(operation)} == {
            "INSERT billing_accounts",
            "SELECT billing_accounts",
            "WITH audit_records",
        }
        assert len({span.trace for span in collector.spans}) == 1

    async def test_continues_the_trace_of_its_caller(self, settings: Settings, collector: Collector) -> None:
        headers = {"traceparent": TRACEPARENT, "tracestate": "theirs=secret", "baggage": "user=secret"}
        async with asking(traced(settings, collector.url)) as http:
            await http.get("/nowhere", headers=headers)

        request = await collector.named("GET other")
        assert (request.trace, request.parent) == (TRACE, CALLER)
        assert "secret" not in collector.text

    @pytest.mark.parametrize("header", ["", "nonsense", f"00-{'0' * 32}-{CALLER}-01", "x" * 10_000])
    async def test_with_a_trace_that_is_none_begins_its_own(
        self, settings: Settings, collector: Collector, header: str
    ) -> None:
        async with asking(traced(settings, collector.url)) as http:
            await http.get("/nowhere", headers={"traceparent": header})

        assert (await collector.named("GET other")).parent == ""

    async def test_names_its_trace_in_the_log(self, settings: Settings, collector: Collector) -> None:
        with capture_logs([merge_contextvars]) as logs:
            async with asking(traced(settings, collector.url)) as http:
                await http.get("/nowhere", headers={"traceparent": TRACEPARENT})

        assert [line["trace_id"] for line in logs if line["event"] == "http.request"] == [TRACE]

    async def test_for_its_health_is_no_span(self, settings: Settings, collector: Collector) -> None:
        async with asking(traced(settings, collector.url)) as http:
            await http.get("/readyz")
            await http.get("/nowhere")

        await collector.named("GET other")
        assert len(collector.spans) == 1

    async def test_that_meets_a_defect_is_an_error_without_its_message(
        self, settings: Settings, collector: Collector, actor: Actor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def burst(*_: object) -> None:
            raise RuntimeError("the password is hunter2")

        monkeypatch.setattr("gql.payment_queries.one", burst)
        document = f'query Burst {{ payment(id: "pay_{0:032x}") {{ id }} }}'
        async with asking(traced(settings, collector.url)) as http:
            await http.post(GRAPHQL, json={"query": document}, headers=bearer(actor))

        operation = await collector.named("query Burst")
        assert operation.is_error
        assert operation.attributes["graphql.error_codes"] == ["INTERNAL_ERROR"]
        assert "hunter2" not in collector.text

    async def test_is_not_traced_where_the_sampler_says_so(
        self, settings: Settings, collector: Collector, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
        async with asking(traced(settings, collector.url)) as http:
            answer = await http.post(GRAPHQL, json={"query": "{ currencies { code } }"})

        assert answer.status_code == 200
        assert collector.spans == []


class TestStripe:
    async def test_request_is_a_span_below_the_operation(
        self, settings: Settings, collector: Collector, actor: Actor
    ) -> None:
        async with asking(traced(settings, collector.url)) as http:
            await Api(http=http, headers=bearer(actor)).add_card()

        attached = await collector.named("POST /v1/payment_methods/{id}/attach")
        operation = await collector.named("mutation M")
        assert attached.parent == operation.id
        assert attached.attributes["http.response.status_code"] == 200
        assert attached.attributes["stripe.request_id"].startswith("req_")

    @pytest.mark.parametrize(
        ("path", "template"),
        [
            ("/v1/payment_intents", "/v1/payment_intents"),
            ("/v1/payment_intents/pi_3Abc/confirm?client_secret=x", "/v1/payment_intents/{id}/confirm"),
            ("/v1/payment_methods/pm_card_visa/attach", "/v1/payment_methods/{id}/attach"),
            ("/v1/invoices/create_preview", "/v1/invoices/create_preview"),
            ("/v1/customers/0195d1c5-0000-7000-8000-000000000001", "/v1/customers/{id}"),
            (f"/v1/customers/{CARD}", "/v1/customers/{id}"),
        ],
    )
    def test_path_names_no_object(self, path: str, template: str) -> None:
        assert template_of(f"https://api.stripe.com{path}") == template


def gift() -> dict[str, Any]:
    told = {"description": "a gift for Ada", "metadata": {"note": "for Ada"}}
    given = {"idempotencyKey": fresh_key(), "charge": EURO, **told}
    return {"query": mutation_document("createPayment", "errors { code }"), "variables": {"input": given}}


class TestValues:
    async def test_and_literals_and_tokens_are_in_no_span(
        self, settings: Settings, collector: Collector, actor: Actor
    ) -> None:
        async with asking(traced(settings, collector.url)) as http:
            api = Api(http=http, headers=bearer(actor))
            await api.add_card(makeDefault=True)
            await http.post(GRAPHQL, json=gift(), headers=api.headers)  # Past its budget: rows go one by one.
            document = 'query Pay { payments(filter: { mediaItemId: "Ada-17" }) { nodes { id } } }'
            refused = f"query Pay_{CARD} {{ payments {{ nodes {{ id }} }} }}"
            await http.post(GRAPHQL, json={"query": refused}, headers=api.headers)
            await http.post(f"{GRAPHQL}?card={CARD}", json={"query": document}, headers=api.headers)
            await http.get(f"/payments/{CARD}?token=Ada-18")

        await collector.named("query Pay")
        assert "Ada" not in collector.text
        assert str(actor.user_id) not in collector.text
        assert list(secrets_in(collector.text)) == []
        statements = [
            span.attributes["db.query.text"] for span in collector.spans if "db.query.text" in span.attributes
        ]
        assert any(statement.startswith("INSERT INTO payments") for statement in statements)
        assert not [statement for statement in statements if "'" in statement]


class TestJob:
    async def test_has_a_trace_of_its_own_that_is_linked_to_its_cause(
        self,
        settings: Settings,
        collector: Collector,
        actor: Actor,
        fresh_database: Callable[[], Awaitable[str]],
    ) -> None:
        own = settings.model_copy(update={"database_url": await fresh_database(), "run_worker": True})
        gateway = traced(own, collector.url)
        worker = Worker(gateway)
        working = asyncio.create_task(worker.run())
        async with asking(gateway) as http:
            await Api(http=http, headers=bearer(actor)).add_card(makeDefault=True)
            job = await collector.named("job keep_default_in_step")
            worker.stop()
            await working

        operation = await collector.named("mutation M")
        assert job.links == (operation.id,)
        assert job.trace != operation.trace
        assert collector.below(job)


class TestCollector:
    async def test_that_is_away_slows_nobody_and_is_told_once(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
        with listening_socket("127.0.0.1", 0) as nobody:
            port = nobody.getsockname()[1]
        with capture_logs() as logs:
            gateway = traced(settings, f"http://127.0.0.1:{port}")
            async with client_of(application(gateway)) as http:
                await http.get("/nowhere")
                await until(lambda: has_told(logs, "traces.lost"))
                await http.get("/nowhere")
            began = time.monotonic()
            await gateway.close()

        assert time.monotonic() - began < 4
        assert [line["event"] for line in logs].count("traces.lost") == 1
        assert caplog.records == []

    async def test_that_comes_back_is_told_too(self, settings: Settings, collector: Collector) -> None:
        collector.status = 400
        with capture_logs() as logs:
            async with asking(traced(settings, collector.url)) as http:
                await http.get("/nowhere")
                await until(lambda: has_told(logs, "traces.lost"))
                collector.status = 200
                await http.get("/nowhere")
                await until(lambda: has_told(logs, "traces.sent_again"))

    async def test_that_does_not_answer_does_not_hold_up_the_end(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("gateway.traces.FLUSH_SECONDS", 0.3)
        with listening_socket("127.0.0.1", 0) as mute, capture_logs() as logs:
            gateway = traced(settings, f"http://127.0.0.1:{mute.getsockname()[1]}")
            async with client_of(application(gateway)) as http:
                await http.get("/nowhere")
            began = time.monotonic()
            await gateway.close()

        assert time.monotonic() - began < 2
        assert await has_told(logs, "traces.unsent")


async def has_told(logs: Sequence[object], event: str) -> bool:
    return event in str(logs)


class TestOff:
    async def test_leaves_no_tracer_behind(self, settings: Settings, collector: Collector) -> None:
        await traced(settings, collector.url).close()

        assert TRACER.tracer is None
        assert not get_current_span().is_recording()

    def test_loads_nothing_of_opentelemetry(self) -> None:
        program = (
            "import sys, gateway.app, gateway.worker; print([n for n in sys.modules if 'opentelemetry' in n])"
        )

        command = [sys.executable, "-c", program]
        loaded = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own program

        assert loaded.stdout.strip() == "[]"

    @pytest.mark.parametrize("address", ["collector:4318", "grpc://collector:4317", "http://"])
    def test_address_that_is_none_is_refused(self, settings: Settings, address: str) -> None:
        with pytest.raises(UnfitSettings, match="OTEL_EXPORTER_OTLP_ENDPOINT is no http address"):
            settings.model_copy(update={"otel_exporter_otlp_endpoint": address}).check()
