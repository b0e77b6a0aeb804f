"""
Which stored sums make up the parts of a span of time.

Sums are kept for blocks of several lengths, each of which begins at a multiple of its length. A part is made of the
long blocks that are nearest to it; what its bounds are off is made up for by shorter and shorter ones. Midnight in
Berlin is two hours before midnight in UTC, so two hours are taken from one day and given to the next; in Kolkata it
is six hours less two quarters. So a day costs a handful of look-ups, wherever it begins.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

DAY, HOUR, QUARTER = 24 * 60, 60, 15
GRAINS: Final = (DAY, 6 * HOUR, HOUR, QUARTER)
"""In minutes, the longest first. Every length is a multiple of the next."""
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Share(NamedTuple):
    """What happens before a bound belongs to it, more (1) or less (-1) by this block than it seemed so far."""

    bound: int
    sign: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """
    Blocks of one length, in minutes since the epoch and in order; each belongs to a gap, by its place from 1 on.

    A gap is what makes up for the difference at a bound, or at two that are very close.
    """

    grain: int
    blocks: Sequence[int]
    gap_of: Sequence[int]
    gaps: Sequence[Sequence[Share]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """Blocks of one length between `anchors`, one per bound, and the corrections by which bounds differ from them."""

    grain: int
    anchors: Sequence[int]
    corrections: Sequence[Correction]


def minute_of(moment: datetime) -> int:
    """Minutes since the epoch."""
    return (moment - EPOCH) // timedelta(minutes=1)


def moment_at(minute: int) -> datetime:
    return EPOCH + timedelta(minutes=minute)


def cover_of(bounds: Sequence[int], *, grain: int) -> Cover:
    """`bounds` are full quarters of an hour, in order; `grain` is how long the blocks are that parts are made of."""
    anchors = [_nearest(bound, grain, bound) for bound in bounds]
    corrections, reached = [], anchors
    for finer in GRAINS[GRAINS.index(grain) + 1 :]:
        closer = [_nearest(bound, finer, before) for bound, before in zip(bounds, reached, strict=True)]
        corrections.append(_correction(finer, reached, closer))
        reached = closer
    return Cover(grain=grain, anchors=anchors, corrections=corrections)


def _correction(grain: int, reached: Sequence[int], closer: Sequence[int]) -> Correction:
    shares: dict[int, tuple[Share, ...]] = {}
    for bound, (start, end) in enumerate(zip(reached, closer, strict=True)):
        share = Share(bound, 1 if start < end else -1)
        for block in range(min(start, end), max(start, end), grain):
            shares[block] = (*shares.get(block, ()), share)
    blocks = sorted(shares)
    gaps = list(dict.fromkeys(shares[block] for block in blocks))
    place = {gap: at for at, gap in enumerate(gaps, start=1)}
    return Correction(
        grain=grain, blocks=blocks, gap_of=[place[shares[block]] for block in blocks], gaps=gaps
    )


def _nearest(minute: int, grain: int, reached: int) -> int:
    """The multiple of the grain that is nearest to the minute; of two, the one that is nearer to what was reached."""
    rest = minute % grain
    goes_back = 2 * rest < grain or (2 * rest == grain and reached <= minute)
    return minute - rest if goes_back else minute - rest + grain
