"""One line per event, ours and our libraries' alike, to standard error."""

import json
import logging
import sys
from collections.abc import Sequence
from typing import Final, TextIO

import orjson
import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger

from web.redaction import redacted_event
from web.request_id import request_id

TALKATIVE: Final = (
    "alembic.runtime.plugins",
    "httpcore",
    "httpx",
    "stripe",
    "uvicorn.access",
)
"""Loggers that write what nobody asks, URLs with their query strings, whole requests, or our access log again."""

IS_CLEAN: Final = "is_clean"
"""
The key by which an event says that whoever wrote it has redacted what others may have chosen, and the rest is JSON.

For what is written with every request, since to look at each word takes as long as to write all of them.
"""


def configure_logs(*, as_json: bool, level: str) -> None:
    """
    Give structlog and the standard library's loggers the same shape, from `level` upwards.

    Our own events skip the standard library, which would make each line cost nearly twice as much.
    Call it once per process, before the first request; uvicorn is started with `log_config=None`.
    Raises ValueError for a level that `logging` does not know.
    """
    threshold = _threshold(level)
    finish = (
        *FINISH,
        structlog.processors.JSONRenderer(serializer=_json) if as_json else _console(sys.stderr),
    )
    logging.basicConfig(level=threshold, handlers=[_handler(finish)], force=True)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(max(threshold, logging.WARNING))
    structlog.configure(
        processors=[*BEGIN, *finish],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )


def redact(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """After all that brings text, so that it also sees the text of exceptions and what libraries wrote."""
    return event if event.pop(IS_CLEAN, False) else redacted_event(event)


def add_request_id(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    if current := request_id():
        event.setdefault("request_id", current)
    return event


BEGIN: Final[Sequence[Processor]] = (
    structlog.contextvars.merge_contextvars,
    add_request_id,
    structlog.stdlib.add_log_level,
)
FINISH: Final[Sequence[Processor]] = (
    structlog.processors.StackInfoRenderer(),
    structlog.processors.format_exc_info,  # Without local variables, which may hold anything.
    redact,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def _json(event: EventDict, **_: object) -> str:
    """In ASCII, as some readers of lines take U+2028 for the end of one. Half a surrogate pair is not even UTF-8."""
    try:
        line = orjson.dumps(event)
    except orjson.JSONEncodeError:
        return json.dumps(event)
    return line.decode() if line.isascii() else json.dumps(event)


def _threshold(level: str) -> int:
    levels = logging.getLevelNamesMapping()
    if level.upper() not in levels:
        raise ValueError(f"There is no log level {level!r}; there are {', '.join(levels)}.")
    return levels[level.upper()]


def _handler(finish: Sequence[Processor]) -> logging.Handler:
    """For what the libraries write."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[*BEGIN, structlog.stdlib.add_logger_name],
            processors=[ProcessorFormatter.remove_processors_meta, *finish],
        )
    )
    return handler


def _console(stream: TextIO) -> Processor:
    return structlog.dev.ConsoleRenderer(
        colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
