"""The sandbox's clock, for development: the gateway goes by it, and GraphiQL moves it on."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.wiring import now
from sandbox import Sandbox

CLOCK: Final = "/explorer/clock"
LONGEST_STEP: Final = 366
"""Days."""


def clock_of(sandbox: Sandbox) -> Callable[[], datetime]:
    """Real time, as far ahead as the sandbox's clock was moved, so that both speak of the same day."""

    def moment() -> datetime:
        status = sandbox.clock.status()
        if status.is_frozen:
            return datetime.fromtimestamp(status.now, UTC)
        return now() + timedelta(seconds=status.ahead)

    return moment


def clock_route(sandbox: Sandbox) -> Route:
    """GET tells the time; POST `{"days": 31}` lets it pass, with all that is due meanwhile."""
    moment = clock_of(sandbox)

    async def handle(request: Request) -> Response:
        if request.method == "POST":
            sandbox.advance(timedelta(days=await asked_days(request)).total_seconds())
        return JSONResponse({"now": moment().isoformat()})

    return Route(CLOCK, handle, methods=["GET", "POST"])


async def asked_days(request: Request) -> int:
    """JSON only, which no page of another site can send unasked."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise HTTPException(415, "Send application/json.")
    try:
        days = orjson.loads(await request.body())["days"]
    except (orjson.JSONDecodeError, LookupError, TypeError) as malformed:
        raise HTTPException(400, "Say how many days.") from malformed
    if type(days) is not int or not 1 <= days <= LONGEST_STEP:
        raise HTTPException(400, f"One step is 1 to {LONGEST_STEP} days.")
    return days
