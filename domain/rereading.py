"""
Objects that go back and forth, such as subscriptions and disputes, are read anew at the processor when there is news.

An event about one is a hint only: it may be late, and its time stamp has the resolution of a second. Who reads notes
how often the object was read before; where somebody else has taken a reading meanwhile, the own one may be the older
one, and is thrown away for a fresh one. So nothing compares clocks, and every order of the same news ends alike.
"""

from collections.abc import Awaitable, Callable
from operator import attrgetter
from typing import Any, Final, TypeVar

from domain.errors import Busy
from domain.ports import Database, Reads, Work

MOST_READINGS: Final = 10
"""In a row. Whoever is outrun so often gives up, and is tried again later."""


E = TypeVar("E")
F = TypeVar("F")
T = TypeVar("T")


async def take_newest(
    database: Database,
    *,
    find: Callable[[Reads], Awaitable[E | None]],
    read: Callable[[], Awaitable[F]],
    lock: Callable[[Work], Awaitable[E | None]],
    take: Callable[[Work, F], Awaitable[T]],
    age: Callable[[Any], int] = attrgetter("readings"),
) -> T:
    """
    Write down the processor's word about one object, as `take` does, and answer what it answers.

    `find` and `lock` look our row up, which may not exist yet; `read` asks the processor while nothing is held;
    `age` counts what would make the reading the older one.
    Raises Busy where others were always faster.
    """
    for _ in range(MOST_READINGS):
        async with database.reads() as reads:
            before = await find(reads)
        facts = await read()
        async with database.work() as work:
            now = await lock(work)
            if _aged(now, age) == _aged(before, age):
                return await take(work, facts)
    raise Busy("Others kept writing the processor's word about this down.", current="BUSY")


def _aged(known: E | None, age: Callable[[E], int]) -> int | None:
    return None if known is None else age(known)
