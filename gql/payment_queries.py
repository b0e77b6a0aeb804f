"""What may be read of payments: one, and lists of them."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Final
from uuid import UUID

import strawberry

from domain.errors import InvalidInput
from domain.paging import Direction, Page, Slice, page_of
from domain.payment import Payment
from domain.payment_list import PaymentFilter, PaymentOrder, PaymentOrderField
from domain.payment_method import PaymentMethod
from domain.payment_service import scoped
from domain.payment_status import PaymentStatus, PaymentTrigger
from domain.subscription import Subscription
from domain.text import checked_text
from gql.connection import (
    After,
    Before,
    Connection,
    Edge,
    First,
    Last,
    PageInfo,
    asked_slice,
    edges,
    nodes,
    page_info,
)
from gql.context import Context, Info
from gql.ids import id_of, user_id_of
from gql.needs import needs
from gql.node import one
from gql.payment import PaymentView
from gql.scalars import CurrencyCode, MinorUnits

MOST_VALUES: Final = 100
"""Per list of a filter."""

strawberry.enum(Direction, name="OrderDirection", description="Upwards or downwards.")
strawberry.enum(PaymentOrderField, description="What payments can be ordered by.")


@strawberry.input(description="A span of time: from gte on, and before lt.")
class DateTimeRange:
    gte: datetime | None = strawberry.field(default=None, description="At this time or later.")
    lt: datetime | None = strawberry.field(default=None, description="Before this time.")


@strawberry.input(description="A range of amounts, both ends included.")
class MinorRange:
    gte: MinorUnits | None = strawberry.field(default=None, description="At least this.")
    lte: MinorUnits | None = strawberry.field(default=None, description="At most this.")


@strawberry.input(
    name="PaymentFilter", description="All that is given must hold. An empty list matches nothing."
)
class PaymentFilterInput:
    ids: list[strawberry.ID] | None = strawberry.field(default=None, description="One of these.")
    status: list[PaymentStatus] | None = strawberry.field(default=None, description="In one of these states.")
    trigger: list[PaymentTrigger] | None = strawberry.field(default=None, description="Made by one of these.")
    currency: list[CurrencyCode] | None = strawberry.field(default=None, description="In one of these.")
    amount: MinorRange | None = strawberry.field(
        default=None, description="Of this size, in minor units of the payment's own currency."
    )
    created_at: DateTimeRange | None = strawberry.field(default=None, description="Asked for in this span.")
    updated_at: DateTimeRange | None = strawberry.field(
        default=None, description="Last changed in this span."
    )
    user_id: strawberry.ID | None = strawberry.field(
        default=None, description="Support and admins: the payments of this user, by UUID."
    )
    payment_method_id: strawberry.ID | None = strawberry.field(default=None, description="Paid with this.")
    subscription_id: strawberry.ID | None = strawberry.field(
        default=None, description="Collected for this subscription."
    )
    media_item_id: strawberry.ID | None = strawberry.field(
        default=None, description="Paid for this, by the Media Service's id."
    )
    disputed: bool | None = strawberry.field(
        default=None, description="Whether the payer's bank holds some of the money."
    )

    def wanted(self) -> PaymentFilter:
        """Raises NotFound for an id that names nothing, InvalidInput for a list that is too long."""
        for name in ("ids", "status", "trigger", "currency"):
            check_length(getattr(self, name), name)
        created, updated = self.created_at or DateTimeRange(), self.updated_at or DateTimeRange()
        amount, method = self.amount or MinorRange(), self.payment_method_id
        subscription = self.subscription_id
        return PaymentFilter(
            owner=user_id_of(self.user_id, "user_id") if self.user_id else None,
            ids=None if self.ids is None else tuple(id_of(Payment, text, "ids") for text in self.ids),
            statuses=None if self.status is None else tuple(self.status),
            triggers=None if self.trigger is None else tuple(self.trigger),
            currencies=None if self.currency is None else tuple(self.currency),
            at_least=amount.gte,
            at_most=amount.lte,
            created_from=created.gte,
            created_to=created.lt,
            updated_from=updated.gte,
            updated_to=updated.lt,
            payment_method_id=id_of(PaymentMethod, method, "payment_method_id") if method else None,
            subscription_id=id_of(Subscription, subscription, "subscription_id") if subscription else None,
            media_item_id=self.media_item_id and checked_text(self.media_item_id, path=("media_item_id",)),
            disputed=self.disputed,
        )


def check_length(values: Sequence[object] | None, argument: str) -> None:
    if values is not None and len(values) > MOST_VALUES:
        raise InvalidInput(f"At most {MOST_VALUES} values.", path=(argument,), constraint="maxItems")


@strawberry.input(name="PaymentOrder", description="An order; equals are told apart by id.")
class PaymentOrderInput:
    field: PaymentOrderField = strawberry.field(
        default=PaymentOrderField.CREATED_AT, description="What to order by."
    )
    direction: Direction = strawberry.field(default=Direction.DESC, description="Upwards or downwards.")


Filter = Annotated[PaymentFilterInput | None, strawberry.argument(description="Which ones.")]
Order = Annotated[
    list[PaymentOrderInput] | None,
    strawberry.argument(description="One order, at present; the newest first where none is given."),
]


@strawberry.type(description="A payment in a list.")
class PaymentEdge(Edge):
    node: PaymentView = strawberry.field(description="The payment.")


@strawberry.type(description="A page of payments.")
class PaymentConnection(Connection[Payment]):
    count: strawberry.Private[Callable[[], Awaitable[int | None]]]

    edges: list[PaymentEdge] = edges("The payments with their cursors.")
    nodes: list[PaymentView] = nodes("The payments alone.")
    page_info: PageInfo = page_info()

    @strawberry.field(
        description=(
            "How many payments the filter matches in all. Counted only when asked for; null, with an error, where that "
            "takes too long."
        )
    )
    @needs()
    async def total_count(self) -> int | None:
        return await self.count() or 0


async def page_of_payments(
    info: Info,
    wanted: PaymentFilter,
    order_by: list[PaymentOrderInput] | None,
    first: int | None,
    after: str | None,
    last: int | None,
    before: str | None,
) -> PaymentConnection:
    order = asked_order(order_by or [])
    part = asked_slice(order, first, after, last, before)
    page = await found_page(info.context, wanted, order, part)
    return PaymentConnection(page=page, order=order, count=partial(number_of, info.context, wanted))


async def found_page(
    context: Context, wanted: PaymentFilter, order: PaymentOrder, part: Slice
) -> Page[Payment]:
    """One user's page comes with those of other users, which the same field of other accounts asks for."""
    if wanted.owner is None:
        return await context.services.payments.page(context.actor, wanted, order, part, context.shown)
    lookup = context.loaders.payments_of(scoped(context.actor, wanted), order, part.one_more())
    return page_of(await lookup.load(wanted.owner) or (), part)


