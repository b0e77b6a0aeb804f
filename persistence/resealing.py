"""
Metadata in the clear, or under a former key, comes under the current one, beside servers that read and write.

A window of rows is looked at by one statement; what is stale among them is locked, sealed anew and committed in a
transaction of milliseconds. A row that somebody holds is left to the next pass. Whatever was sealed anew shows it, so
that a run which was cut short is simply run again.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, bindparam, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.errors import MetadataUnreadable
from persistence.keyring import Keyring, key_id_of
from persistence.operations import OperationRepository
from persistence.payments import PaymentRepository
from persistence.repository import SOUGHT
from persistence.rows import is_among
from persistence.sealing import SEALED, Holder
from persistence.subscriptions import SubscriptionRepository

HOLDERS: Final[Sequence[Holder]] = (
    SubscriptionRepository.holder,
    PaymentRepository.holder,
    OperationRepository.holder,
)
WINDOW: Final = 1000
"""Rows that one statement looks at, by id."""
PASSES: Final = 5
PAUSE: Final = 1.0
"""Seconds between two passes: who held a row has let it go by then."""
IN_THE_CLEAR: Final = "in the clear"
LONGEST_HEADER: Final = 34


@dataclass(slots=True)
class Tally:
    """
    What became of one table's rows.

    `left` counts what is not under the current key afterwards, by the id of the key that it is under.
    """

    table: str
    looked_at: int = 0
    moved: int = 0
    left: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Window:
    rows: Sequence[Any]

    @property
    def stale(self) -> list[UUID]:
        return [row.id for row in self.rows if row.is_stale]


class Resealing:
    def __init__(
        self, engine: AsyncEngine, keyring: Keyring, *, window: int = WINDOW, pause: float = PAUSE
    ) -> None:
        self._engine, self._keyring = engine, keyring
        self._window, self._pause = window, pause

    async def rows(self, holder: Holder) -> int:
        """How many there are to look at."""
        async with self._engine.begin() as connection:
            await connection.execute(text("SET LOCAL statement_timeout = 0"))
            return await connection.scalar(select(func.count()).select_from(holder.table)) or 0

    async def moved(self, holder: Holder) -> AsyncIterator[Tally]:
        """The tally after each window, and once more in the end, when it is known what is left."""
        tally = Tally(holder.table.name)
        async for window in self._windows(holder):
            tally.moved += await self._reseal(holder, window.stale)
            tally.looked_at += len(window.rows)
            yield tally
        for _ in range(PASSES):
            tally.left = await self._left(holder)
            if not self._can_move(tally.left):
                break
            await asyncio.sleep(self._pause)
            tally.moved += await self._another_pass(holder)
        tally.left = await self._left(holder)
        yield tally

    def _can_move(self, left: Counter[str]) -> bool:
        """Whether any of it was only held by somebody, or written meanwhile."""
        keyring = self._keyring
        return any(key_id == IN_THE_CLEAR or keyring.opens(key_id) for key_id in left)

    async def _another_pass(self, holder: Holder) -> int:
        return sum([await self._reseal(holder, window.stale) async for window in self._windows(holder)])

    async def _left(self, holder: Holder) -> Counter[str]:
        left: Counter[str] = Counter()
        async for window in self._windows(holder):
            left.update(_kept_under(row.header) for row in window.rows if row.is_stale)
        return left

    async def _windows(self, holder: Holder) -> AsyncIterator[Window]:
        last: UUID | None = None
        while True:
            statement = _looking(holder, self._keyring, after=last, limit=self._window)
            async with self._engine.connect() as connection:
                rows = list(await connection.execute(statement))
            if not rows:
                return
            last = rows[-1].id
            yield Window(rows)

    async def _reseal(self, holder: Holder, row_ids: Sequence[UUID]) -> int:
        """How many of them; what cannot be opened, and what somebody holds, stays as it is."""
        if not row_ids:
            return 0
        async with self._engine.begin() as connection:
            fresh = await _resealed(connection, holder, row_ids, self._keyring)
            if fresh:
                by_id = holder.table.c.id == bindparam(SOUGHT)
                await connection.execute(update(holder.table).where(by_id), fresh)
        return len(fresh)


def _looking(holder: Holder, keyring: Keyring, *, after: UUID | None, limit: int) -> Select[Any]:
    columns = holder.table.c
    header = func.substring(columns[SEALED], 1, LONGEST_HEADER).label("header")
    statement = select(columns.id, holder.is_stale(keyring).label("is_stale"), header)
    if after is not None:
        statement = statement.where(columns.id > after)
    return statement.order_by(columns.id).limit(limit)


async def _resealed(
    connection: AsyncConnection, holder: Holder, row_ids: Sequence[UUID], keyring: Keyring
) -> list[dict[str, object]]:
    columns, fresh = holder.table.c, []
    rows = await connection.execute(
        select(columns.id, columns[holder.column], columns[SEALED])
        .where(is_among(columns.id, "ids"), holder.is_stale(keyring))
        .with_for_update(key_share=True, skip_locked=True),
        {"ids": row_ids},
    )
    for row_id, value, envelope in rows:
        try:
            kept = holder.read(value, envelope, row_id, keyring)
            fresh.append({SOUGHT: row_id, **holder.resealed(kept, row_id, keyring)})
        except MetadataUnreadable:
            continue  # It is counted among what is left, by the id of its key.
    return fresh


def _kept_under(header: bytes | None) -> str:
    if header is None:
        return IN_THE_CLEAR
    try:
        return key_id_of(header)
    except MetadataUnreadable:
        return "no known form"
