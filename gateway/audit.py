"""`payments-gateway audit verify`: the whole audit trail, computed anew."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict

import orjson
import typer

from domain.audit_verification import AuditVerification, Finding
from gateway.readiness import check_schema, fail
from gateway.settings import Settings, UnfitSettings
from persistence.engine import create_engine
from persistence.unit_of_work import SqlDatabase


async def verified(settings: Settings, *, expected_seals: Sequence[str], as_json: bool) -> bool:
    """Whether nothing is wrong. Tells whatever is, and how much there was; ends where the database is unfit."""
    try:
        await check_schema(settings)
    except UnfitSettings as unfit:
        fail(unfit)
    verification, wrong = AuditVerification(expected_seals=expected_seals), 0
    async for finding in findings(settings, verification):
        wrong += 1
        typer.echo(line(finding) if as_json else sentence(finding))
    typer.echo((last_line if as_json else summary)(verification, wrong))
    return wrong == 0


async def findings(settings: Settings, verification: AuditVerification) -> AsyncIterator[Finding]:
    """What is wrong, as soon as it is found; in the end the verification knows how much there was."""
    database = SqlDatabase(create_engine(settings.database_url), endurance=None)
    try:
        async with database.snapshot() as trail:
            async for finding in verification.findings(trail):
                yield finding
    finally:
        await database.close()


def sentence(finding: Finding) -> str:
    if finding.record_id is None:
        return f"{finding.check}: {finding.message}"
    return (
        f"{finding.check}: record {finding.record_id} (number {finding.sequence}) of {finding.object_kind} "
        f"{finding.object_id}: {finding.message}"
    )


def summary(verification: AuditVerification, wrong: int) -> str:
    verdict = "nothing is wrong" if wrong == 0 else f"{wrong} things are wrong"
    return (
        f"{verification.records} records in {verification.chains} chains under {verification.seals} seals: "
        f"{verdict}. {verification.unsealed} are not sealed yet.{_forgotten(verification.forgotten)}"
    )


def _forgotten(records: int) -> str:
    return (
        f" Of {records} the personal values were taken away, as when a person is forgotten."
        if records
        else ""
    )


def line(finding: Finding) -> str:
    """JSON; what does not apply is left out."""
    told = {name: value for name, value in asdict(finding).items() if value is not None}
    return orjson.dumps(told).decode()


def last_line(verification: AuditVerification, wrong: int) -> str:
    told = {
        "records": verification.records,
        "chains": verification.chains,
        "seals": verification.seals,
        "unsealed": verification.unsealed,
        "forgotten": verification.forgotten,
        "last_seal": verification.last_seal,
        "findings": wrong,
    }
    return orjson.dumps(told).decode()
