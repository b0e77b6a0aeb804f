"""Which subscriptions and invoices a caller asks for; both come with the newest first."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from domain.invoice import Invoice
from domain.paging import Direction, FixedOrder
from domain.subscription import Subscription
from domain.subscription_status import SubscriptionStatus

SUBSCRIPTIONS: Final[FixedOrder[Subscription]] = FixedOrder(
    name="subscriptions", attribute="created_at", kind=datetime, direction=Direction.DESC
)
OLDEST_SUBSCRIPTIONS: Final = replace(SUBSCRIPTIONS, name="subscriptions:oldest", direction=Direction.ASC)
INVOICES: Final[FixedOrder[Invoice]] = FixedOrder(
    name="invoices", attribute="created_at", kind=datetime, direction=Direction.DESC
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionFilter:
    """
    Everything given must hold; None does not ask, an empty list matches nothing; `owner` None is everybody.

    `renews_before` asks for those whose next period, which will be charged, begins before that time;
    `card_expires_before_renewal` for those that will be charged then, with a card that has ended by then.
    """

    owner: UUID | None = None
    statuses: tuple[SubscriptionStatus, ...] | None = None
    plan_id: UUID | None = None
    renews_before: datetime | None = None
    cancel_at_period_end: bool | None = None
    card_expires_before_renewal: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceFilter:
    """`owner` None is everybody."""

    owner: UUID | None = None
