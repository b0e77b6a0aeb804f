"""
Spans around a request, and around the GraphQL operation in it.

Imported only where traces are exported. No span holds a path, a query string, a document, a value, or the message of
an exception, which may hold any of them.
"""

from collections.abc import Collection
from typing import Final

from opentelemetry.context import Context as TraceContext
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer, format_trace_id
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from domain.actor import Actor
from gql.context import Context
from gql.execution import Asked, Executor, Request, Response
from gql.outcome import RequestOutcome, outcome_of
from gql.summary import Summary
from web.http_metrics import METHODS, OTHER, route_of
from web.redaction import redacted_text
from web.summaries import shown_name

PARENT: Final = "traceparent"
OUR_FAULT: Final = frozenset({RequestOutcome.FAILED, RequestOutcome.UNAVAILABLE})

_propagator = TraceContextTextMapPropagator()


class RequestTraces:
    """
    One span per request, which continues the trace of a caller that names it; each line of the log has its `trace_id`.

    Health checks on `quiet` paths have none.
    """

    def __init__(self, app: ASGIApp, tracer: Tracer, quiet: Collection[str] = ()) -> None:
        self.app, self.tracer, self.quiet = app, tracer, frozenset(quiet)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self.quiet:
            await self.app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in METHODS else OTHER
        with self.tracer.start_as_current_span(
            method,
            caller_of(scope),
            SpanKind.SERVER,
            {"http.request.method": method},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                with bound_contextvars(trace_id=format_trace_id(span.get_span_context().trace_id)):
                    await self.app(scope, receive, noting_status(span, send))
            finally:
                route = route_of(scope)
                span.update_name(f"{method} {route}")
                span.set_attribute("http.route", route)


def caller_of(scope: Scope) -> TraceContext:
    """Only what names the trace; its `tracestate` and baggage may hold anything, and stay behind."""
    given = [value.decode("latin-1") for name, value in scope["headers"] if name == PARENT.encode()]
    return _propagator.extract({PARENT: given[0]} if given else {}, TraceContext())


def noting_status(span: Span, send: Send) -> Send:
    async def noted(message: Message) -> None:
        if message["type"] == "http.response.start":
            span.set_attribute("http.response.status_code", message["status"])
            if message["status"] >= 500:
                span.set_status(StatusCode.ERROR)
        await send(message)

    return noted


class TracedExecutor(Executor):
    """Another one, with a span around what it does."""

    def __init__(self, inner: Executor, tracer: Tracer) -> None:
        self._inner = inner
        self._tracer = tracer

    def reading_cost(self, request: Request, *, by: Actor) -> int:
        return self._inner.reading_cost(request, by=by)

    def asked(self, request: Request, *, by: Actor) -> Asked:
        return self._inner.asked(request, by=by)

    async def execute(self, asked: Asked, context: Context) -> Response:
        with self._tracer.start_as_current_span(
            "graphql", record_exception=False, set_status_on_exception=False
        ) as span:
            response = await self._inner.execute(asked, context)
            if span.is_recording():
                note(span, Summary.of(asked, response.body))
                span.set_attribute("gateway.request_id", redacted_text(context.actor.request_id or ""))
            return response


def note(span: Span, summary: Summary) -> None:
    name = shown_name(summary.name or "")
    span.update_name(f"{summary.kind} {name}".strip())
    span.set_attributes(
        {
            "graphql.operation.type": summary.kind,
            "graphql.operation.name": name,
            "graphql.document.sha256": summary.document,
            "graphql.cost": summary.cost,
            "graphql.error_codes": sorted(set(summary.codes)),
        }
    )
    if outcome_of(summary) in OUR_FAULT:
        span.set_status(StatusCode.ERROR)
