"""What may be read of subscriptions: one, and lists of them."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Annotated

import strawberry

from domain.paging import Page, Slice, page_of
from domain.plan import Plan
from domain.subscription import Subscription
from domain.subscription_list import SUBSCRIPTIONS, SubscriptionFilter
from domain.subscription_status import SubscriptionStatus
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
from gql.payment_queries import check_length
from gql.subscription import SubscriptionView


@strawberry.input(
    name="SubscriptionFilter", description="All that is given must hold. An empty list matches nothing."
)
class SubscriptionFilterInput:
    status: list[SubscriptionStatus] | None = strawberry.field(
        default=None, description="In one of these states."
    )
    plan_id: strawberry.ID | None = strawberry.field(default=None, description="To this plan.")
    user_id: strawberry.ID | None = strawberry.field(
        default=None, description="Support and admins: the subscriptions of this user, by UUID."
    )
    renews_before: datetime | None = strawberry.field(
        default=None, description="Those that are charged for a next period before this time."
    )
    cancel_at_period_end: bool | None = strawberry.field(
        default=None, description="Those that end with the running period, or those that do not."
    )
    card_expires_before_renewal: bool | None = strawberry.field(
        default=None,
        description="Those that will be renewed, and whose card is no longer valid by then; or all others.",
    )

    def wanted(self) -> SubscriptionFilter:
        """Raises NotFound for an id that names nothing, InvalidInput for a list that is too long."""
        check_length(self.status, "status")
        return SubscriptionFilter(
            owner=user_id_of(self.user_id, "user_id") if self.user_id else None,
            statuses=None if self.status is None else tuple(self.status),
            plan_id=id_of(Plan, self.plan_id, "plan_id") if self.plan_id else None,
            renews_before=self.renews_before,
            cancel_at_period_end=self.cancel_at_period_end,
            card_expires_before_renewal=self.card_expires_before_renewal,
        )


WhichSubscriptions = Annotated[SubscriptionFilterInput | None, strawberry.argument(description="Which ones.")]


@strawberry.type(description="A subscription in a list.")
class SubscriptionEdge(Edge):
    node: SubscriptionView = strawberry.field(description="The subscription.")


@strawberry.type(description="A page of subscriptions, the newest first.")
class SubscriptionConnection(Connection[Subscription]):
    count: strawberry.Private[Callable[[], Awaitable[int | None]]]

    edges: list[SubscriptionEdge] = edges("The subscriptions with their cursors.")
    nodes: list[SubscriptionView] = nodes("The subscriptions alone.")
    page_info: PageInfo = page_info()

    @strawberry.field(
        description=(
            "How many subscriptions the filter matches in all. Counted only when asked for; null, with an error, where "
            "that takes too long."
        )
    )
    @needs()
    async def total_count(self) -> int | None:
        return await self.count() or 0


async def page_of_subscriptions(
    info: Info,
    wanted: SubscriptionFilter,
    first: int | None,
    after: str | None,
    last: int | None = None,
    before: str | None = None,
) -> SubscriptionConnection:
    part = asked_slice(SUBSCRIPTIONS, first, after, last, before)
    page = await found_page(info.context, wanted, part)
    count = partial(number_of, info.context, wanted)
    return SubscriptionConnection(page=page, order=SUBSCRIPTIONS, count=count)


async def found_page(context: Context, wanted: SubscriptionFilter, part: Slice) -> Page[Subscription]:
    """One user's page comes with those of other users, which the same field of other accounts asks for."""
    if wanted.owner is None:
        return await context.services.subscriptions.page(context.actor, wanted, part, shown=context.shown)
    mine = replace(wanted, owner=context.actor.narrowed(wanted.owner))
    rows = await context.loaders.subscriptions_of(mine, part.one_more()).load(wanted.owner)
    return page_of(rows or (), part)


async def number_of(context: Context, wanted: SubscriptionFilter) -> int | None:
    if wanted.owner is None:
        return await context.services.subscriptions.count(context.actor, wanted)
    return await context.loaders.subscription_counts(wanted).load(wanted.owner)


@strawberry.type
class SubscriptionQueries:
    @strawberry.field(description="A subscription that the caller may see.")
    @needs()
    async def subscription(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The subscription.")]
    ) -> SubscriptionView | None:
        return await one(info, SubscriptionView, id, "subscription")

    @strawberry.field(
        description="The caller's subscriptions; support and admins see everybody's and may filter by userId."
    )
    @needs()
    async def subscriptions(
        self,
        info: Info,
        filter: WhichSubscriptions = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> SubscriptionConnection:
        wanted = (filter or SubscriptionFilterInput()).wanted()
        return await page_of_subscriptions(info, wanted, first, after, last, before)
