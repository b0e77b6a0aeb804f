from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, bindparam, select, update

from domain.payment_method import PaymentMethod, PaymentMethodSetup
from persistence.mirror import Mirror
from persistence.rows import is_among
from persistence.tables import PaymentMethodRow, PaymentMethodSetupRow, table_of

TABLE: Final = table_of(PaymentMethodRow)
DEFAULT: Final = select(TABLE).where(TABLE.c.user_id == bindparam("user_id"), TABLE.c.is_default.is_(True))
SHARED_DEFAULT: Final = DEFAULT.with_for_update(read=True)


class PaymentMethodRepository(Mirror[PaymentMethod]):
    table = TABLE
    entity = PaymentMethod
    known_by = "processor_method_id"

    async def of_users(
        self, user_ids: Sequence[UUID], *, owner: UUID | None, with_detached: bool
    ) -> Mapping[UUID, Sequence[PaymentMethod]]:
        """Each user's methods, the default one first, then the newest."""
        statement = self._of_users(has_owner=owner is not None, with_detached=with_detached)
        return await self._grouped(statement, {"user_ids": user_ids, "owner": owner}, "user_id")

    @classmethod
    @cache
    def _of_users(cls, *, has_owner: bool, with_detached: bool) -> Select[Any]:
        columns = cls.table.c
        statement = (
            select(cls.table)
            .where(is_among(columns.user_id, "user_ids"))
            .order_by(columns.is_default.desc(), columns.created_at.desc(), columns.id.desc())
        )
        if has_owner:
            statement = statement.where(columns.user_id == bindparam("owner"))
        return statement if with_detached else statement.where(columns.detached_at.is_(None))

    async def default_of(self, user_id: UUID) -> PaymentMethod | None:
        return await self._one(DEFAULT, {"user_id": user_id})

    async def lock_default(self, user_id: UUID) -> PaymentMethod | None:
        """Looked for twice: one that ceases to be it while it is waited for is not found, nor is its successor."""
        sought = {"user_id": user_id}
        return await self._one(SHARED_DEFAULT, sought) or await self._one(SHARED_DEFAULT, sought)

    async def add(self, method: PaymentMethod) -> bool:
        """False where the processor's method is known already; nothing is added then."""
        return await self._added(method, "processor_method_id")

    async def is_saved_twice(self, method: PaymentMethod) -> bool:
        columns = self.table.c
        same = select(columns.id).where(
            columns.user_id == method.user_id,
            columns.fingerprint == method.fingerprint,
            columns.id != method.id,
            columns.detached_at.is_(None),
        )
        return bool(await self._connection.scalar(select(same.exists())))

    async def clear_default(self, user_id: UUID, *, at: datetime) -> PaymentMethod | None:
        """The method that was the default one until now, as it is from now on."""
        columns = self.table.c
        return await self._one(
            update(self.table)
            .where(columns.user_id == user_id, columns.is_default.is_(True))
            .values(is_default=False, default_chosen_at=None, version=columns.version + 1, updated_at=at)
            .returning(self.table)
        )


class SetupRepository(Mirror[PaymentMethodSetup]):
    table = table_of(PaymentMethodSetupRow)
    entity = PaymentMethodSetup
    known_by = "processor_setup_id"
