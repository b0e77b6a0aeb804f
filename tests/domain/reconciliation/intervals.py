"""The schedules of the reconciliation, whose intervals pass when a test says so; no webhook is ever delivered."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from domain.events import InboxEvent, InboxStatus
from domain.operation import ObjectKind
from domain.paging import Slice
from domain.reconciliation.reconciler import Reconciler
from domain.reconciliation.run import Drift, ReconciliationRun, RunKind
from domain.reconciliation.run_list import DRIFTS, DriftFilter
from gateway.wiring import Gateway
from persistence.tables import InboxEventRow, table_of
from tests.dashboard import Dashboard

INTERVAL = timedelta(minutes=5)
A_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Intervals:
    gateway: Gateway
    dashboard: Dashboard

    @property
    def reconciler(self) -> Reconciler:
        return self.gateway.reconciler

    async def passes(self) -> ReconciliationRun:
        """One interval, with the walk at its end, and whatever the worker then has to handle."""
        run = await self.walks()
        await self.worker_catches_up()
        return run

    async def walks(self) -> ReconciliationRun:
        """One interval, and the walk alone."""
        self.dashboard.passes(INTERVAL / A_DAY)
        run = await self.reconciler.walk_events()
        assert run is not None
        return run

    async def compares(self, **changes: Any) -> ReconciliationRun:
        """One interval, and the comparison of objects."""
        self.dashboard.passes(INTERVAL / A_DAY)
        run = await replace(self.reconciler, **changes).compare_objects()
        assert run is not None
        return run

    async def resyncs(self, kind: ObjectKind, object_id: UUID) -> ReconciliationRun:
        """One object, read anew at once."""
        now = self.dashboard.now()
        asked = self.reconciler.run_of(RunKind.OBJECT, since=now, until=now)
        await self.keeps(replace(asked, object_kind=kind, object_id=object_id))
        return await self.reconciler.carry_out(asked.id)

    async def keeps(self, run: ReconciliationRun) -> None:
        async with self.gateway.services.database.work() as work:
            await work.reconciliation_runs.add(run)

    async def run(self, run_id: UUID) -> ReconciliationRun:
        async with self.gateway.services.database.reads() as reads:
            run = await reads.reconciliation_runs.get(run_id)
        assert run is not None
        return run

    async def worker_catches_up(self) -> None:
        for event in await self.inbox():
            if event.status is InboxStatus.RECEIVED:
                await self.gateway.webhooks.handle(event.id)

    async def inbox(self) -> Sequence[InboxEvent]:
        """The oldest first."""
        table = table_of(InboxEventRow)
        async with self.gateway.engine.connect() as connection:
            rows = await connection.execute(table.select().order_by(table.c.received_at, table.c.id))
            return [InboxEvent(**row._mapping) for row in rows]

    async def drifts(self, run: ReconciliationRun) -> Sequence[Drift]:
        async with self.gateway.services.database.reads() as reads:
            found = await reads.drifts.listed_for([run.id], DriftFilter(), DRIFTS, Slice(limit=100))
        return found.get(run.id, [])


async def write(gateway: Gateway, statement: str, **values: Any) -> None:
    """Past the domain."""
    async with gateway.engine.begin() as connection:
        await connection.execute(text(statement), values)
