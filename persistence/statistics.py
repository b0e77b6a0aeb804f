"""Statistics: deltas that are appended, the sums into which they are folded, and answers made of both."""

from collections.abc import Iterable, Sequence
from functools import cache
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
    text,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.statistics.blocks import EPOCH, GRAINS
from domain.statistics.facts import Delta, Measure
from domain.statistics.question import SumsFound, SumsWanted
from persistence.statistics_sums import found_sums
from persistence.tables.base import INSTANT
from persistence.tables.statistics import BLOCKS, DELTAS, MEASURES, MEMBERS, QUARTERS, TRAITS
from persistence.writing import write_later

ONE_FOLDER: Final = func.hashtext("payments-gateway statistics")
"""Held until the transaction ends by whoever changes the stored sums."""
KEYS: Final = ("at", "livemode", "currency", *TRAITS)
COLUMNS: Final = (*KEYS, *MEASURES)
MOST_ROWS: Final = 4
"""What changes one object's facts has two deltas, or one."""
LONG_GRAINS: Final = GRAINS[:-1]
"""Those of blocks; quarters have a table of their own."""
# Written out, since two parameters of one value are not one expression to GROUP BY.
ZERO: Final = literal_column("0", BigInteger)
NOTHING: Final = literal_column("CAST('' AS VARCHAR)", String)
A_MINUTE: Final = literal_column("INTERVAL '1 minute'", Interval)
THE_EPOCH: Final = literal_column(f"TIMESTAMPTZ '{EPOCH.isoformat()}'", INSTANT)


class StatisticsRepository:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def append(self, deltas: Sequence[Delta]) -> None:
        """In the transaction of the change that they tell."""
        if not deltas:
            return
        if len(deltas) <= MOST_ROWS:
            await write_later(self._connection, _rows(len(deltas)), _numbered(deltas))
        else:
            await write_later(self._connection, APPEND, _columns(deltas))

    async def sums(self, wanted: SumsWanted) -> Sequence[SumsFound]:
        return await found_sums(self._connection, wanted)

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


@cache
def _rows(count: int) -> Insert:
    """So many of them, by parameters of their own: to write an array of one takes the driver longer than the value."""
    numbered = (
        {name: bindparam(f"{name}_{number}", type_=DELTAS.c[name].type) for name in COLUMNS}
        for number in range(count)
    )
    return insert(DELTAS).values(list(numbered))


def _numbered(deltas: Sequence[Delta]) -> dict[str, Any]:
    """The parameters of `_rows`."""
    return {
        f"{name}_{number}": value
        for number, delta in enumerate(deltas)
        for name, value in _row(delta).items()
    }


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
    """For each grain and each dimension, in the order in which they will be read."""
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
    order = ("dimension", "grain", "at")
    grains = func.unnest(literal(LONG_GRAINS, ARRAY(Integer))).table_valued("grain").render_derived()
    at = func.date_bin(grains.c.grain * A_MINUTE, rows.c.at, THE_EPOCH)
    keys = [rows.c.dimension, rows.c.livemode, grains.c.grain, at.label("at"), rows.c.member, rows.c.currency]
    sums = (_sum(rows.c[name]) for name in MEASURES)
    return (
        select(*keys, *sums)
        .select_from(rows.join(grains, true()))
        .group_by(*keys)
        .order_by(*map(text, order))
    )


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
