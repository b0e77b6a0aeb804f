"""
Traces by OpenTelemetry, exported over OTLP.

Imported only where OTEL_EXPORTER_OTLP_ENDPOINT is set, since it takes a third of a second. Everything else is set by
OpenTelemetry's own variables: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
"""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Generator, Sequence
from contextlib import asynccontextmanager
from typing import Final, Self

import structlog
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Link, SpanKind, Tracer, format_trace_id, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from pgqueuer.models import Job
from pgqueuer.ports.tracing import TRACER, TracingProtocol
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.middleware import Middleware
from stripe import HTTPClient
from structlog.contextvars import bound_contextvars
from structlog.typing import FilteringBoundLogger

from gql.execution import Executor
from persistence.traces import trace_statements
from processor.stripe_traces import TracedRequests
from web.health import LIVENESS, READINESS
from web.traces import RequestTraces, TracedExecutor

NAME: Final = "payments-gateway"
UNNAMED: Final = "unknown_service"
PATH: Final = "/v1/traces"
FLUSH_SECONDS: Final = 2.0
"""How long the end of the program waits for a collector."""
HEADERS: Final = "otel"

log: FilteringBoundLogger = structlog.get_logger()
_propagator = TraceContextTextMapPropagator()


class Traces:
    """Makes the spans of one process; each part that has some gets its tracer here."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer: Tracer = provider.get_tracer(NAME)

    @classmethod
    def exported(cls, endpoint: str) -> Self:
        """
        A thread of its own sends them, and drops what it cannot send in time.

        The library would log each attempt; `Outspoken` tells instead of it.
        """
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        provider = TracerProvider(resource=named_resource(), shutdown_on_exit=False)
        exporter = Outspoken(OTLPSpanExporter(endpoint=endpoint.rstrip("/") + PATH))
        provider.add_span_processor(BatchSpanProcessor(exporter))
        traces = cls(provider)
        TRACER.tracer = JobTraces(traces._tracer)
        return traces

    def requests(self) -> Middleware:
        return Middleware(RequestTraces, tracer=self._tracer, quiet=(LIVENESS, READINESS))

    def executor(self, inner: Executor) -> Executor:
        return TracedExecutor(inner, self._tracer)

    def stripe(self, client: HTTPClient) -> HTTPClient:
        return TracedRequests(client, self._tracer)

    def statements(self, engine: AsyncEngine) -> None:
        trace_statements(engine, self._tracer)

    async def close(self) -> None:
        """Send what is left, for as long as the program may take to end; the rest is lost."""
        TRACER.tracer = None
        ending = threading.Thread(target=self._provider.shutdown, daemon=True)
        ending.start()
        await asyncio.to_thread(ending.join, FLUSH_SECONDS)
        if ending.is_alive():
            log.warning("traces.unsent", after_seconds=FLUSH_SECONDS)


def named_resource() -> Resource:
    """As OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say, or under our own name."""
    resource = Resource.create()
    if str(resource.attributes[SERVICE_NAME]).startswith(UNNAMED):
        return resource.merge(Resource({SERVICE_NAME: NAME}))
    return resource


class Outspoken(SpanExporter):
    """Another one, which says once that nothing arrives, and once that it does again."""

    def __init__(self, inner: SpanExporter) -> None:
        self._inner = inner
        self._arrives = True

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._inner.export(spans)
        arrives = result is SpanExportResult.SUCCESS
        if arrives is not self._arrives:
            self._arrives = arrives
            (log.info if arrives else log.warning)("traces.sent_again" if arrives else "traces.lost")
        return result

    def shutdown(self) -> None:
        self._inner.shutdown()


class JobTraces(TracingProtocol):
    """A trace for each job, linked to that of the request which queued it. PgQueuer keeps the link in the job."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def trace_publish(self, entrypoints: list[str]) -> Generator[dict[str, object], None, None]:
        carrier: dict[str, str] = {}
        if get_current_span().is_recording():
            _propagator.inject(carrier)
        for _ in entrypoints:
            yield {HEADERS: carrier} if carrier else {}

    @asynccontextmanager
    async def trace_process(self, job: Job) -> AsyncIterator[None]:
        with (
            self._tracer.start_as_current_span(
                f"job {job.entrypoint}",
                Context(),
                SpanKind.CONSUMER,
                {"messaging.message.id": str(job.id)},
                links=links_of(job),
                record_exception=False,
            ) as span,
            bound_contextvars(trace_id=format_trace_id(span.get_span_context().trace_id)),
        ):
            yield


def links_of(job: Job) -> list[Link]:
    carrier = {name: str(value) for name, value in (job.otel_headers() or {}).items()}
    cause = get_current_span(_propagator.extract(carrier, Context())).get_span_context()
    return [Link(cause)] if cause.is_valid else []