async def number_of(context: Context, wanted: PaymentFilter) -> int | None:
    if wanted.owner is None:
        return await context.services.payments.count(context.actor, wanted)
    return await context.loaders.payment_counts(wanted).load(wanted.owner)


async def page_below_subscription(
    info: Info, subscription_id: UUID, first: int | None, after: str | None
) -> PaymentConnection:
    """The newest first; the pages of other subscriptions, whose payments are asked for too, come with it."""
    order, loaders = PaymentOrder(), info.context.loaders
    part = asked_slice(order, first, after)
    rows = await loaders.subscription_payments(order, part.one_more()).load(subscription_id)
    count = partial(loaders.subscription_payment_counts.load, subscription_id)
    return PaymentConnection(page=page_of(rows or (), part), order=order, count=count)


def asked_order(given: Sequence[PaymentOrderInput]) -> PaymentOrder:
    """Raises InvalidInput for more than one: a list of orders leaves room for that."""
    if len(given) > 1:
        raise InvalidInput("Payments have one order at a time.", path=("order_by",), constraint="maxItems")
    return PaymentOrder(field=given[0].field, direction=given[0].direction) if given else PaymentOrder()


@strawberry.type
class PaymentQueries:
    @strawberry.field(description="A payment that the caller may see.")
    @needs()
    async def payment(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The payment.")]
    ) -> PaymentView | None:
        return await one(info, PaymentView, id, "payment")

    @strawberry.field(
        description="The caller's payments; support and admins see everybody's and may filter by userId."
    )
    @needs()
    async def payments(
        self,
        info: Info,
        filter: Filter = None,
        order_by: Order = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> PaymentConnection:
        wanted = (filter or PaymentFilterInput()).wanted()
        return await page_of_payments(info, wanted, order_by, first, after, last, before)
