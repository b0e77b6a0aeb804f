"""Liveness without any dependency, readiness with all of them."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from structlog.typing import FilteringBoundLogger

LIVENESS: Final = "/healthz"
READINESS: Final = "/readyz"
LONGEST_CHECK_SECONDS: Final = 2.0
VERDICT_SECONDS: Final = 1.0
"""How long a verdict is told again: nobody has to say who they are, and each check takes a connection."""
LONGEST_GIST: Final = 200

Check: TypeAlias = Callable[[], Awaitable[object]]
"""Returns if the dependency works, and raises anything if it does not."""
Verdict: TypeAlias = Mapping[str, bool]
"""Whether each dependency works."""

log: FilteringBoundLogger = structlog.get_logger()


def health_routes(
    checks: Mapping[str, Check],
    *,
    timeout_seconds: float = LONGEST_CHECK_SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> list[Route]:
    readiness = Readiness(checks, timeout_seconds, clock)
    return [Route(LIVENESS, alive), Route(READINESS, readiness.answer)]


async def alive(request: Request) -> Response:
    """A process that can say this should not be restarted, whatever else is down."""
    return JSONResponse({"status": "ok"})


class Readiness:
    """
    Says which dependency failed, never why: that stands in the log.

    Those who ask at once, or soon after, share one check. `clock` is monotonic, in seconds.
    """

    def __init__(
        self, checks: Mapping[str, Check], timeout_seconds: float, clock: Callable[[], float]
    ) -> None:
        self._checks = checks
        self._timeout_seconds, self._clock = timeout_seconds, clock
        self._checking: asyncio.Task[Verdict] | None = None
        self._holds_until = -math.inf

    async def answer(self, request: Request) -> Response:
        """One who is cancelled leaves the check to the others."""
        if self._checking is None or self._has_grown_old(self._checking):
            self._checking = asyncio.create_task(self._check())
        verdict = await asyncio.shield(self._checking)
        is_ready = all(verdict.values())
        results = {name: _word(passed) for name, passed in verdict.items()}
        return JSONResponse({"status": _word(is_ready), "checks": results}, 200 if is_ready else 503)

    def _has_grown_old(self, checking: asyncio.Task[Verdict]) -> bool:
        return checking.done() and self._clock() >= self._holds_until

    async def _check(self) -> Verdict:
        passed = await asyncio.gather(*(self._passes(name) for name in self._checks))
        self._holds_until = self._clock() + VERDICT_SECONDS
        return dict(zip(self._checks, passed, strict=True))

    async def _passes(self, name: str) -> bool:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await self._checks[name]()
        except Exception as failure:  # noqa: BLE001 - whatever it is, the check has failed
            log.warning(
                "health.check_failed", check=name, error=type(failure).__name__, reason=_gist(failure)
            )
            return False
        return True


def _word(passed: bool) -> str:
    return "ok" if passed else "failed"


def _gist(failure: Exception) -> str:
    """Its first line: a probe comes every few seconds, and a traceback each time would bury the rest."""
    return str(failure).partition("\n")[0][:LONGEST_GIST]
