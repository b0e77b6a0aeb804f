"""
Runs the migrations on DATABASE_URL, or on the address that `persistence.schema` hands over.

Offline (`alembic upgrade 0007:head --sql`) it writes their statements, which `tools.check_migrations` reads.
"""

import asyncio
import os
from typing import Literal

from alembic import context
from sqlalchemy import Connection, NullPool, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlmodel import AutoString

from persistence.address import sqlalchemy_url
from persistence.tables import metadata

JOB_QUEUE = "pgqueuer"
IMPATIENT = {"lock_timeout": "2s"}
"""A migration that waits for a lock holds up everybody behind it: rather let them through, and try again."""
LOCK_NOT_TO_BE_HAD = frozenset({"55P03", "40P01"})
"""Not in time, or never, since whoever has it waits for us."""
ATTEMPTS = 10
LONGEST_PAUSE = 10.0
"""Seconds between two attempts; a transaction that has not ended after all of them is somebody's to look at."""
ONE_AT_A_TIME = text("SELECT pg_try_advisory_lock(hashtext('payments-gateway migrations'))")
"""Held until the connection closes, since each migration commits on its own."""
PAUSE = 0.1


def is_ours(name: str | None, kind: str, _: object) -> bool:
    """The job queue's tables come from its own package."""
    return kind != "table" or not (name or "").startswith(JOB_QUEUE)


def plain(kind: str, thing: object, _: object) -> str | Literal[False]:
    """SQLModel's own text type by SQLAlchemy's name, since migrations import no more than that."""
    if kind != "type" or not isinstance(thing, AutoString):
        return False
    return f"sa.String(length={thing.length})" if thing.length else "sa.String()"


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        include_name=is_ours,
        render_item=plain,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def take_turn(connection: AsyncConnection) -> None:
    """Outside a transaction both while it waits, which would hold up CREATE INDEX CONCURRENTLY, and afterwards."""
    while not await connection.scalar(ONE_AT_A_TIME):
        await connection.commit()
        await asyncio.sleep(PAUSE)
    await connection.commit()


async def connect_and_run(address: str) -> None:
    engine = create_async_engine(
        sqlalchemy_url(address), poolclass=NullPool, connect_args={"server_settings": IMPATIENT}
    )
    async with engine.connect() as connection:
        await take_turn(connection)
        for attempt in range(1, ATTEMPTS):
            if await has_run(connection):
                return
            await asyncio.sleep(min(2.0 ** (attempt - 1), LONGEST_PAUSE))
        await connection.run_sync(run)


async def has_run(connection: AsyncConnection) -> bool:
    """False where a lock was not to be had; the migrations before that one are done."""
    try:
        await connection.run_sync(run)
    except DBAPIError as failure:
        if getattr(failure.orig, "sqlstate", None) not in LOCK_NOT_TO_BE_HAD:
            raise
        await connection.rollback()
        return False
    return True


def write_statements() -> None:
    context.configure(
        dialect_name="postgresql",
        literal_binds=True,
        transaction_per_migration=True,
        target_metadata=metadata,
    )
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    write_statements()
else:
    asyncio.run(connect_and_run(context.config.attributes.get("address") or os.environ["DATABASE_URL"]))
