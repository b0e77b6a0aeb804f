"""Statistics: deltas that are appended, the sums into which they are folded, and answers made of both."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Interval,
    Select,
    String,
    Table,
    bindparam,
    cast,
    delete,
    func,
    literal,
    literal_column,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.statistics.blocks import EPOCH, GRAINS, minute_of, moment_at, ranges_of
from domain.statistics.blocks import QUARTERS as QUARTER
from domain.statistics.facts import Delta, Measure
from domain.statistics.metrics import StatsDimension
from domain.statistics.question import SumsFound, SumsWanted
from persistence.tables.base import INSTANT
from persistence.tables.statistics import BLOCKS, DELTAS, MEASURES, QUARTERS, TRAITS

ONE_FOLDER: Final = func.hashtext("payments-gateway statistics")
"""Held until the transaction ends by whoever changes the stored sums."""
KEYS: Final = ("at", "livemode", "currency", *TRAITS)
COLUMNS: Final = (*KEYS, *MEASURES)
LONG_GRAINS: Final = GRAINS[:-1]
MEMBERS: Final[Mapping[StatsDimension, str]] = {
    StatsDimension.PLAN: "plan",
    StatsDimension.BRAND: "brand",
    StatsDimension.COUNTRY: "country",
    StatsDimension.DECLINE_CATEGORY: "decline_category",
    StatsDimension.TRIGGER: "trigger",
}
"""By which trait each dimension goes."""
MOST_SHAPES: Final = 256
# Written out, since two parameters of one value are not one expression to GROUP BY.
ZERO: Final = literal_column("0", BigInteger)
NOTHING: Final = literal_column("''", String)
A_MINUTE: Final = literal_column("INTERVAL '1 minute'", Interval)
THE_EPOCH: Final = literal_column(f"TIMESTAMPTZ '{EPOCH.isoformat()}'", INSTANT)


class StatisticsRepository:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def append(self, deltas: Sequence[Delta]) -> None:
        """In the transaction of the change that they tell."""
        if deltas:
            await self._connection.execute(APPEND, _columns(deltas))

    async def sums(self, wanted: SumsWanted) -> Sequence[SumsFound]:
        statement = _sums(tuple(wanted.measures), wanted.dimension, wanted.currency is not None)
        result = await self._connection.execute(statement, _parameters(wanted))
        return [
            SumsFound(part=part, member=member, currency=currency, amounts=amounts)
            for part, member, currency, *amounts in result
        ]

    async def fold(self, *, limit: int) -> int:
        """Move at most so many deltas into the stored sums. How many; none while somebody else does."""
        if not await self._connection.scalar(select(func.pg_try_advisory_xact_lock(ONE_FOLDER))):
            return 0
        return await self._connection.scalar(FOLD, {"limit": limit}) or 0

    async def clear(self) -> None:
        """Forget every delta and all stored sums."""
        for table in (DELTAS, QUARTERS, BLOCKS):
            await self._connection.execute(delete(table))

    async def add(self, deltas: Sequence[Delta]) -> None:
        """Straight to the stored sums of quarters of an hour; `summarise` must follow the last ones."""
        if deltas:
            await self._connection.execute(ADD, _columns(deltas))

    async def summarise(self) -> None:
        """Make the sums of longer blocks out of those of quarters."""
        await self._connection.execute(delete(BLOCKS))
        await self._connection.execute(SUMMARISE)


def _columns(deltas: Sequence[Delta]) -> dict[str, list[Any]]:
    """As one array per column, so that one statement serves every number of deltas."""
    rows = [_row(delta) for delta in deltas]
    return {name: [row[name] for row in rows] for name in COLUMNS}


def _row(delta: Delta) -> dict[str, Any]:
    traits = delta.traits
    return {
        "at": delta.at,
        "livemode": traits.livemode,
        "currency": traits.currency,
        "plan": str(traits.plan_id or ""),
        **{name: getattr(traits, name) or "" for name in TRAITS if name != "plan"},
        **{measure: delta.amounts.get(measure) for measure in Measure},
    }


def _given() -> FromClause:
    """The parameters that `_columns` makes, as a table."""
    arrays = (bindparam(name, type_=ARRAY(DELTAS.c[name].type)) for name in COLUMNS)
    return func.unnest(*arrays).table_valued(*(DELTAS.c[name]._copy() for name in COLUMNS)).render_derived()


def _sum(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Zero is null."""
    return cast(func.nullif(func.sum(column), ZERO), BigInteger)


