"""What lies around whatever holds a connection: that it does, for how long, and what is told where it fails."""

import asyncio
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Self

from persistence.outages import TooSlow, tell_outage

_holds_connection: ContextVar[bool] = ContextVar("holds_connection", default=False)


def holds_connection() -> bool:
    """Whether the running task has a connection open; nobody may wait for the processor meanwhile."""
    return _holds_connection.get()


class Borrowing(AbstractAsyncContextManager["Borrowing"]):
    """
    Raises DatabaseUnavailable where what was tried may succeed later, or has taken more than so many `seconds`; None
    waits without end.

    One object for all of it, since a generator for each would cost every read as much as a resolver.
    """

    __slots__ = ("_held", "_limit")

    def __init__(self, seconds: float | None) -> None:
        self._limit = asyncio.timeout(seconds)
        self._held: Token[bool] | None = None

    async def __aenter__(self) -> Self:
        self._held = _holds_connection.set(True)
        await self._limit.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._held is not None:
            _holds_connection.reset(self._held)
        try:
            await self._limit.__aexit__(kind, failure, trace)
        except TimeoutError:
            tell_outage(TooSlow())
        if failure is not None:
            tell_outage(failure)
