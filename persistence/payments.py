from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, tuple_

from domain.paging import Direction, Place, Slice
from domain.payment import Payment
from domain.payment_list import PaymentFilter, PaymentOrder
from persistence.repository import Repository
from persistence.tables import PaymentRow, table_of


class PaymentRepository(Repository[Payment]):
    table = table_of(PaymentRow)
    entity = Payment

    async def by_ids(self, payment_ids: Sequence[UUID], *, owner: UUID | None) -> Mapping[UUID, Payment]:
        return await self._owned(payment_ids, owner=owner)

    async def known_as(self, processor_payment_id: str) -> UUID | None:
        return await self._id_where(self.table.c.processor_payment_id == processor_payment_id)

    async def listed(self, wanted: PaymentFilter, order: PaymentOrder, part: Slice) -> Sequence[Payment]:
        """At most `part.limit` payments, in the order in which the part is read."""
        column = self.table.c[order.field.value]
        direction = order.direction.reverse if part.is_backward else order.direction
        statement = select(self.table).where(*self._conditions(wanted)).limit(part.limit)
        if part.start is not None:
            statement = statement.where(self._beyond(part.start, order, direction))
        for key in (column, self.table.c.id):
            statement = statement.order_by(key.desc() if direction is Direction.DESC else key.asc())
        return await self._all(statement)

    async def count(self, wanted: PaymentFilter) -> int:
        statement = select(func.count()).select_from(self.table).where(*self._conditions(wanted))
        return await self._connection.scalar(statement) or 0

    def _beyond(self, place: Place, order: PaymentOrder, direction: Direction) -> ColumnElement[bool]:
        """A row comparison, so that the index leads straight to the place."""
        here = tuple_(self.table.c[order.field.value], self.table.c.id)
        there = tuple_(place.value, place.id, types=[column.type for column in here])
        return here < there if direction is Direction.DESC else here > there

    def _conditions(self, wanted: PaymentFilter) -> Iterator[ColumnElement[bool]]:
        columns = self.table.c
        choices = (
            (columns.id, wanted.ids),
            (columns.status, wanted.statuses),
            (columns.trigger, wanted.triggers),
            (columns.currency, wanted.currencies),
        )
        yield from (column.in_(chosen) for column, chosen in choices if chosen is not None)
        equals = (
            (columns.user_id, wanted.owner),
            (columns.payment_method_id, wanted.payment_method_id),
        )
        yield from (column == value for column, value in equals if value is not None)
        lowest = (
            (columns.amount, wanted.at_least),
            (columns.created_at, wanted.created_from),
            (columns.updated_at, wanted.updated_from),
        )
        yield from (column >= value for column, value in lowest if value is not None)
        before = ((columns.created_at, wanted.created_to), (columns.updated_at, wanted.updated_to))
        yield from (column < value for column, value in before if value is not None)
        if wanted.at_most is not None:
            yield columns.amount <= wanted.at_most
