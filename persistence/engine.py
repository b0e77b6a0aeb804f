"""The connection pool."""

from typing import Any, Final

import asyncpg
import orjson
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from persistence.address import sqlalchemy_url

SERVER_SETTINGS: Final = {
    "application_name": "payments-gateway",
    "statement_timeout": "10s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "30s",
    "jit": "off",
}
"""Sent once when a connection is made, so that no session state needs to be reset between uses."""


CONNECTION_ERRORS: Final = (OSError, asyncpg.PostgresError, SQLAlchemyError)
"""What a wrong address ends in: an unknown host, a refused password, a missing database, a malformed text."""


def create_engine(address: str, *, pool_size: int = 10, pool_timeout: float = 5) -> AsyncEngine:
    """`pool_timeout` is how many seconds a caller waits for a free connection."""
    return create_async_engine(
        sqlalchemy_url(address),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=pool_timeout,
        pool_use_lifo=True,
        hide_parameters=True,  # An exception must not carry what a row holds into the log.
        json_serializer=_written,
        json_deserializer=orjson.loads,
        connect_args={"server_settings": SERVER_SETTINGS, "timeout": 5},
    )


async def is_reachable(engine: AsyncEngine) -> bool:
    """Whether the database answers; raises what the driver raises where it does not."""
    async with engine.connect() as connection:
        return bool(await connection.scalar(text("SELECT true")))


def _written(value: Any) -> str:
    return orjson.dumps(value).decode()
