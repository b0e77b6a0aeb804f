"""Runs for admins: which there were, and one about a single object, carried out while they wait."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from domain.actor import Actor, Role
from domain.paging import Page, Slice, page_of
from domain.ports import Database
from domain.reconciliation.reconciler import Reconciler
from domain.reconciliation.run import ReconciliationRun
from domain.reconciliation.run_list import RUNS, RunFilter

WATCHERS: Final = frozenset({Role.ADMIN})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconciliationService:
    database: Database
    reconciler: Reconciler

    async def page(self, actor: Actor, part: Slice) -> Page[ReconciliationRun]:
        """The newest first. Raises Forbidden for all but admins."""
        actor.must_be(WATCHERS)
        async with self.database.reads() as reads:
            rows = await reads.reconciliation_runs.listed(RunFilter(), RUNS, part.one_more())
        return page_of(rows, part)

    async def resynced(self, actor: Actor, run_id: UUID) -> ReconciliationRun:
        """
        A run about one object, carried out now; one that was finished before is answered as it is.

        Raises NotFound, Busy where it is being carried out, ProcessorUnavailable: then the same key asks again.
        """
        actor.must_be(WATCHERS)
        return await self.reconciler.carry_out(run_id)
