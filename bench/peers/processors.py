"""
Who runs where: the servers on one processor, PostgreSQL, Stripe's stand-in and the load generator on the others.

So none of them takes the servers' time. Where the system cannot pin processes, or there is one processor only, all
share what there is, and the result says so.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

PROCESSORS: Final = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
IS_PINNED: Final = len(PROCESSORS) > 1


@contextmanager
def beside_the_servers() -> Iterator[None]:
    """What is started in this block never runs where the servers do."""
    with only_on(PROCESSORS[1:]):
        yield


@contextmanager
def as_a_server() -> Iterator[None]:
    with only_on(PROCESSORS[:1]):
        yield


@contextmanager
def only_on(processors: list[int]) -> Iterator[None]:
    """Processes inherit it from the one that starts them."""
    if not IS_PINNED:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, processors)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
