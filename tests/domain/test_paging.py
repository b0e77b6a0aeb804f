import base64
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest

from domain.errors import InvalidInput
from domain.paging import LARGEST_PAGE, Direction, Place, Slice, checked_size, page_of
from domain.payment_list import PaymentOrder, PaymentOrderField
from domain.payment_status import PaymentStatus
from tests.domain.values import NOON, a_payment

BY_TIME = PaymentOrder()
BY_AMOUNT = PaymentOrder(field=PaymentOrderField.AMOUNT)
BY_STATUS = PaymentOrder(field=PaymentOrderField.STATUS)
ORDERS = [
    PaymentOrder(field=field, direction=direction) for field in PaymentOrderField for direction in Direction
]
IDENTITY = UUID(int=7).hex


def cursor_of(*parts: Any) -> str:
    """What a caller may make up, since a cursor is not signed."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


GARBAGE = {
    "empty": "",
    "no base64": "%%%",
    "no ASCII": "é",
    "no JSON": base64.urlsafe_b64encode(b"coffee").decode(),
    "no UTF-8": base64.urlsafe_b64encode(b'["\xff"]').decode(),
    "no list": base64.urlsafe_b64encode(b"17").decode(),
    "null": base64.urlsafe_b64encode(b"null").decode(),
    "an object": base64.urlsafe_b64encode(b'{"a":1,"b":2,"c":3}').decode(),
    "too few parts": cursor_of(BY_TIME.name, NOON.isoformat()),
    "too many parts": cursor_of(BY_TIME.name, NOON.isoformat(), IDENTITY, 1),
    "nested": base64.urlsafe_b64encode(b"[" * 300).decode(),
    "huge": "A" * 100_000,
    "an id that is a number": cursor_of(BY_TIME.name, NOON.isoformat(), 7),
    "an id that is a list": cursor_of(BY_TIME.name, NOON.isoformat(), [IDENTITY]),
    "an id that is null": cursor_of(BY_TIME.name, NOON.isoformat(), None),
    "an id that is none": cursor_of(BY_TIME.name, NOON.isoformat(), "coffee"),
    "no time": cursor_of(BY_TIME.name, "yesterday", IDENTITY),
    "a time without an offset": cursor_of(BY_TIME.name, "2026-07-01T12:00:00", IDENTITY),
    "a time before all times": cursor_of(BY_TIME.name, "0001-01-01T00:00:00+14:00", IDENTITY),
    "a time after all times": cursor_of(BY_TIME.name, "9999-12-31T23:59:59-14:00", IDENTITY),
    "a number for a time": cursor_of(BY_TIME.name, 17, IDENTITY),
    "another list": cursor_of("refunds:created_at:DESC", NOON.isoformat(), IDENTITY),
    "another order": BY_AMOUNT.place_of(a_payment()).cursor(BY_AMOUNT.name),
}
WRONG_AMOUNTS = [True, 1.5, "17", None, 2**63, -(2**64), [1]]
WRONG_STATUSES = ["SETTLED", "completed", 1, None, ["COMPLETED"]]


class TestCursor:
    @pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.name)
    def test_leads_back_to_its_place(self, order: PaymentOrder) -> None:
        place = order.place_of(a_payment(status=PaymentStatus.PROCESSING))

        assert order.place_at(place.cursor(order.name), argument="after") == place

    @pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.name)
    def test_is_refused_in_every_other_order(self, order: PaymentOrder) -> None:
        cursor = order.place_of(a_payment()).cursor(order.name)

        for other in ORDERS:
            if other != order:
                with pytest.raises(InvalidInput):
                    other.place_at(cursor, argument="after")

    @pytest.mark.parametrize("cursor", GARBAGE.values(), ids=GARBAGE.keys())
    def test_that_is_none_is_refused(self, cursor: str) -> None:
        with pytest.raises(InvalidInput) as refused:
            BY_TIME.place_at(cursor, argument="before")

        assert (refused.value.path, refused.value.constraint) == (("before",), "cursor")

    @pytest.mark.parametrize("value", WRONG_AMOUNTS)
    def test_with_a_wrong_amount_is_refused(self, value: object) -> None:
        with pytest.raises(InvalidInput):
            BY_AMOUNT.place_at(cursor_of(BY_AMOUNT.name, value, IDENTITY), argument="after")

    @pytest.mark.parametrize("value", WRONG_STATUSES)
    def test_with_a_wrong_status_is_refused(self, value: object) -> None:
        with pytest.raises(InvalidInput):
            BY_STATUS.place_at(cursor_of(BY_STATUS.name, value, IDENTITY), argument="after")

    def test_of_another_offset_is_the_same_instant(self) -> None:
        there = NOON.astimezone(timezone(timedelta(hours=9)))
        cursor = Place(value=there, id=UUID(int=7)).cursor(BY_TIME.name)

        place = BY_TIME.place_at(cursor, argument="after")

        assert place.value == NOON
        assert isinstance(place.value, datetime)
        assert place.value.tzinfo is UTC


class TestPage:
    ROWS = (1, 2, 3, 4)
    START = Place(value=0, id=UUID(int=0))

    @pytest.mark.parametrize(
        ("rows", "asked", "expected"),
        [
            (ROWS, Slice(limit=3), ([1, 2, 3], True, False)),
            (ROWS[:3], Slice(limit=3), ([1, 2, 3], False, False)),
            ((), Slice(limit=3), ([], False, False)),
            (ROWS, Slice(limit=3, start=START), ([1, 2, 3], True, True)),
            (ROWS, Slice(limit=3, is_backward=True), ([3, 2, 1], False, True)),
            (ROWS[:2], Slice(limit=3, start=START, is_backward=True), ([2, 1], True, False)),
        ],
    )
    def test_knows_what_lies_around_it(
        self, rows: tuple[int, ...], asked: Slice, expected: tuple[list[int], bool, bool]
    ) -> None:
        page = page_of(rows, asked)

        assert (page.items, page.has_next, page.has_previous) == expected

    def test_asks_for_one_more_row_than_it_shows(self) -> None:
        asked = Slice(limit=3, start=self.START, is_backward=True).one_more()

        assert (asked.limit, asked.start, asked.is_backward) == (4, self.START, True)


class TestPageSize:
    @pytest.mark.parametrize("size", [1, 20, LARGEST_PAGE])
    def test_within_bounds_is_itself(self, size: int) -> None:
        assert checked_size(size, argument="first") == size

    @pytest.mark.parametrize("size", [0, -1, LARGEST_PAGE + 1, 2**31])
    def test_out_of_bounds_is_refused(self, size: int) -> None:
        with pytest.raises(InvalidInput) as refused:
            checked_size(size, argument="last")

        assert refused.value.path == ("last",)
