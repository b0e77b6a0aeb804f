"""An answer that costs much, found once for all who ask meanwhile."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

Answer = TypeVar("Answer")


class SharedAnswer(Generic[Answer]):
    """Whoever asks while it is being found waits for that one; whoever asks afterwards gets a fresh one."""

    def __init__(self) -> None:
        self._finding: asyncio.Task[Answer] | None = None

    async def found_by(self, find: Callable[[], Coroutine[Any, Any, Answer]]) -> Answer:
        """What `find` says, or raises. An asker who goes away takes it from nobody."""
        if self._finding is None or self._finding.done():
            self._finding = asyncio.create_task(find())
        return await asyncio.shield(self._finding)
