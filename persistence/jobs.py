"""Jobs in the transaction of the fact that causes them: PgQueuer behind the domain's port."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from asyncpg import Connection
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from persistence.statements import note_statement

HANDLE_EVENT: Final = "handle_event"
REREAD_SUBSCRIPTION: Final = "reread_subscription"
BEGIN_PERIOD: Final = "begin_period"
FOLLOW_PLAN: Final = "follow_plan"
REBUILD_STATISTICS: Final = "rebuild_statistics"
"""Enqueued by a migration, or by whoever restored a backup."""
RECONCILE: Final = "reconcile"
KEEP_DEFAULT_IN_STEP: Final = "keep_default_in_step"
KEEP_NEWEST_OF_SAME_CARDS: Final = "keep_newest_of_same_cards"

HALF_A_MINUTE: Final = timedelta(seconds=30)
WITHOUT_OTHERS: Final = (
    "DELETE FROM pgqueuer WHERE entrypoint = $1 AND payload = ANY($2) AND status IN ('queued', 'failed')"
)
"""A job that is held has the status `failed`."""
STRAYS: Final = text("""
    SELECT id FROM inbox_events
    WHERE status IN ('RECEIVED', 'FAILED') AND received_at < :before AND NOT EXISTS (
        SELECT FROM pgqueuer
        WHERE entrypoint = :job AND payload = uuid_send(inbox_events.id) AND status IN ('queued', 'picked')
    )
    ORDER BY received_at LIMIT :limit FOR UPDATE SKIP LOCKED
""")


class JobQueue:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def handle_events(self, event_ids: Sequence[UUID]) -> None:
        """Have the worker handle stored events, if and only if the transaction commits."""
        await self._enqueue(HANDLE_EVENT, *event_ids)

    async def handle_event_again(self, event_id: UUID) -> None:
        """
        Have the worker handle a stored event that nobody has handled half a minute after the transaction commits.

        Whatever job of the event waits, or was given up, goes.
        """
        await self._drop(HANDLE_EVENT, event_id)
        await self._enqueue(HANDLE_EVENT, event_id, after=HALF_A_MINUTE)

    async def handle_strays(self, *, before: datetime, limit: int) -> int:
        """
        Have the worker handle stored events that came in before, and that neither are HELD nor have a job. How many.

        A job that was given up is none, and goes.
        """
        values = {"job": HANDLE_EVENT, "before": before, "limit": limit}
        strays = (await self._connection.execute(STRAYS, values)).scalars().all()
        if strays:
            await self._drop(HANDLE_EVENT, *strays)
            await self._enqueue(HANDLE_EVENT, *strays)
        return len(strays)

    async def reread_subscription(self, subscription_id: UUID) -> None:
        """Have the worker read a subscription anew, if and only if the transaction commits."""
        await self._enqueue(REREAD_SUBSCRIPTION, subscription_id)

    async def begin_period(self, subscription_id: UUID) -> None:
        """Have the worker begin a paid period after a pause, if and only if the transaction commits."""
        await self._enqueue(BEGIN_PERIOD, subscription_id)

    async def reconcile(self, run_id: UUID) -> None:
        """Have the worker carry out a run that was asked for, if and only if the transaction commits."""
        await self._enqueue(RECONCILE, run_id)

    async def follow_plan(self, plan_id: UUID) -> None:
        """Have the worker bring a changed plan to its subscribers, if and only if the transaction commits."""
        await self._enqueue(FOLLOW_PLAN, plan_id)

    async def keep_default_in_step(self, user_id: UUID) -> None:
        """Have the worker tell the processor of a user's default method, if and only if the transaction commits."""
        await self._enqueue(KEEP_DEFAULT_IN_STEP, user_id)

    async def keep_newest_of_same_cards(self, user_id: UUID) -> None:
        """Have the worker leave one method of each of a user's cards, if and only if the transaction commits."""
        await self._enqueue(KEEP_NEWEST_OF_SAME_CARDS, user_id)

    async def _enqueue(self, job: str, *about: UUID, after: timedelta | None = None) -> None:
        if not about:
            return
        from pgqueuer.db import AsyncpgDriver  # 60 modules, which most requests do without.
        from pgqueuer.queries import Queries

        queries = Queries(AsyncpgDriver(await self._in_transaction()))
        note_statement("pgqueuer")
        count = len(about)
        await queries.enqueue([job] * count, [each.bytes for each in about], [0] * count, [after] * count)

    async def _drop(self, job: str, *about: UUID) -> None:
        connection = await self._in_transaction()
        note_statement("pgqueuer")
        await connection.execute(WITHOUT_OTHERS, job, [each.bytes for each in about])

    async def _in_transaction(self) -> "Connection[object]":
        """
        The driver's connection, past SQLAlchemy, which sends BEGIN with its first statement only.

        Raises RuntimeError where that has not happened yet, since the job would survive a rollback.
        """
        pooled = await self._connection.get_raw_connection()
        connection = pooled.driver_connection
        if not isinstance(connection, Connection) or not connection.is_in_transaction():
            raise RuntimeError("A job must be enqueued after the fact that causes it, in its transaction")
        return connection
