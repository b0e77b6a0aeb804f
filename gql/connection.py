"""Relay connections over keyset pages: https://relay.dev/graphql/connections.htm"""

from typing import Annotated

import strawberry

from domain.errors import InvalidInput
from domain.paging import DEFAULT_PAGE, Page, Slice, checked_size
from domain.payment import Payment
from domain.payment_list import PaymentFilter, PaymentOrder
from gql.context import Info
from gql.node import view, views
from gql.payment import PaymentView

First = Annotated[
    int | None,
    strawberry.argument(description="How many, 1 to 100; 20 where neither first nor last is given."),
]
After = Annotated[str | None, strawberry.argument(description="Only what follows this cursor.")]
Last = Annotated[int | None, strawberry.argument(description="How many, from the end.")]
Before = Annotated[str | None, strawberry.argument(description="Only what comes before this cursor.")]


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether more follow.")
    has_previous_page: bool = strawberry.field(description="Whether any come before.")
    start_cursor: str | None = strawberry.field(description="The first edge's cursor.")
    end_cursor: str | None = strawberry.field(description="The last edge's cursor.")


@strawberry.type(description="A payment in a list.")
class PaymentEdge:
    cursor: str = strawberry.field(description="Its place, for after and before.")
    node: PaymentView = strawberry.field(description="The payment.")


@strawberry.type(description="A page of payments.")
class PaymentConnection:
    page: strawberry.Private[Page[Payment]]
    wanted: strawberry.Private[PaymentFilter]
    order: strawberry.Private[PaymentOrder]

    @strawberry.field(description="The payments with their cursors.")
    def edges(self) -> list[PaymentEdge]:
        return [
            PaymentEdge(cursor=self._cursor(item), node=view(PaymentView, item)) for item in self.page.items
        ]

    @strawberry.field(description="The payments alone.")
    def nodes(self) -> list[PaymentView]:
        return views(PaymentView, self.page.items)

    @strawberry.field(description="Where this page stands.")
    def page_info(self) -> PageInfo:
        items = self.page.items
        return PageInfo(
            has_next_page=self.page.has_next,
            has_previous_page=self.page.has_previous,
            start_cursor=self._cursor(items[0]) if items else None,
            end_cursor=self._cursor(items[-1]) if items else None,
        )

    @strawberry.field(description="How many payments the filter matches in all. Counted only when asked for.")
    async def total_count(self, info: Info) -> int | None:
        return await info.context.services.payments.count(info.context.actor, self.wanted)

    def _cursor(self, payment: Payment) -> str:
        return self.order.place_of(payment).cursor(self.order.name)


def asked_slice(
    order: PaymentOrder, first: int | None, after: str | None, last: int | None, before: str | None
) -> Slice:
    """Raises InvalidInput for a size out of range, a foreign cursor, or both directions at once."""
    if last is None and before is None:
        size = DEFAULT_PAGE if first is None else checked_size(first, argument="first")
        start = None if after is None else order.place_at(after, argument="after")
        return Slice(limit=size, start=start)
    if first is not None or after is not None:
        raise InvalidInput("Use first and after, or last and before.", path=("last",))
    size = DEFAULT_PAGE if last is None else checked_size(last, argument="last")
    start = None if before is None else order.place_at(before, argument="before")
    return Slice(limit=size, start=start, is_backward=True)
