"""One event per request: who asked for what, and what came of it."""

from collections.abc import Callable, Collection
from math import inf
from time import perf_counter
from typing import Any, Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.typing import FilteringBoundLogger

from domain.actor import Actor
from domain.card_number import redacted
from gql.summary import Summary
from web.request_id import request_id
from web.summaries import shown_name, summary_of

CLIENT_LEFT: Final = 499
"""No answer was begun before the client went away; the number is common in access logs, and never sent."""

_LONGEST_PATH = 256
_MOST_CODES = 10

log: FilteringBoundLogger = structlog.get_logger()


class AccessLog:
    """
    Logs method, path, status, time, size and caller; never a query string, a header or a body.

    The caller is whom `web.auth` left in the scope; of GraphQL there is what `web.graphql` left. `quiet` paths are
    logged as DEBUG while all is well, and what takes as many milliseconds as `slow_after` as WARNING, unless that is 0.
    """

    def __init__(self, app: ASGIApp, quiet: Collection[str] = (), slow_after: int = 0) -> None:
        self.app = app
        self.quiet = frozenset(quiet)
        self.slow_after = slow_after or inf

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = _Answer(send)
        began = perf_counter()
        try:
            await self.app(scope, receive, answer)
        except Exception:
            answer.failed()
            raise
        finally:
            self._log(scope, answer, seconds=perf_counter() - began)

    def _log(self, scope: Scope, answer: "_Answer", *, seconds: float) -> None:
        path, milliseconds = scope["path"], round(seconds * 1000, 2)
        is_slow = milliseconds >= self.slow_after
        write = _writer(answer.status, is_quiet=path in self.quiet, is_slow=is_slow)
        write(
            "http.request",
            method=scope["method"],
            path=redacted(path[:_LONGEST_PATH]),
            status=answer.status,
            duration_ms=milliseconds,
            bytes=answer.size,
            request_id=request_id(),
            **({"slow": True} if is_slow else {}),
            **_caller(scope.get("actor")),
            **_asked(summary_of(scope)),
        )


class _Answer:
    """What went back, so far."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = CLIENT_LEFT
        self.size = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif message["type"] == "http.response.body":
            self.size += len(message.get("body", b""))
        await self._send(message)

    def failed(self) -> None:
        self.status = 500


def _writer(status: int, *, is_quiet: bool, is_slow: bool) -> Callable[..., None]:
    if status >= 500:
        return log.error
    if status >= 400 or is_slow:
        return log.warning
    return log.debug if is_quiet else log.info


def _caller(actor: Actor | None) -> dict[str, object]:
    if actor is None:
        return {}
    caller: dict[str, object] = {"role": actor.role.value}
    return caller if actor.user_id is None else {**caller, "user_id": actor.user_id}


def _asked(summary: Summary | None) -> dict[str, Any]:
    """Of a GraphQL request: the operation's name, what it is, what it might cost, and what was wrong with it."""
    if summary is None:
        return {}
    told: dict[str, Any] = {"operation_kind": summary.kind, "cost": summary.cost}
    if summary.name is not None:
        told["operation"] = shown_name(summary.name)
    if summary.codes:
        codes = sorted(set(summary.codes))[:_MOST_CODES]
        told |= {"errors": len(summary.codes), "error_codes": codes}
    return told
