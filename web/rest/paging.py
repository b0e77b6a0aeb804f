"""Numbered pages, as old callers know them, and cursors to go on by."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, TypeVar

from pydantic import Field

from domain.errors import InvalidInput
from domain.paging import (
    DEEPEST_ROW,
    DEFAULT_PAGE,
    LARGEST_PAGE,
    Counted,
    Direction,
    NumberedPage,
    Order,
    Page,
    Slice,
)
from web.rest.fields import Model, Query, Whole

T = TypeVar("T")


class SortDirection(StrEnum):
    ASC = "asc"
    DESC = "desc"


class PageQuery(Query):
    page: Annotated[
        Whole | None,
        Field(
            ge=1,
            description="Which page, from 1 on; at most 10,000 objects may come before it. Not with a cursor.",
            json_schema_extra={"maximum": DEEPEST_ROW + 1},
        ),
    ] = None
    limit: Annotated[
        Whole, Field(ge=1, le=LARGEST_PAGE, description="How many objects a page has at most.")
    ] = DEFAULT_PAGE
    cursor: Annotated[
        str | None,
        Field(
            description="meta.next_cursor of the page before: costs the same at any depth, and counts nothing."
        ),
    ] = None
    order: Annotated[
        SortDirection, Field(description="Upwards or downwards; equals are told apart by id.")
    ] = SortDirection.DESC

    @property
    def direction(self) -> Direction:
        return Direction[self.order.name]

    @property
    def numbered(self) -> NumberedPage:
        """Raises InvalidInput for one that is too deep."""
        return NumberedPage(number=self.page or 1, limit=self.limit)

    def after_cursor(self, order: Order[Any]) -> Slice | None:
        """What follows the cursor, if there is one; raises InvalidInput for one of another list or beside a page."""
        if self.cursor is None:
            return None
        if self.page is not None:
            raise InvalidInput("Send page or cursor.", path=("page",), constraint="notWithCursor")
        return Slice(limit=self.limit, start=order.place_at(self.cursor, argument="cursor"))


class PageMeta(Model):
    """Where a page stands. What takes counting is null in pages that were found by a cursor."""

    page: int | None
    limit: int
    total: Annotated[int | None, Field(description="How many objects match in all.")]
    total_pages: int | None
    next_cursor: Annotated[
        str | None, Field(description="Send it as cursor for the next page; null on the last one.")
    ]


def numbered_meta(asked: NumberedPage, found: Counted[T], order: Order[T]) -> PageMeta:
    is_last = asked.offset + len(found.items) >= found.total
    return PageMeta(
        page=asked.number,
        limit=asked.limit,
        total=found.total,
        total_pages=asked.pages(found.total),
        next_cursor=None if is_last else _end_of(found.items, order),
    )


def cursor_meta(asked: Slice, found: Page[T], order: Order[T]) -> PageMeta:
    return PageMeta(
        page=None,
        limit=asked.limit,
        total=None,
        total_pages=None,
        next_cursor=_end_of(found.items, order) if found.has_next else None,
    )


def _end_of(items: Sequence[T], order: Order[T]) -> str | None:
    return order.place_of(items[-1]).cursor(order.name) if items else None