def _added(table: Table, names: Sequence[str], rows: Select[Any]) -> Any:
    """Rows of sums on top of those that are there."""
    keys = [name for name in names if name not in MEASURES]
    addition = insert(table).from_select(names, rows)
    return addition.on_conflict_do_update(
        index_elements=keys,
        set_={
            name: func.nullif(
                func.coalesce(table.c[name], ZERO) + func.coalesce(addition.excluded[name], ZERO), ZERO
            )
            for name in MEASURES
        },
    )


def _per_quarter(source: FromClause) -> Select[Any]:
    keys = [source.c[name] for name in KEYS]
    return select(*keys, *(_sum(source.c[name]) for name in MEASURES)).group_by(*keys)


def _per_block(source: FromClause) -> Select[Any]:
    """For each grain and each dimension."""
    traits: Iterable[tuple[str, ColumnElement[Any]]] = [
        ("", NOTHING),
        *((dimension.value, source.c[name]) for dimension, name in MEMBERS.items()),
    ]
    measured = [source.c[name] for name in MEASURES]
    rows = union_all(
        *(
            select(
                literal_column(f"'{dimension}'", String).label("dimension"),
                source.c.livemode,
                source.c.at,
                member.label("member"),
                source.c.currency,
                *measured,
            )
            for dimension, member in traits
        )
    ).subquery("rows")
    grains = func.unnest(literal(LONG_GRAINS, ARRAY(Integer))).table_valued("grain").render_derived()
    at = func.date_bin(grains.c.grain * A_MINUTE, rows.c.at, THE_EPOCH)
    keys = [rows.c.dimension, rows.c.livemode, grains.c.grain, at.label("at"), rows.c.member, rows.c.currency]
    sums = (_sum(rows.c[name]) for name in MEASURES)
    return select(*keys, *sums).select_from(rows.join(grains, true())).group_by(*keys)


BLOCK_COLUMNS: Final = tuple(column.name for column in BLOCKS.columns)
APPEND: Final = insert(DELTAS).from_select(COLUMNS, select(_given()))
ADD: Final = _added(QUARTERS, COLUMNS, select(_given()))
SUMMARISE: Final = insert(BLOCKS).from_select(BLOCK_COLUMNS, _per_block(QUARTERS))


def _fold() -> Select[Any]:
    """One statement, so that a delta is either waiting or in all sums, for everybody who looks."""
    oldest = select(DELTAS.c.id).order_by(DELTAS.c.id).limit(bindparam("limit", type_=Integer))
    taken = delete(DELTAS).where(DELTAS.c.id.in_(oldest)).returning(*DELTAS.columns).cte("taken")
    quarters = _added(QUARTERS, COLUMNS, _per_quarter(taken)).cte("quarters")
    blocks = _added(BLOCKS, BLOCK_COLUMNS, _per_block(taken)).cte("blocks")
    return select(func.count()).select_from(taken).add_cte(quarters, blocks)


FOLD: Final = _fold()


@lru_cache(MOST_SHAPES)
def _sums(measures: Sequence[Measure], dimension: StatsDimension | None, has_currency: bool) -> Select[Any]:
    parts = union_all(
        *(
            rows.where(source.c.currency == bindparam("currency", type_=String)) if has_currency else rows
            for rows, source in (
                (_of_blocks(measures, dimension), BLOCKS),
                (_of_quarters(measures, dimension), QUARTERS),
                (_of_deltas(measures, dimension), DELTAS),
            )
        )
    ).subquery("parts")
    keys = (parts.c.part, parts.c.member, parts.c.currency)
    sums = (cast(func.coalesce(func.sum(parts.c[name]), ZERO), BigInteger) for name in measures)
    return select(*keys, *sums).group_by(*keys)


