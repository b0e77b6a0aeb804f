"""
Whether the database has the schema that this program was written for, and how it gets it.

Alembic is imported only where there is something to migrate, since that costs a quarter of a second at the start.
"""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine

from persistence.engine import create_engine

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS: Final = Path(__file__).parent.parent / "migrations"


def configuration(address: str | None = None) -> "Config":
    from alembic.config import Config

    config = Config(stdout=sys.stdout)
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["address"] = address
    return config


def migrate(address: str) -> None:
    """Bring the database at this address up to date. Blocks; not for use inside an event loop."""
    if asyncio.run(_revision_at(address)) == wanted_revision():
        return
    from alembic import command

    command.upgrade(configuration(address), "head")


def wanted_revision() -> str:
    """The number of the last migration, with which its file's name begins."""
    numbers = (file.stem.partition("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*.py"))
    return max(numbers)


async def current_revision(engine: AsyncEngine) -> str | None:
    """None where the database was never migrated."""
    async with engine.connect() as connection:
        try:
            revision: str | None = await connection.scalar(text("SELECT version_num FROM alembic_version"))
        except ProgrammingError:
            return None
    return revision


async def _revision_at(address: str) -> str | None:
    engine = create_engine(address)
    try:
        return await current_revision(engine)
    finally:
        await engine.dispose()
