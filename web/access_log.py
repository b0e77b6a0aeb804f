"""One event per request: who asked for what, and what came of it."""

from collections.abc import Callable, Collection
from math import inf
from typing import Any, Final

import structlog
from starlette.types import Scope
from structlog.typing import FilteringBoundLogger

from domain.actor import Actor
from gql.summary import Summary
from web.logs import IS_CLEAN
from web.redaction import redacted_text
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

    def __init__(self, quiet: Collection[str] = (), slow_after: int = 0) -> None:
        self._quiet = frozenset(quiet)
        self._slow_after = slow_after or inf

    def note(self, scope: Scope, *, status: int, size: int, seconds: float) -> None:
        """One request, and what went back: its size in bytes."""
        path, milliseconds = scope["path"], round(seconds * 1000, 2)
        is_slow = milliseconds >= self._slow_after
        write = _writer(status, is_quiet=path in self._quiet, is_slow=is_slow)
        write(
            "http.request",
            method=scope["method"],
            path=redacted_text(path[:_LONGEST_PATH]),
            status=status,
            duration_ms=milliseconds,
            bytes=size,
            request_id=request_id(),
            **{IS_CLEAN: True},
            **({"slow": True} if is_slow else {}),
            **_caller(scope.get("actor")),
            **_asked(summary_of(scope)),
        )


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
    return caller if actor.user_id is None else {**caller, "user_id": str(actor.user_id)}


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
