"""The limits around every handler: by address before it, and how the caller stands on its answer."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.errors import http_response
from web.health import LIVENESS, READINESS
from web.rates.counters import Standing
from web.rates.limits import RateLimited, RateLimits, noting
from web.rates.rules import Limit

UNLIMITED: Final = frozenset({LIVENESS, READINESS})

Refusal: TypeAlias = Callable[[Request, RateLimited], Response]


def enveloped(_: Request, refused: RateLimited) -> Response:
    return http_response(429, message=refused.sentence, headers=refused.headers)


class RateLimiting:
    """
    Refuses an address that asks too much, before a body is read, and tells on each answer what is left.

    `limits_of` has the paths that have a limit of their own, `refusals` those that answer in another shape.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        limits: RateLimits,
        limits_of: Mapping[str, Limit],
        refusals: Mapping[str, Refusal],
    ) -> None:
        self.app = app
        self._limits, self._limits_of, self._refusals = limits, limits_of, refusals

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in UNLIMITED:
            await self.app(scope, receive, send)
            return
        with noting() as standings:
            await self._answer(scope, receive, _Telling(standings, send))

    async def _answer(self, scope: Scope, receive: Receive, send: "_Telling") -> None:
        address = scope["client"][0] if scope.get("client") else None
        brings_token = any(name == b"authorization" for name, _ in scope["headers"])
        limit = self._limits_of.get(scope["path"], Limit.ANONYMOUS)
        try:
            await self._limits.greet(address, limit=limit, brings_token=brings_token)
        except RateLimited as refused:
            refusal = self._refusals.get(scope["path"], enveloped)
            await refusal(Request(scope), refused)(scope, receive, send)
            return
        await self.app(scope, receive, send)
        if brings_token and send.is_no_fault_of_ours and not _is_known(scope):
            await self._limits.note_stranger(address)


def _is_known(scope: Scope) -> bool:
    actor = scope.get("actor")
    return actor is not None and actor.user_id is not None


class _Telling:
    """Adds to an answer how its caller stands."""

    def __init__(self, standings: Sequence[Standing], send: Send) -> None:
        self._standings, self._send = standings, send
        self._status = 0

    @property
    def is_no_fault_of_ours(self) -> bool:
        """Where it is, as while no key can be read, the token may be good."""
        return 0 < self._status < 500

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            if self._standings:
                message["headers"] = [*message.get("headers", ()), *_told(self._standings)]
        await self._send(message)


def _told(standings: Sequence[Standing]) -> list[tuple[bytes, bytes]]:
    """Of the limit that is nearest."""
    nearest = min(standings, key=lambda standing: (standing.is_taken, standing.share))
    return [
        (b"ratelimit-limit", b"%d" % nearest.quota),
        (b"ratelimit-remaining", b"%d" % nearest.remaining),
        (b"ratelimit-reset", b"%d" % (nearest.wait_seconds or nearest.window_seconds)),
    ]
