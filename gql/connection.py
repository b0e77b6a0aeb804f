"""Relay connections over keyset pages: https://relay.dev/graphql/connections.htm"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

import strawberry

from domain.errors import InvalidInput
from domain.paging import DEFAULT_PAGE, Order, Page, Slice, checked_size
from gql.node import view

T = TypeVar("T")

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


@strawberry.type
class Edge:
    """What every edge has; a subclass adds its `node`."""

    cursor: str = strawberry.field(description="Its place, for after and before.")


@dataclass(frozen=True, slots=True)
class Placed(Generic[T]):
    """What an edge shows: an object of a list, and its place there."""

    cursor: str
    node: T


@dataclass(frozen=True, slots=True)
class Stand(Generic[T]):
    """What `PageInfo` shows. A cursor takes as long to write as a row, so that only those are that are asked for."""

    page: Page[T]
    cursor_of: Callable[[T], str]

    @property
    def has_next_page(self) -> bool:
        return self.page.has_next

    @property
    def has_previous_page(self) -> bool:
        return self.page.has_previous

    @property
    def start_cursor(self) -> str | None:
        return self.cursor_of(self.page.items[0]) if self.page.items else None

    @property
    def end_cursor(self) -> str | None:
        return self.cursor_of(self.page.items[-1]) if self.page.items else None


@strawberry.type
class Connection(Generic[T]):
    """
    A page of a list, and how the list is ordered. A subclass names what its clients see:

        edges: list[PaymentEdge] = edges("The payments with their cursors.")
        nodes: list[PaymentView] = nodes("The payments alone.")
        page_info: PageInfo = page_info()
    """

    page: strawberry.Private[Page[T]]
    order: strawberry.Private[Order[T]]

    def placed(self) -> list[Placed[T]]:
        return [Placed(self._cursor(item), item) for item in self.page.items]

    def stand(self) -> PageInfo:
        return view(PageInfo, Stand(self.page, self._cursor))

    def _cursor(self, item: T) -> str:
        return self.order.place_of(item).cursor(self.order.name)


def edges(description: str) -> Any:
    return strawberry.field(resolver=lambda self: self.placed(), description=description)


def nodes(description: str) -> Any:
    return strawberry.field(resolver=lambda self: self.page.items, description=description)


def page_info() -> Any:
    return strawberry.field(resolver=lambda self: self.stand(), description="Where this page stands.")


def asked_slice(
    order: Order[Any],
    first: int | None,
    after: str | None,
    last: int | None = None,
    before: str | None = None,
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
