from datetime import UTC, datetime

import pytest

from sandbox.billing.lines import share
from sandbox.billing.periods import boundary, cycle_start, next_boundary

MONTHLY = {"interval": "month", "interval_count": 1}
YEARLY = {"interval": "year", "interval_count": 1}
QUARTERLY = {"interval": "month", "interval_count": 3}
FORTNIGHTLY = {"interval": "week", "interval_count": 2}


def moment(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def day(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")


class TestBoundary:
    def test_the_end_of_a_month_comes_back_to_its_day(self) -> None:
        anchor = moment("2026-01-31T10:30:00")

        found = [day(boundary(anchor, MONTHLY, number)) for number in range(5)]

        assert found == ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]

    def test_a_leap_day_is_billed_on_the_28th_of_other_years(self) -> None:
        anchor = moment("2028-02-29T00:00:00")

        assert [day(boundary(anchor, YEARLY, number)) for number in (1, 4)] == ["2029-02-28", "2032-02-29"]

    @pytest.mark.parametrize(
        ("interval", "expected"),
        [(QUARTERLY, "2025-10-31"), (YEARLY, "2025-01-31"), (FORTNIGHTLY, "2026-01-17")],
    )
    def test_can_lie_before_the_anchor(self, interval: dict[str, object], expected: str) -> None:
        assert day(boundary(moment("2026-01-31T00:00:00"), interval, -1)) == expected


class TestNextBoundary:
    @pytest.mark.parametrize(
        ("after", "expected"),
        [
            ("2026-01-31T00:00:00", "2026-02-28"),
            ("2026-02-27T23:59:59", "2026-02-28"),
            ("2026-02-28T00:00:00", "2026-03-31"),
            ("2030-06-29T00:00:00", "2030-06-30"),
            ("2026-01-30T23:59:59", "2026-01-31"),
            ("2025-11-30T00:00:00", "2025-12-31"),
        ],
    )
    def test_is_the_first_one_later(self, after: str, expected: str) -> None:
        anchor = moment("2026-01-31T00:00:00")

        assert day(next_boundary(anchor, MONTHLY, moment(after))) == expected

    def test_follows_its_predecessor_for_decades_without_a_gap(self) -> None:
        anchor = at = moment("2024-08-31T12:00:00")

        for number in range(1, 500):
            at = next_boundary(anchor, MONTHLY, at)
            assert at == boundary(anchor, MONTHLY, number)


class TestCycleStart:
    def test_is_one_interval_before_an_end(self) -> None:
        anchor = moment("2026-01-31T00:00:00")

        assert day(cycle_start(anchor, MONTHLY, moment("2026-03-31T00:00:00"))) == "2026-02-28"
        assert day(cycle_start(anchor, MONTHLY, anchor)) == "2025-12-31"


class TestShare:
    @pytest.mark.parametrize(
        ("amount", "part", "whole", "expected"),
        [
            (1000, 1, 3, 333),
            (1000, 2, 3, 667),
            (5, 1, 2, 3),
            (-5, 1, 2, -3),
            (1500, 0, 30, 0),
            (7, 30, 30, 7),
        ],
    )
    def test_is_rounded_half_away_from_zero(self, amount: int, part: int, whole: int, expected: int) -> None:
        assert share(amount, part, whole) == expected
