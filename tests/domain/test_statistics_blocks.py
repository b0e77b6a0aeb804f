from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.statistics.blocks import DAY, GRAINS, HOUR, QUARTER, Cover, cover_of

DAYS = 40


def value_of(quarter: int) -> int:
    """What happened in that quarter of an hour: never the same as in another."""
    return 1 + quarter * quarter


def value_between(start: int, end: int) -> int:
    return sum(map(value_of, range(start, end, QUARTER)))


def parts_of(cover: Cover) -> list[int]:
    """The sums per part, made of blocks alone."""
    parts = [value_between(start, end) for start, end in pairwise([0, *cover.anchors])]
    for correction in cover.corrections:
        for block, gap in zip(correction.blocks, correction.gap_of, strict=True):
            for bound, sign in correction.gaps[gap - 1]:
                amount = sign * value_between(block, block + correction.grain)
                parts[bound] += amount
                if bound + 1 < len(parts):
                    parts[bound + 1] -= amount
    return parts


def number_of_blocks(cover: Cover) -> int:
    return sum(len(correction.blocks) for correction in cover.corrections)


class TestCover:
    @given(
        st.lists(st.integers(0, DAYS * DAY // QUARTER), min_size=2, max_size=12, unique=True).map(sorted),
        st.sampled_from([DAY, HOUR]),
    )
    def test_gives_what_happened_between_any_bounds(self, quarters: list[int], grain: int) -> None:
        bounds = [quarter * QUARTER for quarter in quarters]

        cover = cover_of(bounds, grain=grain)

        assert parts_of(cover) == [value_between(start, end) for start, end in pairwise([0, *bounds])]
        assert all(anchor % grain == 0 for anchor in cover.anchors)
        assert all(
            block % correction.grain == 0 for correction in cover.corrections for block in correction.blocks
        )

    @pytest.mark.parametrize(
        ("offset", "blocks"),
        [
            (0, 0),
            (-2 * HOUR, 2),
            (-(5 * HOUR + 30), 3),
            (-(5 * HOUR + 45), 2),
            (12 * HOUR, 2),
            (13 * HOUR, 3),
        ],
    )
    def test_of_days_takes_few_corrections_per_day_in_every_time_zone(self, offset: int, blocks: int) -> None:
        bounds = [DAY * day + offset for day in range(1, 101)]

        cover = cover_of(bounds, grain=DAY)

        assert number_of_blocks(cover) == 100 * blocks

    def test_goes_from_long_blocks_to_short_ones(self) -> None:
        assert all(longer % shorter == 0 for longer, shorter in pairwise(GRAINS))
