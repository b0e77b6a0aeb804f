"""Keyrings for tests, and the database as servers with other keyrings see it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from persistence.engine import create_engine
from persistence.keyring import Keyring
from persistence.unit_of_work import SqlDatabase

FORMER: Final = "former:" + "A" * 43 + "="
CURRENT: Final = "current:" + "B" * 42 + "A="
LOST: Final = "lost:" + "C" * 42 + "A="


@asynccontextmanager
async def database_with(url: str, keys: str) -> AsyncIterator[SqlDatabase]:
    database = SqlDatabase(create_engine(url, keyring=Keyring.read(keys), pool_size=4))
    yield database
    await database.close()
