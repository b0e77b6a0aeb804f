"""Which payments a caller asks for, and in which order."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from domain.paging import Direction, Place
from domain.payment import Payment
from domain.payment_status import PaymentStatus, PaymentTrigger


class PaymentOrderField(StrEnum):
    """The values are attributes of Payment."""

    CREATED_AT = "created_at"
    UPDATED_AT = "updated_at"
    AMOUNT = "amount"
    STATUS = "status"


SORT_TYPES: Final[Mapping[PaymentOrderField, type]] = {
    PaymentOrderField.CREATED_AT: datetime,
    PaymentOrderField.UPDATED_AT: datetime,
    PaymentOrderField.AMOUNT: int,
    PaymentOrderField.STATUS: PaymentStatus,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentOrder:
    field: PaymentOrderField = PaymentOrderField.CREATED_AT
    direction: Direction = Direction.DESC

    @property
    def name(self) -> str:
        """What a cursor is bound to."""
        return f"payments:{self.field}:{self.direction}"

    @property
    def attribute(self) -> str:
        return self.field.value

    def place_at(self, cursor: str, *, argument: str) -> Place:
        """The place that a cursor of this list names; raises InvalidInput."""
        return Place.of_cursor(cursor, self.name, kind=SORT_TYPES[self.field], argument=argument)

    def place_of(self, payment: Payment) -> Place:
        return Place(value=getattr(payment, self.attribute), id=payment.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFilter:
    """
    Everything given must hold; None does not ask, an empty list matches nothing.

    Times are half-open (from, to), amounts in minor units and inclusive; `owner` None is everybody. Filters are
    hashable, since those who ask for the same share a loader.
    """

    owner: UUID | None = None
    ids: tuple[UUID, ...] | None = None
    statuses: tuple[PaymentStatus, ...] | None = None
    triggers: tuple[PaymentTrigger, ...] | None = None
    currencies: tuple[str, ...] | None = None
    at_least: int | None = None
    at_most: int | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    updated_from: datetime | None = None
    updated_to: datetime | None = None
    payment_method_id: UUID | None = None
    subscription_id: UUID | None = None
    processor_payment_id: str | None = None
    media_item_id: str | None = None
    disputed: bool | None = None
