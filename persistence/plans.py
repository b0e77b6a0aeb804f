"""Plans."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import select

from domain.plan import Plan
from persistence.repository import Repository
from persistence.rows import is_among
from persistence.tables import PlanRow, table_of

TABLE: Final = table_of(PlanRow)
PRICED_AMONG: Final = select(TABLE).where(is_among(TABLE.c.processor_price_id, "prices"))


class PlanRepository(Repository[Plan]):
    """Everybody may see plans, so they have no owner."""

    table = TABLE
    entity = Plan

    async def by_ids(self, plan_ids: Sequence[UUID]) -> Mapping[UUID, Plan]:
        return await self._owned(plan_ids, owner=None)

    async def priced_among(self, processor_price_ids: Sequence[str]) -> Sequence[Plan]:
        return await self._all(PRICED_AMONG, {"prices": processor_price_ids})

    async def priced_as(self, processor_price_id: str) -> Plan | None:
        return await self._one(
            select(self.table).where(self.table.c.processor_price_id == processor_price_id)
        )

    async def listed(self, *, livemode: bool, active_only: bool) -> Sequence[Plan]:
        """The cheapest first."""
        columns = self.table.c
        statement = select(self.table).where(columns.livemode.is_(livemode))
        if active_only:
            statement = statement.where(columns.active.is_(True))
        return await self._all(statement.order_by(columns.currency, columns.amount, columns.id))

    async def add(self, plan: Plan) -> bool:
        """False where the processor's price is known already; nothing is added then."""
        return await self._added(plan, "processor_price_id")
