"""`payments-gateway access mend`: access as it was paid for, where `payments-gateway invariants` says it is not."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from domain.access_mending import AccessMending
from domain.errors import NotFound
from gateway.readiness import check_schema, fail
from gateway.settings import Settings, UnfitSettings
from persistence.engine import create_engine
from persistence.unit_of_work import SqlDatabase


async def mended(settings: Settings, paid_by: Sequence[UUID]) -> None:
    """All of them, or up to the first that is not known; ends where the database is unfit."""
    try:
        await check_schema(settings)
    except UnfitSettings as unfit:
        fail(unfit)
    database = SqlDatabase(create_engine(settings.database_url))
    mending = AccessMending(database=database, clock=lambda: datetime.now(UTC))
    try:
        for each in paid_by:
            await mending.mend(each)
    except NotFound as unknown:
        fail(f"{each}: {unknown.message}")
    finally:
        await database.close()
