"""
Which stored sums make up a span of time.

Sums are kept for blocks of several lengths, each of which begins at a multiple of its length. A day in Berlin is the
UTC day, with two hours before it and without its last two; a day in Kolkata takes six hours and two quarters to be
moved. So a day costs a handful of ranges to look up, wherever it begins.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

QUARTERS: Final = 15
GRAINS: Final = (30 * 24 * 60, 24 * 60, 6 * 60, 60, QUARTERS)
"""In minutes, the longest first. Every length is a multiple of the next."""
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Range(NamedTuple):
    """Neighbouring blocks of one length, in minutes since the epoch; `sign` is -1 where they are taken away."""

    grain: int
    start: int
    end: int
    sign: int = 1

    @property
    def reversed(self) -> "Range":
        return self._replace(sign=-self.sign)

    @property
    def blocks(self) -> int:
        return (self.end - self.start) // self.grain


def minute_of(moment: datetime) -> int:
    """Minutes since the epoch."""
    return (moment - EPOCH) // timedelta(minutes=1)


def moment_at(minute: int) -> datetime:
    return EPOCH + timedelta(minutes=minute)


def ranges_of(start: int, end: int, grains: Sequence[int] = GRAINS) -> Sequence[Range]:
    """The ranges whose sums make up those of the span. Both ends are full quarters of an hour."""
    grain, finer = grains[0], grains[1:]
    if not finer:
        return [Range(grain, start, end)] if start < end else []
    first, last = _nearest(start, grain), _nearest(end, grain)
    if first >= last:
        return ranges_of(start, end, finer)
    around = [*_gap(start, first, finer), Range(grain, first, last), *_gap(last, end, finer)]
    if end - start >= grain:
        return around
    return min(around, ranges_of(start, end, finer), key=_cost)


def _gap(start: int, end: int, grains: Sequence[int]) -> Sequence[Range]:
    """Between two moments of which the second may come first; then it is taken away."""
    if start <= end:
        return ranges_of(start, end, grains)
    return [each.reversed for each in ranges_of(end, start, grains)]


def _nearest(minute: int, grain: int) -> int:
    return (minute + grain // 2) // grain * grain


def _cost(ranges: Sequence[Range]) -> int:
    return sum(each.blocks for each in ranges)
