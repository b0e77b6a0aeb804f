"""Batches of the loaders run in tasks of their own, which would outlive a request that is cut off."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(slots=True)
class Batches:
    running: set["asyncio.Task[object]"] = field(default_factory=set)
    is_cut_off: bool = False

    def join(self, batch: "asyncio.Task[object]") -> None:
        """Raises CancelledError where the request was cut off while its batch was about to begin."""
        if self.is_cut_off:
            raise asyncio.CancelledError
        self.running.add(batch)
        batch.add_done_callback(self.running.discard)

    def cut_off(self) -> None:
        self.is_cut_off = True
        for batch in self.running:
            batch.cancel()


_BATCHES: ContextVar[Batches | None] = ContextVar("batches", default=None)


@contextmanager
def watched_batches() -> Iterator[None]:
    """Whatever batches are begun meanwhile, or were about to be, end where the block is left by an exception."""
    batches = Batches()
    token = _BATCHES.set(batches)
    try:
        yield
    except BaseException:
        batches.cut_off()
        raise
    finally:
        _BATCHES.reset(token)


def join_batches() -> None:
    """For the task that carries out a batch, before it does anything."""
    batches, task = _BATCHES.get(), asyncio.current_task()
    if batches is not None and task is not None:
        batches.join(task)
