"""
A span for each statement of a request that is traced.

Imported only where traces are exported. Statements come with the places of their values, and never with the values.
"""

import re
from functools import lru_cache
from typing import Any, Final

from opentelemetry.trace import SpanKind, StatusCode, Tracer, get_current_span
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncEngine

from persistence.statements import table_in

SPAN: Final = "_span_of_statement"
LONGEST_STATEMENT: Final = 2000

_LITERAL: Final = re.compile(r"'(?:[^']|'')*'")


def trace_statements(engine: AsyncEngine, tracer: Tracer) -> None:
    """Each becomes a child of the span that it belongs to; without one there is none, as for the queue's polls."""

    def begin(
        _connection: Any, _cursor: Any, statement: str, _values: Any, context: Any, _many: bool
    ) -> None:
        if get_current_span().is_recording():
            name, attributes = described(statement)
            setattr(context, SPAN, tracer.start_span(name, kind=SpanKind.CLIENT, attributes=attributes))

    def end(_connection: Any, _cursor: Any, _statement: str, _values: Any, context: Any, _many: bool) -> None:
        if span := getattr(context, SPAN, None):
            span.end()

    def fail(failure: ExceptionContext) -> None:
        if span := getattr(failure.execution_context, SPAN, None):
            span.set_attribute("error.type", type(failure.original_exception).__name__)
            span.set_status(StatusCode.ERROR)
            span.end()

    event.listen(engine.sync_engine, "before_cursor_execute", begin)
    event.listen(engine.sync_engine, "after_cursor_execute", end)
    event.listen(engine.sync_engine, "handle_error", fail)


@lru_cache(512)
def described(statement: str) -> tuple[str, dict[str, str]]:
    """Its name and its attributes. Constants that stand in quotes go, since nobody can tell them from a value."""
    verb = statement.split(maxsplit=1)[0].upper()
    table = table_in(statement)
    return f"{verb} {table}", {
        "db.system.name": "postgresql",
        "db.operation.name": verb,
        "db.collection.name": table,
        "db.query.text": _LITERAL.sub("?", statement)[:LONGEST_STATEMENT],
    }
