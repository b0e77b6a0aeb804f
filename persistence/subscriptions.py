"""Subscriptions, and what guards their trials and previews."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    func,
    or_,
    select,
    text,
)

from domain.charge_preview import ChargePreview
from domain.subscription import Subscription
from domain.subscription_list import SubscriptionFilter
from domain.subscription_status import ENDED, OVERDUE, RENEWING, SubscriptionStatus
from domain.trial import TrialRedemption
from persistence.keyset import Keyset
from persistence.lists import Lists
from persistence.mirror import Mirror
from persistence.repository import Repository
from persistence.rows import is_among
from persistence.sealing import Sealing, WholeColumn
from persistence.tables import (
    ChargePreviewRow,
    OperationRow,
    PaymentMethodRow,
    SubscriptionRow,
    TrialRedemptionRow,
    table_of,
)
from persistence.tables.operations import OPEN as IS_OPEN
from persistence.tables.subscriptions import LIVE

TABLE: Final = table_of(SubscriptionRow)
C: Final = TABLE.c

M: Final = table_of(PaymentMethodRow).c
OPERATIONS: Final = table_of(OperationRow).c

RESUMES: Final = and_(
    C.status == SubscriptionStatus.PAUSED,
    C.paused_until.is_not(None),
    C.paused_until <= C.current_period_end,
)
RENEWS: Final = and_(
    or_(C.status.in_(RENEWING), RESUMES),
    C.cancel_at_period_end.is_(False),
    or_(C.cancel_at.is_(None), C.cancel_at > C.current_period_end),
)
"""What `Subscription.will_renew` says."""
PAYS: Final = or_(
    M.id == C.payment_method_id,
    and_(C.payment_method_id.is_(None), M.user_id == C.user_id, M.is_default.is_(True)),
)
CARD_ENDS: Final = func.timezone(
    "UTC", func.make_date(M.exp_year, M.exp_month, 1) + text("interval '1 month'")
)
"""The first instant at which it is no longer valid: the start of the month after its last one."""

CONDITIONS: Final[Mapping[str, ColumnElement[bool]]] = {
    "owner": C.user_id == bindparam("owner"),
    "statuses": is_among(C.status, "statuses"),
    "plan_id": C.plan_id == bindparam("plan_id"),
    "renews_before": and_(C.current_period_end < bindparam("renews_before"), RENEWS),
    "cancel_at_period_end": C.cancel_at_period_end == bindparam("cancel_at_period_end", type_=Boolean),
    "card_expires_before_renewal": and_(RENEWS, exists().where(PAYS, C.current_period_end >= CARD_ENDS))
    == bindparam("card_expires_before_renewal", type_=Boolean),
}


class SubscriptionRepository(
    Sealing[Subscription], Mirror[Subscription], Lists[Subscription, SubscriptionFilter]
):
    table = TABLE
    entity = Subscription
    holder = WholeColumn(TABLE)
    known_by = "processor_subscription_id"
    lists = Keyset(TABLE, CONDITIONS)

    async def add(self, subscription: Subscription) -> bool:
        """False where the user has a live subscription to the plan already; nothing is added then."""
        return await self._added(subscription, "user_id", "plan_id", where=LIVE)

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

    async def live_or_coming(
        self, user_id: UUID, plan_id: UUID, *, besides: UUID | None = None
    ) -> Subscription | None:
        """The user's live subscription that is to the plan or will be, planned or under way."""
        is_there = and_(C.plan_id == plan_id, C.is_surplus.is_(False))
        is_asked_for = exists().where(
            OPERATIONS.object_id == C.id,
            IS_OPEN,
            OPERATIONS.arguments["plan_id"].astext == str(plan_id),
        )
        statement = (
            select(TABLE)
            .where(C.user_id == user_id, C.status.not_in(ENDED))
            .where(or_(is_there, C.pending_plan_id == plan_id, is_asked_for))
            .order_by(C.created_at, C.id)
            .limit(1)
        )
        return await self._one(statement if besides is None else statement.where(C.id != besides))

    async def live_paid_by(
        self, method_ids: Sequence[UUID], *, owner: UUID | None
    ) -> Mapping[UUID, Sequence[Subscription]]:
        """The live subscriptions that name each method, the oldest first."""
        statement = self._live_by("payment_method_id", has_owner=owner is not None)
        return await self._grouped(statement, {"parents": method_ids, "owner": owner}, "payment_method_id")

    async def live_of_user(self, user_id: UUID) -> Sequence[Subscription]:
        columns = self.table.c
        return await self._all(
            select(self.table)
            .where(columns.user_id == user_id, columns.status.not_in(ENDED))
            .order_by(columns.created_at, columns.id)
        )

    async def overdue_of(
        self, user_ids: Sequence[UUID], *, owner: UUID | None
    ) -> Mapping[UUID, Sequence[Subscription]]:
        """Each user's subscriptions that owe a payment, the oldest first."""
        statement = self._overdue(has_owner=owner is not None)
        return await self._grouped(statement, {"parents": user_ids, "owner": owner}, "user_id")

    @classmethod
    @cache
    def _live_by(cls, parent: str, *, has_owner: bool) -> Select[Any]:
        return cls._oldest_first(parent, C.status.not_in(ENDED), has_owner=has_owner)

    @classmethod
    @cache
    def _overdue(cls, *, has_owner: bool) -> Select[Any]:
        return cls._oldest_first("user_id", C.status.in_(OVERDUE), has_owner=has_owner)

    @classmethod
    def _oldest_first(cls, parent: str, condition: ColumnElement[bool], *, has_owner: bool) -> Select[Any]:
        statement = select(TABLE).where(is_among(C[parent], "parents"), condition)
        if has_owner:
            statement = statement.where(C.user_id == bindparam("owner"))
        return statement.order_by(C.created_at, C.id)

    async def lock_of_plan(self, plan_id: UUID, *, after: UUID | None, limit: int) -> Sequence[Subscription]:
        """The plan's next live subscriptions after this one, by id, held until the transaction ends."""
        columns = self.table.c
        statement = select(self.table).where(columns.plan_id == plan_id, columns.status.not_in(ENDED))
        if after is not None:
            statement = statement.where(columns.id > after)
        return await self._all(statement.order_by(columns.id).limit(limit).with_for_update(key_share=True))


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

    async def has_had(self, user_id: UUID, fingerprint: str | None) -> bool:
        """Whether this person, or this card, has had a trial."""
        columns = self.table.c
        is_theirs = columns.user_id == user_id
        if fingerprint is not None:
            is_theirs = or_(is_theirs, columns.fingerprint == fingerprint)
        return bool(await self._connection.scalar(select(exists().where(is_theirs))))

    async def redeem(self, redemption: TrialRedemption) -> bool:
        """False where this person, or this card, has had a trial; nothing is added then."""
        return await self._added(redemption)

    async def give_back(self, subscription_id: UUID) -> None:
        """The trial never began."""
        await self._connection.execute(
            delete(self.table).where(self.table.c.subscription_id == subscription_id)
        )
