from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from domain.errors import InvalidInput
from domain.statistics.calendar import StatsInterval, bounds_between, zone_called

HOUR = timedelta(hours=1)


def cuts(zone: str, start: str, end: str, interval: StatsInterval, *, at_most: int = 1_000) -> list[str]:
    """As the clocks of the zone show them."""
    there = zone_called(zone)
    first, last = (
        datetime.fromisoformat(each).replace(tzinfo=there).astimezone(UTC) for each in (start, end)
    )
    found = bounds_between(first, last, interval, there, at_most=at_most)
    return [each.astimezone(there).strftime("%a %d %b %H:%M%z") for each in found]


def lengths(zone: str, start: str, end: str, interval: StatsInterval) -> list[float]:
    """In hours."""
    there = zone_called(zone)
    first, last = (
        datetime.fromisoformat(each).replace(tzinfo=there).astimezone(UTC) for each in (start, end)
    )
    found = bounds_between(first, last, interval, there, at_most=1_000)
    return [(after - before) / HOUR for before, after in pairwise(found)]


class TestDays:
    def test_have_23_or_25_hours_where_clocks_are_moved(self) -> None:
        spring = lengths("Europe/Berlin", "2026-03-28", "2026-03-31", StatsInterval.DAY)
        autumn = lengths("Europe/Berlin", "2026-10-24", "2026-10-27", StatsInterval.DAY)

        assert (spring, autumn) == ([24, 23, 24], [24, 25, 24])

    def test_begin_off_the_hour_of_utc_in_zones_with_half_and_quarter_hours(self) -> None:
        india = cuts("Asia/Kolkata", "2026-05-01T10:00", "2026-05-03T01:00", StatsInterval.DAY)
        nepal = cuts("Asia/Kathmandu", "2026-05-01T10:00", "2026-05-03T01:00", StatsInterval.DAY)

        assert india == [
            "Fri 01 May 10:00+0530", "Sat 02 May 00:00+0530", "Sun 03 May 00:00+0530", "Sun 03 May 01:00+0530",
        ]  # fmt: skip
        assert [each.replace("+0545", "+0530") for each in nepal] == india

    def test_begin_after_a_midnight_that_is_skipped(self) -> None:
        egypt = cuts("Africa/Cairo", "2026-04-23", "2026-04-25", StatsInterval.DAY)

        assert egypt == ["Thu 23 Apr 00:00+0200", "Fri 24 Apr 01:00+0300", "Sat 25 Apr 00:00+0300"]

    def test_begin_with_the_first_midnight_where_it_comes_twice(self) -> None:
        cuba = cuts("America/Havana", "2026-10-31", "2026-11-03", StatsInterval.DAY)

        assert cuba[1:3] == ["Sun 01 Nov 00:00-0400", "Mon 02 Nov 00:00-0500"]
        assert lengths("America/Havana", "2026-10-31", "2026-11-03", StatsInterval.DAY) == [24, 25, 24]

    def test_that_a_zone_skipped_are_no_buckets(self) -> None:
        samoa = cuts("Pacific/Apia", "2011-12-29", "2012-01-01", StatsInterval.DAY)

        assert samoa == [
            "Thu 29 Dec 00:00-1000", "Sat 31 Dec 00:00+1400", "Sun 01 Jan 00:00+1400",
        ]  # fmt: skip


class TestHours:
    def test_are_full_by_the_clocks_of_the_zone(self) -> None:
        assert cuts("Asia/Kolkata", "2026-05-01T10:15", "2026-05-01T12:30", StatsInterval.HOUR) == [
            "Fri 01 May 10:15+0530", "Fri 01 May 11:00+0530", "Fri 01 May 12:00+0530", "Fri 01 May 12:30+0530",
        ]  # fmt: skip

    def test_that_come_twice_are_two(self) -> None:
        autumn = cuts("Europe/Berlin", "2026-10-25T01:00", "2026-10-25T04:00", StatsInterval.HOUR)

        assert [each[11:] for each in autumn] == [
            "01:00+0200",
            "02:00+0200",
            "02:00+0100",
            "03:00+0100",
            "04:00+0100",
        ]

    def test_are_cut_where_clocks_are_moved_by_half_an_hour(self) -> None:
        autumn = cuts("Australia/Lord_Howe", "2026-04-05T00:00", "2026-04-05T03:00", StatsInterval.HOUR)

        assert [each[11:] for each in autumn] == [
            "00:00+1100",
            "01:00+1100",
            "01:30+1030",
            "02:00+1030",
            "03:00+1030",
        ]


class TestWeeksAndMonths:
    def test_begin_on_monday_and_on_the_first(self) -> None:
        weeks = cuts("Europe/Berlin", "2026-03-26", "2026-04-08", StatsInterval.WEEK)
        months = cuts("Europe/Berlin", "2026-01-31", "2026-04-01T12:00", StatsInterval.MONTH)

        assert [each[:10] for each in weeks] == ["Thu 26 Mar", "Mon 30 Mar", "Mon 06 Apr", "Wed 08 Apr"]
        assert [each[4:10] for each in months] == ["31 Jan", "01 Feb", "01 Mar", "01 Apr", "01 Apr"]


class TestBounds:
    def test_are_one_too_many_and_no_more_where_too_many_were_asked_for(self) -> None:
        found = cuts("UTC", "2026-01-01", "2036-01-01", StatsInterval.HOUR, at_most=10)

        assert len(found) == 12

    @pytest.mark.parametrize(
        "name", ["Mars/Olympus", "", "right/UTC", "../UTC", "europe/berlin", "x" * 5_000]
    )
    def test_refuse_what_is_no_time_zone(self, name: str) -> None:
        with pytest.raises(InvalidInput, match="time zone") as refused:
            zone_called(name)

        assert refused.value.path == ("timezone",)
