"""One line per event, ours and our libraries' alike, to standard error."""

import logging
from collections.abc import Sequence
from typing import Final, TextIO

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger

from web.redaction import redacted_event
from web.request_id import request_id

TALKATIVE: Final = ("asgi_correlation_id", "httpcore", "httpx", "stripe", "uvicorn.access")
"""Loggers that write URLs with their query strings, whole requests, or what our access log says already."""


def configure_logs(*, as_json: bool, level: str) -> None:
    """
    Give structlog and the standard library's loggers the same shape, from `level` upwards.

    Call it once per process, before the first request; uvicorn is started with `log_config=None`.
    Raises ValueError for a level that `logging` does not know.
    """
    threshold = _threshold(level)
    logging.basicConfig(level=threshold, handlers=[_handler(as_json=as_json)], force=True)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(max(threshold, logging.WARNING))
    structlog.configure(
        processors=[*_COMMON, ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )


def redact(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Last before rendering, so that it also sees the text of exceptions and what libraries wrote."""
    return redacted_event(event)


def add_request_id(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    if current := request_id():
        event.setdefault("request_id", current)
    return event


_COMMON: Sequence[Processor] = (
    structlog.contextvars.merge_contextvars,
    add_request_id,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def _threshold(level: str) -> int:
    levels = logging.getLevelNamesMapping()
    if level.upper() not in levels:
        raise ValueError(f"There is no log level {level!r}; there are {', '.join(levels)}.")
    return levels[level.upper()]


def _handler(*, as_json: bool) -> logging.Handler:
    handler = logging.StreamHandler()
    renderer = structlog.processors.JSONRenderer() if as_json else _console(handler)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=_COMMON,
            processors=[
                ProcessorFormatter.remove_processors_meta,
                structlog.processors.StackInfoRenderer(),
                structlog.processors.format_exc_info,  # Without local variables, which may hold anything.
                redact,
                renderer,
            ],
        )
    )
    return handler


def _console(handler: "logging.StreamHandler[TextIO]") -> Processor:
    return structlog.dev.ConsoleRenderer(
        colors=handler.stream.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