def _of_blocks(measures: Sequence[Measure], dimension: StatsDimension | None) -> Select[Any]:
    ranges = _ranges("block", "part", "sign", "start", "end", "grain")
    return select(
        ranges.c.part,
        BLOCKS.c.member,
        BLOCKS.c.currency,
        *((ranges.c.sign * BLOCKS.c[name]).label(name) for name in measures),
    ).where(
        BLOCKS.c.dimension == literal(dimension.value if dimension else ""),
        BLOCKS.c.livemode == bindparam("livemode"),
        BLOCKS.c.grain == ranges.c.grain,
        BLOCKS.c.at >= ranges.c.start,
        BLOCKS.c.at < ranges.c.end,
    )


def _of_quarters(measures: Sequence[Measure], dimension: StatsDimension | None) -> Select[Any]:
    ranges = _ranges("quarter", "part", "sign", "start", "end")
    return select(
        ranges.c.part,
        _member(QUARTERS, dimension),
        QUARTERS.c.currency,
        *((ranges.c.sign * QUARTERS.c[name]).label(name) for name in measures),
    ).where(
        QUARTERS.c.livemode == bindparam("livemode"),
        QUARTERS.c.at >= ranges.c.start,
        QUARTERS.c.at < ranges.c.end,
    )


def _of_deltas(measures: Sequence[Measure], dimension: StatsDimension | None) -> Select[Any]:
    bounds = bindparam("bounds", type_=ARRAY(INSTANT))
    return select(
        func.width_bucket(DELTAS.c.at, bounds).label("part"),
        _member(DELTAS, dimension),
        DELTAS.c.currency,
        *(DELTAS.c[name] for name in measures),
    ).where(DELTAS.c.livemode == bindparam("livemode"), DELTAS.c.at < bindparam("until", type_=INSTANT))


def _member(table: Table, dimension: StatsDimension | None) -> ColumnElement[Any]:
    member = NOTHING if dimension is None else table.c[MEMBERS[dimension]]
    return member.label("member")


def _ranges(kind: str, *names: str) -> FromClause:
    """Parameters named `kind_name`, as a table."""
    types = {"start": INSTANT, "end": INSTANT}
    arrays = (bindparam(f"{kind}_{name}", type_=ARRAY(types.get(name, Integer))) for name in names)
    return func.unnest(*arrays).table_valued(*names, name=f"{kind}_ranges").render_derived()


def _parameters(wanted: SumsWanted) -> dict[str, Any]:
    """Part 0 is all that was before the first bound."""
    cuts = [0, *map(minute_of, wanted.bounds)]
    found = [
        (part, each) for part, (start, end) in enumerate(pairwise(cuts)) for each in ranges_of(start, end)
    ]
    blocks = [(part, each) for part, each in found if each.grain != QUARTER]
    quarters = [(part, each) for part, each in found if each.grain == QUARTER]
    return {
        "livemode": wanted.livemode,
        "currency": wanted.currency,
        "bounds": list(wanted.bounds),
        "until": wanted.bounds[-1],
        "block_grain": [each.grain for _, each in blocks],
        **_arrays("block", blocks),
        **_arrays("quarter", quarters),
    }


def _arrays(kind: str, ranges: Sequence[Any]) -> dict[str, Any]:
    return {
        f"{kind}_part": [part for part, _ in ranges],
        f"{kind}_sign": [each.sign for _, each in ranges],
        f"{kind}_start": [moment_at(each.start) for _, each in ranges],
        f"{kind}_end": [moment_at(each.end) for _, each in ranges],
    }
