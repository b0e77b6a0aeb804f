"""
Pages of a list by keyset, for any table.

A statement is built once per shape (which filters are given, in which order, from the start or from a place),
because building one and finding its compiled form costs more than PostgreSQL needs to answer it.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, TypeAlias
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    Select,
    Table,
    bindparam,
    func,
    not_,
    select,
    true,
    tuple_,
)

from domain.paging import Direction, NumberedPage, Order, Slice
from persistence.rows import is_among

MOST_SHAPES: Final = 256
START: Final = ("start", "start_id")

Shape: TypeAlias = tuple[tuple[str, ...], str, Direction, bool]
"""Of a page's statement: the filters that are given, the order's column and direction, and whether it has a start."""


class Keyset:
    """
    The lists of one table: of all its rows, or of those that name a parent in that column.

    `conditions` go by the attributes of a filter, which are their parameters' names too. An attribute that is None
    does not ask; an empty list does, and matches nothing. `flags` go by attributes that are true or false, and have no
    parameter, so that an index may be about them. Columns that are `unique` order rows by themselves, all others
    together with the id.
    """

    def __init__(
        self,
        table: Table,
        conditions: Mapping[str, ColumnElement[bool]],
        *,
        flags: Mapping[str, ColumnElement[bool]] = MappingProxyType({}),
        parent: str = "user_id",
        unique: Collection[str] = (),
    ) -> None:
        self.parent: Final = parent
        self._table, self._flags, self._unique = table, flags, unique
        self._attributes: Final = (*conditions, *flags)
        refuted = {f"not {name}": not_(flag) for name, flag in flags.items()}
        self._conditions: Final = {**conditions, **flags, **refuted}
        self._page = lru_cache(MOST_SHAPES)(self._built_page)
        self._numbered = lru_cache(MOST_SHAPES)(self._built_numbered)
        self._count = lru_cache(MOST_SHAPES)(self._built_count)
        self._page_below = lru_cache(MOST_SHAPES)(self._built_page_below)
        self._pages = lru_cache(MOST_SHAPES)(self._built_pages)
        self._counts = lru_cache(MOST_SHAPES)(self._built_counts)

    def page(self, wanted: object, order: Order[Any], part: Slice) -> tuple[Select[Any], Mapping[str, Any]]:
        """The statement for a part of a list, in the order in which it is read, and its parameters."""
        shape, parameters = self._asked(wanted, order, part)
        return self._page(*shape), parameters

    def pages(
        self, parents: Sequence[UUID], wanted: object, order: Order[Any], part: Slice
    ) -> tuple[Select[Any], Mapping[str, Any]]:
        """As `page`, for the list below each parent: one statement where one per parent would be N+1."""
        shape, parameters = self._asked(wanted, order, part)
        if len(parents) == 1:  # A third faster, and what apps mostly ask.
            return self._page_below(*shape), {**parameters, "parent": parents[0]}
        return self._pages(*shape), {**parameters, "parents": parents}

    def numbered(
        self, wanted: object, order: Order[Any], at: NumberedPage
    ) -> tuple[Select[Any], Mapping[str, Any]]:
        """The statement for a page that is found by counting, and its parameters."""
        given = self._given(wanted)
        statement = self._numbered(tuple(given), order.attribute, order.direction)
        return statement, {**given, "limit": at.limit, "offset": at.offset}

    def count(self, wanted: object) -> tuple[Select[int], Mapping[str, Any]]:
        given = self._given(wanted)
        return self._count(tuple(given)), given

    def counts(self, parents: Sequence[UUID], wanted: object) -> tuple[Select[Any], Mapping[str, Any]]:
        """Rows of a parent and how many match; without those that have none."""
        given = self._given(wanted)
        return self._counts(tuple(given)), {**given, "parents": parents}

    def _asked(self, wanted: object, order: Order[Any], part: Slice) -> tuple[Shape, Mapping[str, Any]]:
        given = self._given(wanted)
        read = order.direction.reverse if part.is_backward else order.direction
        start = dict(zip(START, (part.start.value, part.start.id), strict=True)) if part.start else {}
        shape = tuple(given), order.attribute, read, part.start is not None
        return shape, {**given, **start, "limit": part.limit}

    def _given(self, wanted: object) -> dict[str, Any]:
        """The names of conditions with their parameters."""
        asked = ((name, getattr(wanted, name)) for name in self._attributes)
        given = {name: value for name, value in asked if value is not None}
        return {
            f"not {name}" if name in self._flags and not value else name: value
            for name, value in given.items()
        }

    def _built_count(self, given: Sequence[str]) -> Select[int]:
        conditions = (self._conditions[name] for name in given)
        return select(func.count()).select_from(self._table).where(*conditions)

    def _built_page(
        self, given: Sequence[str], by: str, direction: Direction, has_start: bool
    ) -> Select[Any]:
        columns = self._table.c
        statement = select(self._table).where(*(self._conditions[name] for name in given))
        if has_start:
            statement = statement.where(self._beyond_start(by, direction))
        return statement.order_by(*self._in_order(columns, by, direction)).limit(
            bindparam("limit", type_=Integer)
        )

    def _built_numbered(self, given: Sequence[str], by: str, direction: Direction) -> Select[Any]:
        """
        The rows that are skipped are never read where the index alone can tell what is skipped: ids first, and
        then the rows of the page (a deferred join).
        """
        columns = self._table.c
        skipped = select(columns.id).where(*(self._conditions[name] for name in given))
        found = (
            skipped.order_by(*self._in_order(columns, by, direction))
            .offset(bindparam("offset", type_=Integer))
            .limit(bindparam("limit", type_=Integer))
            .subquery("found")
        )
        page = select(self._table).join(found, columns.id == found.c.id)
        return page.order_by(*self._in_order(columns, by, direction))

    def _built_page_below(
        self, given: Sequence[str], by: str, direction: Direction, has_start: bool
    ) -> Select[Any]:
        parent = self._table.c[self.parent]
        return self._page(given, by, direction, has_start).where(parent == bindparam("parent"))

    def _built_pages(
        self, given: Sequence[str], by: str, direction: Direction, has_start: bool
    ) -> Select[Any]:
        """Each parent's page comes straight from the index."""
        parent = self._table.c[self.parent]
        named = func.unnest(bindparam("parents", type_=ARRAY(parent.type))).label("id")
        parents = select(named).subquery("parents")
        page = self._page(given, by, direction, has_start).where(parent == parents.c.id).lateral("page")
        joined = select(page).select_from(parents.join(page, true()))
        return joined.order_by(*self._in_order(page.c, by, direction))

    def _built_counts(self, given: Sequence[str]) -> Select[Any]:
        parent = self._table.c[self.parent]
        conditions = (self._conditions[name] for name in given)
        return select(parent, func.count()).where(is_among(parent, "parents"), *conditions).group_by(parent)

    def _beyond_start(self, by: str, direction: Direction) -> ColumnElement[bool]:
        """A row comparison, so that the index leads straight to the place."""
        keys = self._keys(self._table.c, by)
        start = [bindparam(name, type_=key.type) for name, key in zip(START, keys, strict=False)]
        here, there = tuple_(*keys), tuple_(*start)
        return here < there if direction is Direction.DESC else here > there

    def _in_order(self, columns: Any, by: str, direction: Direction) -> list[ColumnElement[Any]]:
        return [key.desc() if direction is Direction.DESC else key.asc() for key in self._keys(columns, by)]

    def _keys(self, columns: Any, by: str) -> list[ColumnElement[Any]]:
        """What a list is ordered by: a column, and equals by id."""
        return [columns[by]] if by in self._unique else [columns[by], columns.id]
