"""
Pages of a list by keyset, for any table.

A statement is built once per shape (which filters are given, in which order, from the start or from a place),
because building one and finding its compiled form costs more than PostgreSQL needs to answer it.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
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
    select,
    true,
    tuple_,
)

from domain.paging import Direction, Slice
from persistence.repository import is_among

MOST_SHAPES: Final = 256

Shape: TypeAlias = tuple[tuple[str, ...], str, Direction, bool]
"""Of a page's statement: the filters that are given, the order's column and direction, and whether it has a start."""


class Keyset:
    """
    The lists of one table. `conditions` go by the attributes of a filter, which are their parameters' names too.

    An attribute that is None does not ask; an empty list does, and matches nothing.
    """

    def __init__(self, table: Table, conditions: Mapping[str, ColumnElement[bool]]) -> None:
        self._table, self._conditions = table, conditions
        self._page = lru_cache(MOST_SHAPES)(self._built_page)
        self._count = lru_cache(MOST_SHAPES)(self._built_count)
        self._pages = lru_cache(MOST_SHAPES)(self._built_pages)
        self._counts = lru_cache(MOST_SHAPES)(self._built_counts)

    def page(
        self, wanted: object, by: str, direction: Direction, part: Slice
    ) -> tuple[Select[Any], Mapping[str, Any]]:
        """The statement for a part of a list, in the order in which it is read, and its parameters."""
        shape, parameters = self._asked(wanted, by, direction, part)
        return self._page(*shape), parameters

    def pages(
        self, owners: Sequence[UUID], wanted: object, by: str, direction: Direction, part: Slice
    ) -> tuple[Select[Any], Mapping[str, Any]]:
        """As `page`, for the list of each owner: one statement where one per owner would be N+1."""
        shape, parameters = self._asked(wanted, by, direction, part)
        return self._pages(*shape), {**parameters, "owners": owners}

    def count(self, wanted: object) -> tuple[Select[int], Mapping[str, Any]]:
        given = self._given(wanted)
        return self._count(tuple(given)), given

    def counts(self, owners: Sequence[UUID], wanted: object) -> tuple[Select[Any], Mapping[str, Any]]:
        """Rows of an owner and how many match; without those who have none."""
        given = self._given(wanted)
        return self._counts(tuple(given)), {**given, "owners": owners}

    def _asked(
        self, wanted: object, by: str, direction: Direction, part: Slice
    ) -> tuple[Shape, Mapping[str, Any]]:
        given = self._given(wanted)
        read = direction.reverse if part.is_backward else direction
        start = {"start": part.start.value, "start_id": part.start.id} if part.start else {}
        shape = tuple(given), by, read, part.start is not None
        return shape, {**given, **start, "limit": part.limit}

    def _given(self, wanted: object) -> dict[str, Any]:
        asked = ((name, getattr(wanted, name)) for name in self._conditions)
        return {name: value for name, value in asked if value is not None}

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
        return statement.order_by(*in_order(columns, by, direction)).limit(bindparam("limit", type_=Integer))

    def _built_counts(self, given: Sequence[str]) -> Select[Any]:
        owner = self._table.c.user_id
        conditions = (self._conditions[name] for name in given)
        return select(owner, func.count()).where(is_among(owner, "owners"), *conditions).group_by(owner)

    def _built_pages(
        self, given: Sequence[str], by: str, direction: Direction, has_start: bool
    ) -> Select[Any]:
        """Each owner's page comes straight from the index."""
        owner = self._table.c.user_id
        named = func.unnest(bindparam("owners", type_=ARRAY(owner.type))).label("id")
        owners = select(named).subquery("owners")
        page = self._page(given, by, direction, has_start).where(owner == owners.c.id).lateral("page")
        return select(page).select_from(owners.join(page, true())).order_by(*in_order(page.c, by, direction))

    def _beyond_start(self, by: str, direction: Direction) -> ColumnElement[bool]:
        """A row comparison, so that the index leads straight to the place."""
        key, identity = self._table.c[by], self._table.c.id
        here = tuple_(key, identity)
        there = tuple_(bindparam("start", type_=key.type), bindparam("start_id", type_=identity.type))
        return here < there if direction is Direction.DESC else here > there


def in_order(columns: Any, by: str, direction: Direction) -> list[ColumnElement[Any]]:
    """By a column, and equals by id."""
    keys = (columns[by], columns.id)
    return [key.desc() if direction is Direction.DESC else key.asc() for key in keys]
