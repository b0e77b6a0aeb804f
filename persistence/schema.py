"""Whether the database has the schema that this program was written for, and how it gets it."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine

MIGRATIONS: Final = Path(__file__).parent.parent / "migrations"


def configuration(address: str | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["address"] = address
    return config


def migrate(address: str) -> None:
    """Bring the database at this address up to date. Blocks; not for use inside an event loop."""
    command.upgrade(configuration(address), "head")


def wanted_revision() -> str:
    revision = ScriptDirectory.from_config(configuration()).get_current_head()
    if revision is None:
        raise LookupError(f"There are no migrations in {MIGRATIONS}")
    return revision


async def current_revision(engine: AsyncEngine) -> str | None:
    """None where the database was never migrated."""
    async with engine.connect() as connection:
        try:
            revision: str | None = await connection.scalar(text("SELECT version_num FROM alembic_version"))
        except ProgrammingError:
            return None
    return revision
