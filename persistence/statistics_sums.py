"""
The sums that answer a question: stored blocks, corrected at the bounds, and deltas that are not folded yet.

It is one statement, so that no delta is missed or counted twice while it is folded. Each of its sources finds a slot
per row. They come as arrays, one row per source and group, since rows cost more than what is in them. Moments go
there as minutes, since an array of times takes asyncpg longer than PostgreSQL needs to find what lies there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from operator import add, sub
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Double,
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
from sqlalchemy.dialects.postgresql import aggregate_order_by
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
MINUTES: Final = ARRAY(Integer)
MOMENTS: Final = ARRAY(INSTANT)
A_MINUTE: Final = literal_column("CAST(60 AS DOUBLE PRECISION)", Double)
"""In seconds."""
NOTHING: Final = literal_column("0", BigInteger)


async def found_sums(connection: AsyncConnection, wanted: SumsWanted) -> Sequence[SumsFound]:
    bounds = [minute_of(bound) for bound in wanted.bounds]
    cover = cover_of(bounds, grain=HOUR if wanted.is_hourly else DAY)
    statement = _statement(
        tuple(wanted.measures), wanted.dimension, wanted.currency is not None, _is_plain(wanted, cover)
    )
    rows = await connection.execute(statement, _parameters(wanted, bounds, cover))
    corrections = {each.grain: each for each in cover.corrections}
    found: dict[tuple[str, str], dict[Measure, Sums]] = {}
    for source, member, currency, slots, *columns in rows:
        group = found.setdefault(
            (member, currency), {measure: Sums(len(bounds)) for measure in wanted.measures}
        )
        for measure, column in zip(wanted.measures, columns, strict=True):
            if source in corrections:
                group[measure].correct(corrections[source], slots, column)
            else:
                group[measure].add(slots, column)
    return [
        SumsFound(
            member=member,
            currency=currency,
            amounts={measure: sums.amounts(wanted) for measure, sums in group.items()},
        )
        for (member, currency), group in found.items()
    ]


def _is_plain(wanted: SumsWanted, cover: Cover) -> bool:
    """Whether no part has more than one block, so that nothing is to be summed up before it is told."""
    return not wanted.has_levels and all(end - start <= cover.grain for start, end in pairwise(cover.anchors))


class Sums:
    """One measure of one group: by part, and what each bound moves from the part after it to the one before."""

    def __init__(self, parts: int) -> None:
        self._parts, self._moved = [0] * parts, [0] * parts

    def add(self, parts: Sequence[int], column: Sequence[int]) -> None:
        for part, amount in zip(parts, column, strict=True):
            self._parts[part] += amount

    def correct(self, correction: Correction, slots: Sequence[int], column: Sequence[int]) -> None:
        gaps = [0] * (len(correction.gaps) + 1)
        for slot, amount in zip(slots, column, strict=True):
            gaps[slot] += amount
        for shares, amount in zip(correction.gaps, gaps[1:], strict=True):
            for bound, sign in shares:
                self._moved[bound] += sign * amount

    def amounts(self, wanted: SumsWanted) -> Sequence[int]:
        """Without levels nobody asks what was before the first bound, and it was not read."""
        before, *parts = map(add, self._parts, self._moved)
        return [before if wanted.has_levels else 0, *map(sub, parts, self._moved)]


def _parameters(wanted: SumsWanted, bounds: Sequence[int], cover: Cover) -> dict[str, Any]:
    """Without levels nobody asks what was before the first bound, and it is not read."""
    return {
        "livemode": wanted.livemode,
        "currency": wanted.currency,
        "bounds": bounds,
        "until": wanted.bounds[-1],
        "grain": cover.grain,
        "anchors": cover.anchors,
        "first": EPOCH if wanted.has_levels else moment_at(cover.anchors[0]),
        "last": moment_at(cover.anchors[-1]),
        **{f"blocks_{grain}": [] for grain in GRAINS[1:]},
        **{f"gaps_{grain}": [] for grain in GRAINS[1:]},
        **{f"blocks_{each.grain}": each.blocks for each in cover.corrections},
        **{f"gaps_{each.grain}": each.gap_of for each in cover.corrections},
    }


@lru_cache(MOST_SHAPES)
def _statement(
    measures: Sequence[Measure], dimension: StatsDimension | None, has_currency: bool, is_plain: bool
) -> Select[Any]:
    shape = Shape(measures=measures, dimension=dimension, has_currency=has_currency)
    main = _plain(MAIN, shape.main()) if is_plain else _summed(MAIN, shape.main())
    sources = [
        _summed(UNFOLDED, shape.unfolded()),
        main,
        *(_plain(grain, shape.blocks(grain)) for grain in GRAINS[1:-1]),
        _summed(QUARTER, shape.quarters()),
    ]
    source, slot, member, currency, *amounts = union_all(*sources).subquery("found").c
    keys = (source, member, currency)
    return select(*keys, *(func.array_agg(each) for each in (slot, *amounts))).group_by(*keys)


def _plain(source: int, rows: Select[Any]) -> Select[Any]:
    return select(literal_column(str(source)).label("source"), rows.subquery())


def _summed(source: int, rows: Select[Any]) -> Select[Any]:
    slot, member, currency, *measures = rows.subquery().c
    return select(
        literal_column(str(source)).label("source"),
        slot,
        member,
        currency,
        *(cast(func.sum(measure), BigInteger) for measure in measures),
    ).group_by(slot, member, currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What the statement depends on, but for its parameters: rows of slots, members, currencies and measures."""

    measures: Sequence[Measure]
    dimension: StatsDimension | None
    has_currency: bool

    def unfolded(self) -> Select[Any]:
        slot = func.width_bucket(DELTAS.c.at, _moments("bounds"))
        return self._rows(DELTAS, slot, DELTAS.c.at < bindparam("until", type_=INSTANT))

    def main(self) -> Select[Any]:
        return self._rows(
            BLOCKS,
            func.width_bucket(BLOCKS.c.at, _moments("anchors")),
            self._is_asked(bindparam("grain", type_=Integer)),
            BLOCKS.c.at >= bindparam("first", type_=INSTANT),
            BLOCKS.c.at < bindparam("last", type_=INSTANT),
        )

    def blocks(self, grain: int) -> Select[Any]:
        """A handful per bound, so that nothing is gained by summing them up before they are told."""
        return self._named(BLOCKS, grain, self._is_asked(literal(grain)))

    def quarters(self) -> Select[Any]:
        return self._named(QUARTERS, QUARTER)

    def _named(self, table: Table, grain: int, *conditions: ColumnElement[bool]) -> Select[Any]:
        moments = _moments(f"blocks_{grain}")
        place = func.width_bucket(table.c.at, moments)
        gap = Grouping(bindparam(f"gaps_{grain}", type_=MINUTES))[place]
        return self._rows(table, gap, table.c.at == any_(moments), *conditions)

    def _is_asked(self, grain: ColumnElement[int]) -> ColumnElement[bool]:
        wanted = self.dimension.value if self.dimension else ""
        return (BLOCKS.c.dimension == literal(wanted)) & (BLOCKS.c.grain == grain)

    def _rows(self, table: Table, slot: ColumnElement[int], *conditions: ColumnElement[bool]) -> Select[Any]:
        statement = select(
            slot.label("slot"),
            self._member(table).label("member"),
            table.c.currency,
            *(func.coalesce(table.c[name], NOTHING).label(name) for name in self.measures),
        ).where(table.c.livemode == bindparam("livemode"), *conditions)
        if self.has_currency:
            return statement.where(table.c.currency == bindparam("currency", type_=String))
        return statement

    def _member(self, table: Table) -> ColumnElement[Any]:
        if table is BLOCKS:
            return BLOCKS.c.member
        return literal_column("''", String) if self.dimension is None else table.c[MEMBERS[self.dimension]]


def _moments(name: str) -> ColumnElement[Any]:
    """
    The parameter's minutes as an array of times, in order.

    Made by a subquery, whose length PostgreSQL does not see: for very many it would rather read a whole table.
    """
    minute = func.unnest(bindparam(name, type_=MINUTES)).column_valued("minute")
    moments = select(func.array_agg(aggregate_order_by(_moment(minute), minute)))
    return cast(moments.scalar_subquery(), MOMENTS)


def _moment(minute: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.to_timestamp(minute * A_MINUTE)
