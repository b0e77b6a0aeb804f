"""`payments-gateway invariants`: every money invariant, checked now and for the record."""

from collections.abc import Sequence
from datetime import UTC, datetime

import orjson
import typer

from domain.invariant_service import InvariantService
from domain.invariants import MoneyInvariant, Violation
from gateway.readiness import check_schema, fail
from gateway.settings import Settings, UnfitSettings
from persistence.engine import create_engine
from persistence.unit_of_work import SqlDatabase


async def checked(settings: Settings, *, as_json: bool) -> bool:
    """Whether all hold. Tells of each, and ends where the database is unfit."""
    try:
        await check_schema(settings)
    except UnfitSettings as unfit:
        fail(unfit)
    found = await check(settings)
    for each in found:
        typer.echo(orjson.dumps(each.record()).decode() if as_json else sentences(each))
    return all(each.holds for each in found)


async def check(settings: Settings) -> Sequence[MoneyInvariant]:
    database = SqlDatabase(create_engine(settings.database_url))
    try:
        return await InvariantService(database=database, clock=lambda: datetime.now(UTC)).check()
    finally:
        await database.close()


def sentences(invariant: MoneyInvariant) -> str:
    """What must hold, and what breaks it."""
    if invariant.holds:
        return f"{invariant.name} holds. {invariant.description}"
    number = invariant.violation_count
    lines = [
        f"{invariant.name} is BROKEN, {number} {'time' if number == 1 else 'times'}. {invariant.description}"
    ]
    lines += [f"  {line(each)}" for each in invariant.violations]
    if number > len(invariant.violations):
        lines.append(f"  … and {number - len(invariant.violations)} more.")
    return "\n".join(lines)


def line(violation: Violation) -> str:
    if violation.subject is None:
        return violation.message
    return f"{violation.subject} {violation.object_id}: {violation.message}"
