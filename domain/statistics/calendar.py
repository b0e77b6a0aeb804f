"""
Spans of time in a time zone: hours, days, weeks from Monday and months, as people there know them.

A day on which clocks are moved has 23 or 25 hours. Where midnight falls into the gap a day begins with the first
moment after it, and where midnight comes twice, with the first of both.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum
from functools import cache
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from domain.errors import InvalidInput
from domain.statistics.facts import quarter_of

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)


class StatsInterval(StrEnum):
    HOUR = "HOUR"
    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"


def zone_called(name: str) -> ZoneInfo:
    """Raises InvalidInput for what is no name of the IANA database."""
    if name not in _known_zones():
        raise InvalidInput(
            "This time zone is unknown: name one of the IANA database, such as Europe/Berlin.",
            path=("timezone",),
            constraint="timezone",
        )
    return ZoneInfo(name)


def bounds_between(
    start: datetime, end: datetime, interval: StatsInterval | None, zone: tzinfo, *, at_most: int
) -> Sequence[datetime]:
    """
    Where the span is cut, in UTC: its start, every beginning of an hour, day, week or month in it, and its end.

    At most `at_most` + 2 of them, which is one too many for `at_most` parts.
    """
    inner = () if interval is None else _beginnings(interval, start, zone)
    found = list(islice((moment for moment in _before(inner, end) if moment > start), at_most))
    return [start, *found, end]


def _before(moments: Iterator[datetime] | tuple[()], end: datetime) -> Iterator[datetime]:
    for moment in moments:
        if moment >= end:
            return
        yield moment


def _beginnings(interval: StatsInterval, start: datetime, zone: tzinfo) -> Iterator[datetime]:
    if interval is StatsInterval.HOUR:
        return _hours(start, zone)
    return _dates(_FIRST[interval](start.astimezone(zone).date()), _NEXT[interval], zone)


def _hours(start: datetime, zone: tzinfo) -> Iterator[datetime]:
    """Full hours of the zone's clocks; one in which they are moved by half an hour is cut there."""
    moment = start
    while True:
        yield moment
        clock = moment.astimezone(zone)
        moment += HOUR - timedelta(minutes=clock.minute)


def _dates(first: date, following: Callable[[date], date], zone: tzinfo) -> Iterator[datetime]:
    """A day that a zone skipped begins and ends at one moment, which is told once."""
    day, last = first, None
    while True:
        moment = quarter_of(datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC))
        if moment != last:
            yield moment
        day, last = following(day), moment


def _monday(day: date) -> date:
    return day - DAY * day.weekday()


def _next_month(day: date) -> date:
    return (day.replace(day=1) + 31 * DAY).replace(day=1)


_FIRST: Final[Mapping[StatsInterval, Callable[[date], date]]] = {
    StatsInterval.DAY: lambda day: day,
    StatsInterval.WEEK: _monday,
    StatsInterval.MONTH: lambda day: day.replace(day=1),
}
_NEXT: Final[Mapping[StatsInterval, Callable[[date], date]]] = {
    StatsInterval.DAY: lambda day: day + DAY,
    StatsInterval.WEEK: lambda day: day + 7 * DAY,
    StatsInterval.MONTH: _next_month,
}


@cache
def _known_zones() -> frozenset[str]:
    return frozenset(available_timezones())
