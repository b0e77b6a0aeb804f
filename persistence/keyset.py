"""
Pages of a list by keyset, for any table.

A statement is built once per shape (which filters are given, in which order, from the start or from a place),
because building one and finding its compiled form costs more than PostgreSQL needs to answer it.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import ColumnElement, Integer, Select, Table, bindparam, func, select, tuple_

from domain.paging import Direction, Slice

MOST_SHAPES: Final = 256


class Keyset:
    """
    The lists of one table. `conditions` go by the attributes of a filter, which are their parameters' names too.

    An attribute that is None does not ask; an empty list does, and matches nothing.
    """

    def __init__(self, table: Table, conditions: Mapping[str, ColumnElement[bool]]) -> None:
        self._table, self._conditions = table, conditions
        self._page = lru_cache(MOST_SHAPES)(self._built_page)
        self._count = lru_cache(MOST_SHAPES)(self._built_count)

    def page(
        self, wanted: object, by: str, direction: Direction, part: Slice
    ) -> tuple[Select[Any], Mapping[str, Any]]:
        """The statement for a part of a list, in the order in which it is read, and its parameters."""
        given = self._given(wanted)
        read = direction.reverse if part.is_backward else direction
        start = {"start": part.start.value, "start_id": part.start.id} if part.start else {}
        statement = self._page(tuple(given), by, read, part.start is not None)
        return statement, {**given, **start, "limit": part.limit}

    def count(self, wanted: object) -> tuple[Select[int], Mapping[str, Any]]:
        given = self._given(wanted)
        return self._count(tuple(given)), given

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
        keys = (columns[by], columns.id)
        order = [key.desc() if direction is Direction.DESC else key.asc() for key in keys]
        return statement.order_by(*order).limit(bindparam("limit", type_=Integer))

    def _beyond_start(self, by: str, direction: Direction) -> ColumnElement[bool]:
        """A row comparison, so that the index leads straight to the place."""
        key, identity = self._table.c[by], self._table.c.id
        here = tuple_(key, identity)
        there = tuple_(bindparam("start", type_=key.type), bindparam("start_id", type_=identity.type))
        return here < there if direction is Direction.DESC else here > there
