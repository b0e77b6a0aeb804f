"""The connection pool."""

from typing import TYPE_CHECKING, Any, Final

import asyncpg
import orjson
from sqlalchemy import event, text
from sqlalchemy.exc import InvalidatePoolError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from persistence.address import sqlalchemy_url
from persistence.keyring import NO_KEYS, Keyring
from persistence.pool import CountingPool
from persistence.prepared import json_text

if TYPE_CHECKING:
    from persistence.joined import Repositories

SERVER_SETTINGS: Final = {
    "application_name": "payments-gateway",
    "statement_timeout": "10s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "30s",
    "jit": "off",
}
"""Sent once when a connection is made, so that no session state needs to be reset between uses."""

CONNECT_SECONDS: Final = 5
"""How long a server may take to let us in."""

REPOSITORIES: Final = "repositories"
KEYRING: Final = "keyring"
"""The option under which an engine, and each connection of it, has its keyring."""

CONNECTION_ERRORS: Final = (OSError, asyncpg.PostgresError, SQLAlchemyError)
"""What a wrong address ends in: an unknown host, a refused password, a missing database, a malformed text."""


def create_engine(
    address: str, *, pool_size: int = 10, pool_timeout: float = 5, keyring: Keyring = NO_KEYS
) -> AsyncEngine:
    """
    `pool_timeout` is how many seconds a caller waits for a free connection.

    Whoever neither writes metadata nor looks into it needs no keyring.
    """
    engine = create_async_engine(
        sqlalchemy_url(address),
        poolclass=CountingPool,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=pool_timeout,
        pool_use_lifo=True,
        hide_parameters=True,  # An exception must not carry what a row holds into the log.
        json_serializer=json_text,
        json_deserializer=orjson.loads,
        execution_options={KEYRING: keyring},
        connect_args={"server_settings": SERVER_SETTINGS, "timeout": CONNECT_SECONDS},
    )
    event.listen(engine.sync_engine, "checkout", _refuse_closed)
    return engine


def repositories_of(engine: AsyncEngine) -> "Repositories":
    """By the entities that they find; none of an engine that no `SqlDatabase` was made of."""
    found: Repositories = engine.sync_engine.get_execution_options().get(REPOSITORIES, {})
    return found


def keyring_of(engine: AsyncEngine) -> Keyring:
    keyring: Keyring = engine.sync_engine.get_execution_options()[KEYRING]
    return keyring


async def is_reachable(engine: AsyncEngine) -> bool:
    """Whether the database answers; raises what the driver raises where it does not."""
    async with engine.connect() as connection:
        return bool(await connection.scalar(text("SELECT true")))


def _refuse_closed(connection: Any, *_: object) -> None:
    """
    Have the pool replace a connection that was closed while it lay there, and all that are as old.

    The driver hears at once of a server that ends, so a restart of PostgreSQL fails nobody who comes afterwards.
    SQLAlchemy's own pre-ping would be a round trip before each use: it makes the shortest reads take twice as long.
    """
    if connection.driver_connection.is_closed():
        raise InvalidatePoolError
