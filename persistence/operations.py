from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from domain.errors import Busy
from domain.operation import Operation, OperationState
from persistence.repository import SOUGHT
from persistence.sealing import AmongArguments, Sealing
from persistence.tables import OperationRow, table_of
from persistence.tables.operations import OPEN as IS_OPEN
from persistence.violations import broken_constraint
from persistence.writing import write_together

TABLE: Final = table_of(OperationRow)
C: Final = TABLE.c
OPEN: Final = (OperationState.RUNNING, OperationState.OUTCOME_UNKNOWN)
ONE_OPEN_PER_OBJECT: Final = "uq_operations_open_object"


FIRST_USE: Final = select(TABLE).where(
    C.caller_id == bindparam("caller_id"), C.mutation == bindparam("mutation"), C.key == bindparam("key")
)
OPEN_ABOUT: Final = select(C.id).where(
    C.object_id == bindparam("object_id"), C.mutation == bindparam("mutation"), IS_OPEN
)
END: Final = update(TABLE).where(C.id == bindparam(SOUGHT), IS_OPEN)
"""Of the columns that its values name."""


class OperationRepository(Sealing[Operation]):
    table = TABLE
    entity = Operation
    holder = AmongArguments(TABLE)

    async def find(self, caller_id: UUID, mutation: str, key: str) -> Operation | None:
        return await self._one(FIRST_USE, {"caller_id": caller_id, "mutation": mutation, "key": key})

    async def by_ids(self, operation_ids: Sequence[UUID], *, caller: UUID | None) -> Mapping[UUID, Operation]:
        return await self._owned(operation_ids, owner=caller, by="caller_id")

    async def locked(self, operation_id: UUID) -> Operation:
        operation = await self.lock(operation_id)
        if operation is None:
            raise LookupError(f"Operation {operation_id} has gone")
        return operation

    async def count_uses(self, caller_id: UUID, mutation: str, object_id: UUID, *, since: datetime) -> int:
        """How often this caller has asked for this about the object, whatever became of it."""
        columns = self.table.c
        asked = select(func.count()).where(
            columns.caller_id == caller_id,
            columns.mutation == mutation,
            columns.object_id == object_id,
            columns.started_at >= since,
        )
        return await self._connection.scalar(asked) or 0

    async def is_any_open(self, object_id: UUID) -> bool:
        """Whether any operation on the object has not ended."""
        found = select(self.table.c.id).where(self.table.c.object_id == object_id, IS_OPEN)
        return await self._connection.scalar(found) is not None

    async def is_open(self, mutation: str, object_id: UUID) -> bool:
        return bool(await self._rows(OPEN_ABOUT, {"object_id": object_id, "mutation": mutation}))

    async def add(self, operation: Operation) -> bool:
        """
        False where the caller used this key for this mutation before; nothing is added then.

        Raises Busy where another operation on the same object has not ended.
        """
        try:
            addition = self._addition_unless(("caller_id", "mutation", "key"), None)
            return await write_together(self._connection, addition, self._row(operation)) == 1
        except IntegrityError as violation:
            if broken_constraint(violation) == ONE_OPEN_PER_OBJECT:
                raise Busy("Another operation on this is still running.", current="BUSY") from violation
            raise

    async def end(self, ended: Operation) -> bool:
        """False where it had ended before, in whichever way; nothing is changed then."""
        return await write_together(self._connection, END, self._sought(ended)) == 1

    async def lease_abandoned(self, *, at: datetime, until: datetime, limit: int) -> Sequence[Operation]:
        """
        Operations that have not ended and nobody works on; each is leased to one asker only.

        They are chosen once, since a subquery in its place may run again for each row, and lock more than the limit.
        """
        columns = self.table.c
        abandoned = (
            select(columns.id)
            .where(columns.state.in_(OPEN), columns.leased_until < at)
            .order_by(columns.leased_until)
            .limit(limit)
            .with_for_update(skip_locked=True)
            .cte("abandoned")
            .prefix_with("MATERIALIZED")
        )
        return await self._all(
            update(self.table)
            .where(columns.id.in_(select(abandoned.c.id)))
            .values(state=OperationState.RUNNING, leased_until=until, attempts=columns.attempts + 1)
            .returning(self.table)
        )

    async def drop_expired(self, *, at: datetime) -> int:
        """Forget ended operations after their time. How many."""
        columns = self.table.c
        dropped = await self._connection.execute(
            delete(self.table).where(columns.expires_at < at, columns.state.not_in(OPEN))
        )
        return dropped.rowcount
