"""One event per request: who asked for what, and what came of it."""

from collections.abc import Callable, Collection
from time import perf_counter
from typing import Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.typing import FilteringBoundLogger

from domain.actor import Actor
from domain.card_number import redacted
from web.request_id import request_id

CLIENT_LEFT: Final = 499
"""No answer was begun before the client went away; the number is common in access logs, and never sent."""

_LONGEST_PATH = 256

log: FilteringBoundLogger = structlog.get_logger()


class AccessLog:
    """
    Logs method, path, status, time, size and caller; never a query string, a header or a body.

    The caller is whom `web.auth` left in the scope. `quiet` paths are logged as DEBUG while all is well.
    """

    def __init__(self, app: ASGIApp, quiet: Collection[str] = ()) -> None:
        self.app = app
        self.quiet = frozenset(quiet)

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
        path = scope["path"]
        write = _writer(answer.status, is_quiet=path in self.quiet)
        write(
            "http.request",
            method=scope["method"],
            path=redacted(path[:_LONGEST_PATH]),
            status=answer.status,
            duration_ms=round(seconds * 1000, 2),
            bytes=answer.size,
            request_id=request_id(),
            **_caller(scope.get("actor")),
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


def _writer(status: int, *, is_quiet: bool) -> Callable[..., None]:
    if status >= 500:
        return log.error
    if status >= 400:
        return log.warning
    return log.debug if is_quiet else log.info


def _caller(actor: Actor | None) -> dict[str, str]:
    if actor is None:
        return {}
    caller = {"role": actor.role.value}
    return caller if actor.user_id is None else {**caller, "user_id": str(actor.user_id)}
