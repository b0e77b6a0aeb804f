"""Which payments a caller asks for, and in which order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.decline import DeclineCategory
from domain.json_value import JsonValue
from domain.paging import Direction, Place
from domain.payment import Payment, PaymentStatus, PaymentTrigger


class PaymentOrderField(StrEnum):
    """The values are attributes of Payment."""

    CREATED_AT = "created_at"
    UPDATED_AT = "updated_at"
    AMOUNT = "amount"
    STATUS = "status"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentOrder:
    field: PaymentOrderField = PaymentOrderField.CREATED_AT
    direction: Direction = Direction.DESC

    @property
    def name(self) -> str:
        """What a cursor is bound to."""
        return f"payments:{self.field}:{self.direction}"

    def place_of(self, payment: Payment) -> Place:
        return Place(value=getattr(payment, self.field.value), id=payment.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFilter:
    """
    Everything given must hold; None does not ask, an empty list matches nothing.

    Times are half-open (from, to), amounts in minor units and inclusive; `owner` None is everybody.
    """

    owner: UUID | None = None
    ids: Sequence[UUID] | None = None
    statuses: Sequence[PaymentStatus] | None = None
    triggers: Sequence[PaymentTrigger] | None = None
    currencies: Sequence[str] | None = None
    at_least: int | None = None
    at_most: int | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    updated_from: datetime | None = None
    updated_to: datetime | None = None
    payment_method_id: UUID | None = None
    decline_categories: Sequence[DeclineCategory] | None = None
    details: Mapping[str, JsonValue] = field(default_factory=dict)
    search: str | None = None
