"""Statements that write and are used again and again: prepared where the connection can send them so."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import ClauseElement
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import UpdateBase

from persistence.prepared import Prepared, prepared
from persistence.work_connection import MOST_STATEMENTS, WorkConnection

Values = Mapping[str, Any]
"""Named after a statement's parameters, and after the columns that it writes."""


async def write(connection: AsyncConnection, statement: UpdateBase, values: Values) -> int:
    """How many rows were added or changed."""
    if isinstance(connection, WorkConnection) and (kept := kept_statement(statement, tuple(values))):
        return await connection.write(kept, values)
    return (await connection.execute(statement, values)).rowcount


async def write_together(connection: AsyncConnection, statement: UpdateBase, values: Values) -> int:
    """The same, together with the rows that wait: see `WorkConnection.write_together`."""
    if isinstance(connection, WorkConnection) and (kept := kept_statement(statement, tuple(values))):
        return await connection.write_together(kept, values)
    return (await connection.execute(statement, values)).rowcount


async def write_later(connection: AsyncConnection, statement: UpdateBase, values: Values) -> None:
    """Rows that are only added, which may wait for the next statement: see `WorkConnection.write_later`."""
    if isinstance(connection, WorkConnection) and (kept := kept_statement(statement, tuple(values))):
        await connection.write_later(kept, values)
    else:
        await connection.execute(statement, values)


@lru_cache(MOST_STATEMENTS)
def kept_statement(statement: ClauseElement, columns: tuple[str, ...] = ()) -> Prepared | None:
    return prepared(statement, columns)
