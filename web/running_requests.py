"""Which requests are being answered, so that a shutdown can wait for those that it cuts off."""

import asyncio

from starlette.types import ASGIApp, Receive, Scope, Send


class RunningRequests:
    """Uvicorn cancels what still runs at the end of its patience, and waits for none of it."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[object]] = set()

    async def ended(self, *, within: float) -> None:
        """Return when none is running any more, or after so many seconds."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within)

    def watched(self, app: ASGIApp) -> ASGIApp:
        """The application, of whose requests this keeps account."""

        async def watching(scope: Scope, receive: Receive, send: Send) -> None:
            task = asyncio.current_task() if scope["type"] == "http" else None
            if task is None:
                await app(scope, receive, send)
                return
            self._tasks.add(task)
            try:
                await app(scope, receive, send)
            finally:
                self._tasks.discard(task)

        return watching
