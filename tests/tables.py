"""All that a database holds, as text."""

from collections.abc import Mapping
from typing import TypeAlias

from sqlalchemy import MetaData, text
from sqlalchemy.ext.asyncio import create_async_engine

Contents: TypeAlias = Mapping[str, list[str]]
"""The rows of each table, each row as PostgreSQL writes it."""


async def contents_of(database_url: str, metadata: MetaData) -> Contents:
    engine = create_async_engine(database_url)
    try:
        async with engine.connect() as connection:
            return {
                table: sorted((await connection.scalars(text(f"SELECT t::text FROM {table} t"))).all())  # noqa: S608
                for table in metadata.tables
            }
    finally:
        await engine.dispose()
