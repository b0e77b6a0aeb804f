"""Batches of the loaders run in tasks of their own, which would outlive a request that is cut off."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_running: ContextVar[set["asyncio.Task[object]"] | None] = ContextVar("running_batches", default=None)


@contextmanager
def watched_batches() -> Iterator[None]:
    """Whatever batches are begun meanwhile, the block ends them where it is left by an exception."""
    batches: set[asyncio.Task[object]] = set()
    token = _running.set(batches)
    try:
        yield
    except BaseException:
        for batch in batches:
            batch.cancel()
        raise
    finally:
        _running.reset(token)


def join_batches() -> None:
    """For the task that carries out a batch."""
    batches, task = _running.get(), asyncio.current_task()
    if batches is not None and task is not None:
        batches.add(task)
        task.add_done_callback(batches.discard)
