"""Entitlements."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import ARRAY, String, any_, bindparam, or_, select

from domain.access import AccessTarget, Entitlement
from persistence.repository import Repository, grouped
from persistence.tables import EntitlementRow, table_of


class EntitlementRepository(Repository[Entitlement]):
    table = table_of(EntitlementRow)
    entity = Entitlement

    async def by_ids(
        self, entitlement_ids: Sequence[UUID], *, owner: UUID | None
    ) -> Mapping[UUID, Entitlement]:
        return await self._owned(entitlement_ids, owner=owner)

    async def of_users(
        self, user_ids: Sequence[UUID], *, owner: UUID | None
    ) -> Mapping[UUID, Sequence[Entitlement]]:
        """Each user's entitlements, the oldest first."""
        return grouped(await self._of_parents("user_id", user_ids, owner=owner), "user_id")

    async def of_targets(self, user_id: UUID, targets: Sequence[AccessTarget]) -> Sequence[Entitlement]:
        """Every reason that the user has, or had, for access to any of these."""
        columns = self.table.c
        texts = ARRAY(String())
        return await self._all(
            select(self.table).where(
                columns.user_id == bindparam("user_id"),
                or_(
                    columns.media_item_id == any_(bindparam("media_items", type_=texts)),
                    columns.feature == any_(bindparam("features", type_=texts)),
                ),
            ),
            {
                "user_id": user_id,
                "media_items": [target.media_item_id for target in targets if target.media_item_id],
                "features": [target.feature for target in targets if target.feature],
            },
        )

    async def of_payment(self, payment_id: UUID) -> Entitlement | None:
        return await self._one(select(self.table).where(self.table.c.payment_id == payment_id))

    async def of_subscription(self, subscription_id: UUID) -> Sequence[Entitlement]:
        return await self._all(select(self.table).where(self.table.c.subscription_id == subscription_id))
