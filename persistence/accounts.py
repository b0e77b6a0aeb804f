from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select, update

from domain.account import BillingAccount
from persistence.mirror import Owned
from persistence.rows import is_among
from persistence.tables import BillingAccountRow, SubscriptionRow, table_of

SUBSCRIPTIONS: Final = table_of(SubscriptionRow).c


class AccountRepository(Owned[BillingAccount]):
    table = table_of(BillingAccountRow)
    entity = BillingAccount
    identity = "user_id"

    async def lock_subscriber(self, subscription_id: UUID) -> BillingAccount | None:
        """The account that the subscription belongs to, held until the transaction ends."""
        subscriber = select(SUBSCRIPTIONS.user_id).where(SUBSCRIPTIONS.id == subscription_id)
        return await self._one(
            select(self.table)
            .where(self.table.c.user_id == subscriber.scalar_subquery())
            .with_for_update(key_share=True)
        )

    async def customers_among(self, processor_customer_ids: Sequence[str]) -> Mapping[str, UUID]:
        """Whose customers these are; those of nobody are left out."""
        customer = self.table.c.processor_customer_id
        found = await self._connection.execute(
            select(customer, self.table.c.user_id).where(is_among(customer, "customers")),
            {"customers": processor_customer_ids},
        )
        return {row[0]: row[1] for row in found}

    async def of_customer(self, processor_customer_id: str) -> BillingAccount | None:
        return await self._one(
            select(self.table).where(self.table.c.processor_customer_id == processor_customer_id)
        )

    async def ensure(self, account: BillingAccount) -> BillingAccount:
        """
        The account of that user: this very one where there was none yet.

        Whoever opens it at the same moment brings the same customer. If only the user counted as a conflict, PostgreSQL
        would sometimes meet the customer first and refuse it.
        """
        if await self._added(account):
            return account
        if (known := await self.get(account.user_id)) is None:
            raise LookupError(f"Somebody else has the customer of {account.user_id}")
        return known

    async def set_customer(
        self, user_id: UUID, processor_customer_id: str, *, at: datetime
    ) -> BillingAccount | None:
        """The account with its customer; None where it has one already, which stays."""
        return await self._one(
            update(self.table)
            .where(self.table.c.user_id == user_id, self.table.c.processor_customer_id.is_(None))
            .values(processor_customer_id=processor_customer_id, updated_at=at)
            .returning(self.table)
        )
