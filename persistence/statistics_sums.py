"""
The sums that answer a question: stored blocks, corrected at the bounds, and deltas that are not folded yet.

It is one statement, so that no delta is missed or counted twice while it is folded. Each of its sources finds a slot
per row. They come as arrays, one row per source and group, since rows cost more than what is in them.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    String,
    Table,
    any_,
    bindparam,
    cast,
    func,
    literal,
    literal_column,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import Grouping

from domain.statistics.blocks import (
    DAY,
    EPOCH,
    GRAINS,
    HOUR,
    QUARTER,
    Correction,
    Cover,
    cover_of,
    minute_of,
    moment_at,
)
from domain.statistics.facts import Measure
from domain.statistics.metrics import StatsDimension
from domain.statistics.question import SumsFound, SumsWanted
from persistence.tables.base import INSTANT
from persistence.tables.statistics import BLOCKS, DELTAS, MEMBERS, QUARTERS

UNFOLDED, MAIN = 0, 1
"""The sources whose slots are parts; the slots of others, which go by their grain, are gaps of a correction."""
MOST_SHAPES: Final = 256
MOMENTS: Final = ARRAY(INSTANT)


async def found_sums(connection: AsyncConnection, wanted: SumsWanted) -> Sequence[SumsFound]:
    cover = cover_of([minute_of(bound) for bound in wanted.bounds], grain=HOUR if wanted.is_hourly else DAY)
    corrections = {each.grain: each for each in cover.corrections}
    statement = _statement(tuple(wanted.measures), wanted.dimension, wanted.currency is not None)
    found: dict[tuple[str, str], dict[Measure, list[int]]] = {}
    for source, member, currency, slots, *columns in await connection.execute(
        statement, _parameters(wanted, cover, corrections)
    ):
        group = found.setdefault((member, currency), _nothing(wanted))
        for measure, column in zip(wanted.measures, columns, strict=True):
            if source in corrections:
                _correct(group[measure], corrections[source], slots, column)
            else:
                _add(group[measure], slots, column)
    if not wanted.has_levels:
        for group in found.values():
            for column in group.values():
                column[0] = 0
    return [
        SumsFound(member=member, currency=currency, amounts=sums)
        for (member, currency), sums in found.items()
    ]


def _nothing(wanted: SumsWanted) -> dict[Measure, list[int]]:
    return {measure: [0] * len(wanted.bounds) for measure in wanted.measures}


def _add(amounts: list[int], parts: Sequence[int], column: Sequence[int]) -> None:
    for part, amount in zip(parts, column, strict=True):
        amounts[part] += amount


def _correct(amounts: list[int], correction: Correction, slots: Sequence[int], column: Sequence[int]) -> None:
    """What the part before a bound has more, the part after it has less."""
    last = len(amounts) - 1
    for slot, amount in zip(slots, column, strict=True):
        for bound, sign in correction.gaps[slot - 1]:
            amounts[bound] += sign * amount
            if bound < last:
                amounts[bound + 1] -= sign * amount


def _parameters(wanted: SumsWanted, cover: Cover, corrections: Mapping[int, Correction]) -> dict[str, Any]:
    """Without levels nobody asks what was before the first bound, and it is not read."""
    anchors = list(map(moment_at, cover.anchors))
    return {
        "livemode": wanted.livemode,
        "currency": wanted.currency,
        "bounds": list(wanted.bounds),
        "until": wanted.bounds[-1],
        "grain": cover.grain,
        "anchors": anchors,
        "first": EPOCH if wanted.has_levels else anchors[0],
        "last": anchors[-1],
        **{f"blocks_{grain}": [] for grain in GRAINS[1:]},
        **{f"gaps_{grain}": [] for grain in GRAINS[1:]},
        **{f"blocks_{grain}": list(map(moment_at, each.blocks)) for grain, each in corrections.items()},
        **{f"gaps_{grain}": each.gap_of for grain, each in corrections.items()},
    }


@lru_cache(MOST_SHAPES)
def _statement(
    measures: Sequence[Measure], dimension: StatsDimension | None, has_currency: bool
) -> Select[Any]:
    shape = Shape(measures, dimension, has_currency)
    sources = [shape.unfolded(), shape.main(), *map(shape.blocks, GRAINS[1:-1]), shape.quarters()]
    found = union_all(*sources).subquery("found")
    keys = (found.c.source, found.c.member, found.c.currency)
    return select(
        *keys, func.array_agg(found.c.slot), *(func.array_agg(found.c[name]) for name in measures)
    ).group_by(*keys)


class Shape:
    """What the statement depends on, but for its parameters."""

    def __init__(
        self, measures: Sequence[Measure], dimension: StatsDimension | None, has_currency: bool
    ) -> None:
        self._measures, self._dimension, self._has_currency = measures, dimension, has_currency

    def unfolded(self) -> Select[Any]:
        slot = func.width_bucket(DELTAS.c.at, bindparam("bounds", type_=MOMENTS))
        is_in_time = DELTAS.c.at < bindparam("until", type_=INSTANT)
        return self._sums(UNFOLDED, DELTAS, slot, is_in_time)

    def main(self) -> Select[Any]:
        slot = func.width_bucket(BLOCKS.c.at, bindparam("anchors", type_=MOMENTS))
        return self._sums(
            MAIN,
            BLOCKS,
            slot,
            self._is_asked(bindparam("grain", type_=Integer)),
            BLOCKS.c.at >= bindparam("first", type_=INSTANT),
            BLOCKS.c.at < bindparam("last", type_=INSTANT),
        )

    def blocks(self, grain: int) -> Select[Any]:
        return self._corrections(grain, BLOCKS, self._is_asked(literal(grain)))

    def quarters(self) -> Select[Any]:
        return self._corrections(QUARTER, QUARTERS)

    def _corrections(self, grain: int, table: Table, *conditions: ColumnElement[bool]) -> Select[Any]:
        blocks = bindparam(f"blocks_{grain}", type_=MOMENTS)
        place = func.width_bucket(table.c.at, blocks)
        gap = Grouping(bindparam(f"gaps_{grain}", type_=ARRAY(Integer)))[place]
        return self._sums(grain, table, gap, table.c.at == any_(blocks), *conditions)

    def _is_asked(self, grain: ColumnElement[int]) -> ColumnElement[bool]:
        wanted = self._dimension.value if self._dimension else ""
        return (BLOCKS.c.dimension == literal(wanted)) & (BLOCKS.c.grain == grain)

    def _sums(
        self, source: int, table: Table, slot: ColumnElement[int], *conditions: ColumnElement[bool]
    ) -> Select[Any]:
        sums = (func.coalesce(func.sum(table.c[name]), literal_column("0")) for name in self._measures)
        statement = (
            select(
                literal_column(str(source), Integer).label("source"),
                slot.label("slot"),
                self._member(table).label("member"),
                table.c.currency,
                *(
                    cast(each, BigInteger).label(name)
                    for each, name in zip(sums, self._measures, strict=True)
                ),
            )
            .where(table.c.livemode == bindparam("livemode"), *conditions)
            .group_by("slot", "member", table.c.currency)
        )
        if self._has_currency:
            return statement.where(table.c.currency == bindparam("currency", type_=String))
        return statement

    def _member(self, table: Table) -> ColumnElement[Any]:
        if table is BLOCKS:
            return BLOCKS.c.member
        return literal_column("''", String) if self._dimension is None else table.c[MEMBERS[self._dimension]]
