"""Liveness without any dependency, readiness with all of them."""

import asyncio
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
LONGEST_GIST: Final = 200

Check: TypeAlias = Callable[[], Awaitable[object]]
"""Returns if the dependency works, and raises anything if it does not."""

log: FilteringBoundLogger = structlog.get_logger()


def health_routes(
    checks: Mapping[str, Check], *, timeout_seconds: float = LONGEST_CHECK_SECONDS
) -> list[Route]:
    readiness = Readiness(checks, timeout_seconds)
    return [Route(LIVENESS, alive), Route(READINESS, readiness.answer)]


async def alive(request: Request) -> Response:
    """A process that can say this should not be restarted, whatever else is down."""
    return JSONResponse({"status": "ok"})


class Readiness:
    """Says which dependency failed, never why: that stands in the log."""

    def __init__(self, checks: Mapping[str, Check], timeout_seconds: float) -> None:
        self._checks = checks
        self._timeout_seconds = timeout_seconds

    async def answer(self, request: Request) -> Response:
        passed = await asyncio.gather(*(self._passes(name) for name in self._checks))
        results = {name: "ok" if ok else "failed" for name, ok in zip(self._checks, passed, strict=True)}
        status = "ok" if all(passed) else "failed"
        return JSONResponse({"status": status, "checks": results}, 200 if all(passed) else 503)

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


def _gist(failure: Exception) -> str:
    """Its first line: a probe comes every few seconds, and a traceback each time would bury the rest."""
    return str(failure).partition("\n")[0][:LONGEST_GIST]
