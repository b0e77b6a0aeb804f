"""
Billing periods: where they begin and end (https://docs.stripe.com/billing/subscriptions/billing-cycle).

All boundaries lie a whole number of intervals from the anchor, so an anchor on 31 January bills on
28 February and then on 31 March. Moments are seconds since the epoch, and days are those of UTC.
"""

from calendar import monthrange
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

Interval = Mapping[str, Any]

DAY = 86_400
SECONDS = {"day": DAY, "week": 7 * DAY}
MONTHS = {"month": 1, "year": 12}
LONGEST_MONTH = 31 * DAY
SHORTEST_MONTH = 28 * DAY
TRIAL_NOTICE = 3 * DAY
# How long a first invoice, or one that a change waits for, may stay unpaid.
INCOMPLETE_LASTS = 23 * 3_600


def boundary(anchor: int, interval: Interval, number: int) -> int:
    """The anchor moved by so many intervals, backwards if the number is negative."""
    unit: str = interval["interval"]
    count: int = interval["interval_count"] * number
    if unit in SECONDS:
        return anchor + count * SECONDS[unit]
    return _months_later(anchor, count * MONTHS[unit])


def next_boundary(anchor: int, interval: Interval, after: int) -> int:
    """The first boundary later than a moment."""
    return boundary(anchor, interval, _number_after(anchor, interval, after))


def cycle_start(anchor: int, interval: Interval, end: int) -> int:
    """Where the full period that ends on this boundary begins, also if it was entered later."""
    return boundary(anchor, interval, _number_after(anchor, interval, end - 1) - 1)


def is_same(one: Interval, other: Interval) -> bool:
    return (one["interval"], one["interval_count"]) == (other["interval"], other["interval_count"])


def _number_after(anchor: int, interval: Interval, moment: int) -> int:
    unit: str = interval["interval"]
    count: int = interval["interval_count"]
    month = LONGEST_MONTH if moment >= anchor else SHORTEST_MONTH
    length = count * (SECONDS[unit] if unit in SECONDS else MONTHS[unit] * month)
    # Counted with the length that cannot overshoot, and then walked up to the exact one.
    number = (moment - anchor) // length - 1
    while boundary(anchor, interval, number) <= moment:
        number += 1
    return number


def _months_later(anchor: int, months: int) -> int:
    start = datetime.fromtimestamp(anchor, UTC)
    years, month = divmod(start.month - 1 + months, 12)
    year = start.year + years
    day = min(start.day, monthrange(year, month + 1)[1])
    return int(start.replace(year=year, month=month + 1, day=day).timestamp())
