"""The limits around every handler: by address before it, and how the caller stands on its answer."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.errors import IdentityUnavailable, Unauthenticated
from web.auth import STRANGER, Authentication, credentials
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
        authentication: Authentication,
        limits_of: Mapping[str, Limit],
        refusals: Mapping[str, Refusal],
    ) -> None:
        self.app = app
        self._limits, self._authentication = limits, authentication
        self._limits_of, self._refusals = limits_of, refusals

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in UNLIMITED:
            await self.app(scope, receive, send)
            return
        with noting() as standings:
            await self._answer(scope, receive, _Telling(standings, send))

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = scope["client"][0] if scope.get("client") else None
        try:
            await self._greet(scope, address)
        except RateLimited as refused:
            refusal = self._refusals.get(scope["path"], enveloped)
            await refusal(Request(scope), refused)(scope, receive, send)
        else:
            await self.app(scope, receive, send)
            if self._goes_by_token(scope) and not _is_told(scope):
                await self._limits.note_unproven(address)
        if scope.get(STRANGER):
            await self._limits.note_stranger(address)

    async def _greet(self, scope: Scope, address: str | None) -> None:
        """Who was known a moment ago is not taken for a guesser, whoever else is behind the address."""
        if not self._goes_by_token(scope):
            await self._limits.greet(address, self._limit(scope))
        elif not self._authentication.remembers(scope):
            await self._limits.must_not_be_guessing(address)
            await self._limits.must_not_waste(address, partial(self._is_proven, scope))

    def _limit(self, scope: Scope) -> Limit:
        return self._limits_of.get(scope["path"], Limit.ANONYMOUS)

    def _goes_by_token(self, scope: Scope) -> bool:
        return bool(credentials(scope)) and self._limit(scope) is Limit.ANONYMOUS

    async def _is_proven(self, scope: Scope) -> bool:
        try:
            actor = await self._authentication.actor(scope)
        except (Unauthenticated, IdentityUnavailable):
            return False
        return actor.user_id is not None


def _is_told(scope: Scope) -> bool:
    """Whose token it is, or that it is nobody's."""
    return "actor" in scope or STRANGER in scope


class _Telling:
    """Adds to an answer how its caller stands."""

    def __init__(self, standings: Sequence[Standing], send: Send) -> None:
        self._standings, self._send = standings, send

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and self._standings:
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
