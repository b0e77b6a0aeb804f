"""Plans, subscriptions, invoices, previews and used trials."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from domain.charge_preview import ChargePreview
from domain.invoice import Invoice
from domain.plan import Plan
from domain.subscription import Subscription
from domain.subscription_status import ENDED
from domain.trial import TrialRedemption
from persistence.repository import Repository, grouped, is_among
from persistence.tables import (
    ChargePreviewRow,
    InvoiceRow,
    PlanRow,
    SubscriptionRow,
    TrialRedemptionRow,
    table_of,
)


class PlanRepository(Repository[Plan]):
    """Everybody may see plans, so they have no owner."""

    table = table_of(PlanRow)
    entity = Plan

    async def by_ids(self, plan_ids: Sequence[UUID]) -> Mapping[UUID, Plan]:
        return await self._owned(plan_ids, owner=None)

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
        added = await self._connection.execute(
            insert(self.table)
            .values(self._row(plan))
            .on_conflict_do_nothing(index_elements=["processor_price_id"])
        )
        return added.rowcount == 1


class SubscriptionRepository(Repository[Subscription]):
    table = table_of(SubscriptionRow)
    entity = Subscription

    async def by_ids(
        self, subscription_ids: Sequence[UUID], *, owner: UUID | None
    ) -> Mapping[UUID, Subscription]:
        return await self._owned(subscription_ids, owner=owner)

    async def known_as(self, processor_subscription_id: str) -> UUID | None:
        return await self._id_where(self.table.c.processor_subscription_id == processor_subscription_id)

    async def live_of(self, user_id: UUID, plan_id: UUID) -> Subscription | None:
        """The user's live subscription to the plan, of which a constraint allows one."""
        columns = self.table.c
        return await self._one(
            select(self.table).where(
                columns.user_id == user_id,
                columns.plan_id == plan_id,
                columns.status.not_in(ENDED),
                columns.is_surplus.is_(False),
            )
        )

    async def live_paid_by(
        self, method_ids: Sequence[UUID], *, owner: UUID | None
    ) -> Mapping[UUID, Sequence[Subscription]]:
        """The live subscriptions that name each method, the oldest first."""
        columns = self.table.c
        statement = (
            select(self.table)
            .where(is_among(columns.payment_method_id, "method_ids"), columns.status.not_in(ENDED))
            .order_by(columns.created_at, columns.id)
        )
        if owner is not None:
            statement = statement.where(columns.user_id == owner)
        return grouped(await self._all(statement, {"method_ids": method_ids}), "payment_method_id")

    async def live_of_user(self, user_id: UUID) -> Sequence[Subscription]:
        columns = self.table.c
        return await self._all(
            select(self.table)
            .where(columns.user_id == user_id, columns.status.not_in(ENDED))
            .order_by(columns.created_at, columns.id)
        )

    async def lock_of_plan(self, plan_id: UUID, *, after: UUID | None, limit: int) -> Sequence[Subscription]:
        """The plan's next live subscriptions after this one, by id, held until the transaction ends."""
        columns = self.table.c
        statement = select(self.table).where(columns.plan_id == plan_id, columns.status.not_in(ENDED))
        if after is not None:
            statement = statement.where(columns.id > after)
        return await self._all(statement.order_by(columns.id).limit(limit).with_for_update(key_share=True))


class InvoiceRepository(Repository[Invoice]):
    table = table_of(InvoiceRow)
    entity = Invoice

    async def by_ids(self, invoice_ids: Sequence[UUID], *, owner: UUID | None) -> Mapping[UUID, Invoice]:
        return await self._owned(invoice_ids, owner=owner)

    async def known_as(self, processor_invoice_id: str) -> UUID | None:
        return await self._id_where(self.table.c.processor_invoice_id == processor_invoice_id)

    async def add(self, invoice: Invoice) -> bool:
        """False where the processor's invoice is known already; nothing is added then."""
        added = await self._connection.execute(
            insert(self.table)
            .values(self._row(invoice))
            .on_conflict_do_nothing(index_elements=["processor_invoice_id"])
        )
        return added.rowcount == 1


class ChargePreviewRepository(Repository[ChargePreview]):
    table = table_of(ChargePreviewRow)
    entity = ChargePreview

    async def drop_expired(self, *, at: datetime) -> int:
        """Forget previews after their time. How many."""
        dropped = await self._connection.execute(delete(self.table).where(self.table.c.expires_at < at))
        return dropped.rowcount


class TrialRepository(Repository[TrialRedemption]):
    table = table_of(TrialRedemptionRow)
    entity = TrialRedemption
    identity = "user_id"

    async def redeem(self, redemption: TrialRedemption) -> bool:
        """False where this person, or this card, has had a trial; nothing is added then."""
        added = await self._connection.execute(
            insert(self.table).values(self._row(redemption)).on_conflict_do_nothing()
        )
        return added.rowcount == 1

    async def give_back(self, subscription_id: UUID) -> None:
        """The trial never began."""
        await self._connection.execute(
            delete(self.table).where(self.table.c.subscription_id == subscription_id)
        )
