"""Entitlements."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, Column, Select, String, Uuid, bindparam, column, func, select, union_all

from domain.access import AccessQuestion, AccessTarget, Entitlement
from domain.payment_status import PaymentStatus
from persistence.mirror import Owned
from persistence.rows import grouped, is_among
from persistence.tables import EntitlementRow, PaymentRow, PlanRow, SubscriptionRow, table_of

TABLE: Final = table_of(EntitlementRow)
PAYMENTS, SUBSCRIPTIONS, PLANS = table_of(PaymentRow), table_of(SubscriptionRow), table_of(PlanRow)


def _of_pairs(named: Column[Any], users: str, names: str) -> Select[Any]:
    """The rows of pairs of a user and a name, each pair found by an index."""
    pairs = func.unnest(bindparam(users, type_=ARRAY(Uuid())), bindparam(names, type_=ARRAY(String())))
    asked = pairs.table_valued(column("user_id", Uuid()), column("name", String())).render_derived("asked")
    return select(TABLE).join(asked, (TABLE.c.user_id == asked.c.user_id) & (named == asked.c.name))


ANSWERING: Final = union_all(
    _of_pairs(TABLE.c.media_item_id, "item_users", "items"),
    _of_pairs(TABLE.c.feature, "feature_users", "features"),
)
# Older payments do not remember their plan.
AWAITED: Final = (
    select(PAYMENTS.c.user_id, PAYMENTS.c.media_item_id, PLANS.c.features)
    .outerjoin(SUBSCRIPTIONS, SUBSCRIPTIONS.c.id == PAYMENTS.c.subscription_id)
    .outerjoin(PLANS, PLANS.c.id == func.coalesce(PAYMENTS.c.plan_id, SUBSCRIPTIONS.c.plan_id))
    .where(is_among(PAYMENTS.c.user_id, "user_ids"), PAYMENTS.c.status == PaymentStatus.REQUIRES_ACTION)
)


class EntitlementRepository(Owned[Entitlement]):
    table = TABLE
    entity = Entitlement

    async def of_users(
        self, user_ids: Sequence[UUID], *, owner: UUID | None
    ) -> Mapping[UUID, Sequence[Entitlement]]:
        """Each user's entitlements, the oldest first."""
        return grouped(await self._of_parents("user_id", user_ids, owner=owner), "user_id")

    async def answering(self, questions: Collection[AccessQuestion]) -> Sequence[Entitlement]:
        """Every reason that these users have, or had, for access to what is asked about."""
        items = [each for each in questions if each.target.media_item_id is not None]
        features = [each for each in questions if each.target.feature is not None]
        return await self._all(
            ANSWERING,
            {
                "item_users": [each.user_id for each in items],
                "items": [each.target.media_item_id for each in items],
                "feature_users": [each.user_id for each in features],
                "features": [each.target.feature for each in features],
            },
        )

    async def awaited_by(self, user_ids: Collection[UUID]) -> Collection[AccessQuestion]:
        """What these users would get access to by a payment that waits for them at their bank (3-D Secure)."""
        awaited = set()
        rows = await self._rows(AWAITED, {"user_ids": list(user_ids)})
        for user_id, media_item_id, features in rows:
            targets = [AccessTarget(feature=feature) for feature in features or ()]
            if media_item_id is not None:
                targets.append(AccessTarget(media_item_id=media_item_id))
            awaited |= {AccessQuestion(user_id=user_id, target=target) for target in targets}
        return awaited

    async def of_payment(self, payment_id: UUID) -> Entitlement | None:
        return await self._one(select(self.table).where(self.table.c.payment_id == payment_id))

    async def of_subscription(self, subscription_id: UUID) -> Sequence[Entitlement]:
        return await self._all(select(self.table).where(self.table.c.subscription_id == subscription_id))

    async def of_subscriptions(
        self, subscription_ids: Sequence[UUID]
    ) -> Mapping[UUID, Sequence[Entitlement]]:
        """Each subscription's entitlements, the oldest first."""
        found = await self._of_parents("subscription_id", subscription_ids, owner=None)
        return {known: rows for known, rows in grouped(found, "subscription_id").items() if known is not None}
