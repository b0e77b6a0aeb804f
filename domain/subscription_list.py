"""Which subscriptions and invoices a caller asks for; both come with the newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from domain.invoice import Invoice
from domain.paging import Direction, Place
from domain.subscription import Subscription
from domain.subscription_status import SubscriptionStatus


class Dated(Protocol):
    @property
    def id(self) -> UUID: ...
    @property
    def created_at(self) -> datetime: ...


D = TypeVar("D", bound=Dated, contravariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewestFirst(Generic[D]):
    """`name` is what a cursor is bound to."""

    name: str
    field: str = "created_at"
    direction: Direction = Direction.DESC

    def place_at(self, cursor: str, *, argument: str) -> Place:
        """The place that a cursor of this list names; raises InvalidInput."""
        return Place.of_cursor(cursor, self.name, kind=datetime, argument=argument)

    def place_of(self, item: D) -> Place:
        return Place(value=item.created_at, id=item.id)


SUBSCRIPTIONS: NewestFirst[Subscription] = NewestFirst(name="subscriptions:created_at:DESC")
INVOICES: NewestFirst[Invoice] = NewestFirst(name="invoices:created_at:DESC")


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionFilter:
    """
    Everything given must hold; None does not ask, an empty list matches nothing; `owner` None is everybody.

    `renews_before` asks for those whose next period, which will be charged, begins before that time;
    `card_expires_before_renewal` for those that will be charged then, with a card that has ended by then.
    """

    owner: UUID | None = None
    statuses: Sequence[SubscriptionStatus] | None = None
    plan_id: UUID | None = None
    renews_before: datetime | None = None
    cancel_at_period_end: bool | None = None
    card_expires_before_renewal: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceFilter:
    """`owner` None is everybody."""

    owner: UUID | None = None
