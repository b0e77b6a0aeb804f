"""A collector of traces (OTLP over HTTP), as far as tests need one."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.development import address
from gateway.server import listening_socket, serving
from tests.waiting import until


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """A span, as it came over the wire."""

    name: str
    trace: str
    id: str
    parent: str
    links: tuple[str, ...]
    """The ids of the spans that it is linked to."""
    attributes: dict[str, Any]
    is_error: bool
    service: str


@dataclass(kw_only=True)
class Collector:
    url: str = ""
    spans: list[Collected] = field(default_factory=list)
    text: str = ""
    """All that has come, as protobuf writes it for people."""
    status: int = 200

    async def take(self, request: Request) -> Response:
        sent = ExportTraceServiceRequest.FromString(await request.body())
        if self.status == 200:
            self.text += str(sent)
            self.spans += spans_in(sent)
        return Response(status_code=self.status)

    async def named(self, name: str) -> Collected:
        """The only span of this name, once it has come."""

        async def come() -> Collected | None:
            return next((span for span in self.spans if span.name == name), None)

        return await until(come)

    def below(self, span: Collected) -> list[Collected]:
        return [each for each in self.spans if each.parent == span.id]


def spans_in(sent: ExportTraceServiceRequest) -> Iterator[Collected]:
    for resource in sent.resource_spans:
        service = attributes_of(resource.resource.attributes)["service.name"]
        for span in (span for scope in resource.scope_spans for span in scope.spans):
            yield Collected(
                name=span.name,
                trace=span.trace_id.hex(),
                id=span.span_id.hex(),
                parent=span.parent_span_id.hex(),
                links=tuple(link.span_id.hex() for link in span.links),
                attributes=attributes_of(span.attributes),
                is_error=span.status.code == span.status.STATUS_CODE_ERROR,
                service=service,
            )


def attributes_of(pairs: Any) -> dict[str, Any]:
    return {pair.key: value_of(pair.value) for pair in pairs}


def value_of(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [value_of(each) for each in value.array_value.values]
    return getattr(value, kind)


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    collector = Collector()
    app = Starlette(routes=[Route("/v1/traces", collector.take, methods=["POST"])])
    with listening_socket("127.0.0.1", 0) as listener:
        async with serving(app, listener, shutdown_seconds=1):
            collector.url = address(listener)
            yield collector
