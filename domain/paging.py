"""
Pages of a list by keyset: the place in a list is the last row's sort value and id, never a number of rows.

A page costs the same at the start of ten rows and in the middle of a million.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, Generic, Protocol, Self, TypeVar
from uuid import UUID

from domain.errors import InvalidInput

DEFAULT_PAGE: Final = 20
LARGEST_PAGE: Final = 100
LONGEST_CURSOR: Final = 512
DEEPEST_ROW: Final = 10_000
"""How many rows a numbered page may skip, since PostgreSQL reads each of them to skip it."""

_COMPACT: Final = json.JSONEncoder(separators=(",", ":"))

T = TypeVar("T")
Item = TypeVar("Item", contravariant=True)


class Direction(StrEnum):
    ASC = "ASC"
    DESC = "DESC"

    @property
    def reverse(self) -> "Direction":
        return Direction.ASC if self is Direction.DESC else Direction.DESC


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A row's place in a list: its sort value, and its id to tell equals apart."""

    value: datetime | int | str
    id: UUID

    def cursor(self, order: str) -> str:
        """Opaque text; `order` is bound into it, so that a list in another order refuses it."""
        value = self.value.isoformat() if isinstance(self.value, datetime) else self.value
        written = _COMPACT.encode([order, value, self.id.hex])
        return base64.urlsafe_b64encode(written.encode()).decode().rstrip("=")

    @classmethod
    def of_cursor(cls, cursor: str, order: str, *, kind: type, argument: str) -> Self:
        """The place that a cursor names; raises InvalidInput for anything but a cursor of this order."""
        try:
            return cls._read(cursor, order, kind)
        except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as malformed:
            raise InvalidInput(
                "This is not a cursor of this list in this order.", path=(argument,), constraint="cursor"
            ) from malformed

    @classmethod
    def _read(cls, cursor: str, order: str, kind: type) -> Self:
        if len(cursor) > LONGEST_CURSOR:
            raise ValueError("longer than any cursor")
        padded = cursor + "=" * (-len(cursor) % 4)
        written_order, value, identity = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if written_order != order:
            raise ValueError("a cursor of another order")
        return cls(value=_sort_value(value, kind), id=UUID(hex=identity))


def _sort_value(value: object, kind: type) -> datetime | int | str:
    if kind is datetime and isinstance(value, str):
        return _instant(value)
    if kind is int and type(value) is int and abs(value) < 2**63:
        return value
    if issubclass(kind, StrEnum) and isinstance(value, str):
        return kind(value)
    raise ValueError("not a sort value of this order")


def _instant(written: str) -> datetime:
    instant = datetime.fromisoformat(written)
    if instant.tzinfo is None:
        raise ValueError("an instant without its offset")
    return instant.astimezone(UTC)


class Order(Protocol[Item]):
    """How a list is ordered."""

    @property
    def name(self) -> str:
        """What a cursor is bound to."""
        ...

    @property
    def attribute(self) -> str:
        """The list is ordered by this, and equals by id."""
        ...

    @property
    def direction(self) -> Direction: ...
    def place_at(self, cursor: str, *, argument: str) -> Place:
        """The place that a cursor of this list names; raises InvalidInput."""
        ...

    def place_of(self, item: Item) -> Place: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedOrder(Generic[T]):
    """The order of a list that has no other: by one attribute, of that type."""

    name: str
    attribute: str
    kind: type
    direction: Direction

    def place_at(self, cursor: str, *, argument: str) -> Place:
        return Place.of_cursor(cursor, self.name, kind=self.kind, argument=argument)

    def place_of(self, item: T) -> Place:
        thing: Any = item
        return Place(value=getattr(thing, self.attribute), id=thing.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Which part of a list is wanted: `limit` rows after a place, or before one when read backwards."""

    limit: int = DEFAULT_PAGE
    start: Place | None = None
    is_backward: bool = False

    def one_more(self) -> Self:
        """The slice that also tells whether anything follows."""
        return replace(self, limit=self.limit + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    items: Sequence[T]
    has_next: bool
    has_previous: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberedPage:
    """
    Which part of a list is wanted by those who count pages: the first is 1. Cursors lead further, and cost the same.

    Raises InvalidInput for a page that would skip more than `DEEPEST_ROW` rows.
    """

    number: int = 1
    limit: int = DEFAULT_PAGE

    def __post_init__(self) -> None:
        checked_size(self.limit, argument="limit")
        if not 0 <= self.offset <= DEEPEST_ROW:
            raise InvalidInput(
                f"Pages are numbered from 1 to {1 + DEEPEST_ROW // self.limit} at this size. "
                "Go on by cursor from there: each page names the next one's.",
                path=("page",),
                constraint="useCursor",
            )

    @property
    def offset(self) -> int:
        """How many rows come before it."""
        return (self.number - 1) * self.limit

    def pages(self, total: int) -> int:
        """How many pages so many rows make."""
        return -(-total // self.limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted(Generic[T]):
    """A numbered page, and how many rows the whole list has."""

    items: Sequence[T]
    total: int


def page_of(rows: Sequence[T], asked: Slice) -> Page[T]:
    """The page in list order, from the rows of `asked.one_more()` in the order in which they were read."""
    items = list(rows[: asked.limit])
    has_more = len(rows) > asked.limit
    is_after_start = asked.start is not None
    if asked.is_backward:
        return Page(items=items[::-1], has_next=is_after_start, has_previous=has_more)
    return Page(items=items, has_next=has_more, has_previous=is_after_start)


def checked_size(size: int, *, argument: str) -> int:
    """The size itself; raises InvalidInput unless it is 1 to 100."""
    if 1 <= size <= LARGEST_PAGE:
        return size
    raise InvalidInput(
        f"{argument} must be 1 to {LARGEST_PAGE}.", path=(argument,), constraint=f"1..{LARGEST_PAGE}"
    )
