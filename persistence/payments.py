"""
Payments.

A list's statement is built once per shape (which filters are given, in which order, from the start or from a
place), because building one and finding its compiled form costs more than PostgreSQL needs to answer it.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Select, bindparam, func, select, tuple_

from domain.paging import Direction, Slice
from domain.payment import Payment
from domain.payment_list import PaymentFilter, PaymentOrder
from persistence.repository import Repository, is_among
from persistence.tables import PaymentRow, table_of

TABLE: Final = table_of(PaymentRow)
C: Final = TABLE.c
MOST_SHAPES: Final = 256

CONDITIONS: Final[Mapping[str, ColumnElement[bool]]] = {
    "owner": C.user_id == bindparam("owner"),
    "ids": is_among(C.id, "ids"),
    "statuses": is_among(C.status, "statuses"),
    "triggers": is_among(C.trigger, "triggers"),
    "currencies": is_among(C.currency, "currencies"),
    "at_least": C.amount >= bindparam("at_least"),
    "at_most": C.amount <= bindparam("at_most"),
    "created_from": C.created_at >= bindparam("created_from"),
    "created_to": C.created_at < bindparam("created_to"),
    "updated_from": C.updated_at >= bindparam("updated_from"),
    "updated_to": C.updated_at < bindparam("updated_to"),
    "payment_method_id": C.payment_method_id == bindparam("payment_method_id"),
}
"""By the attributes of PaymentFilter, which are their parameters' names too."""


class PaymentRepository(Repository[Payment]):
    table = TABLE
    entity = Payment

    async def by_ids(self, payment_ids: Sequence[UUID], *, owner: UUID | None) -> Mapping[UUID, Payment]:
        return await self._owned(payment_ids, owner=owner)

    async def known_as(self, processor_payment_id: str) -> UUID | None:
        return await self._id_where(C.processor_payment_id == processor_payment_id)

    async def listed(self, wanted: PaymentFilter, order: PaymentOrder, part: Slice) -> Sequence[Payment]:
        """At most `part.limit` payments, in the order in which the part is read."""
        given = _given(wanted)
        direction = order.direction.reverse if part.is_backward else order.direction
        statement = _page(tuple(given), order.field.value, direction, has_start=part.start is not None)
        start = {"start": part.start.value, "start_id": part.start.id} if part.start else {}
        return await self._all(statement, {**given, **start, "limit": part.limit})

    async def count(self, wanted: PaymentFilter) -> int:
        given = _given(wanted)
        return await self._connection.scalar(_count(tuple(given)), given) or 0


def _given(wanted: PaymentFilter) -> dict[str, Any]:
    """What is asked for; an empty list is, and matches nothing."""
    asked = ((name, getattr(wanted, name)) for name in CONDITIONS)
    return {name: value for name, value in asked if value is not None}


@lru_cache(MOST_SHAPES)
def _count(given: Sequence[str]) -> Select[int]:
    return select(func.count()).select_from(TABLE).where(*(CONDITIONS[name] for name in given))


@lru_cache(MOST_SHAPES)
def _page(given: Sequence[str], by: str, direction: Direction, *, has_start: bool) -> Select[Any]:
    statement = select(TABLE).where(*(CONDITIONS[name] for name in given))
    if has_start:
        statement = statement.where(_beyond_start(by, direction))
    keys = (C[by], C.id)
    order = [key.desc() if direction is Direction.DESC else key.asc() for key in keys]
    return statement.order_by(*order).limit(bindparam("limit", type_=Integer))


def _beyond_start(by: str, direction: Direction) -> ColumnElement[bool]:
    """A row comparison, so that the index leads straight to the place."""
    here = tuple_(C[by], C.id)
    there = tuple_(bindparam("start", type_=C[by].type), bindparam("start_id", type_=C.id.type))
    return here < there if direction is Direction.DESC else here > there
