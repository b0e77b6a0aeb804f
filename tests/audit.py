"""Somebody with all rights tampers with the audit trail, and what its verification says of that."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.audit_verification import AuditVerification, Finding
from domain.ports import Database
from gateway.wiring import Gateway


@asynccontextmanager
async def tampering(gateway: Gateway) -> AsyncIterator[AsyncConnection]:
    """A superuser's transaction in which no trigger stands in the way."""
    async with gateway.engine.begin() as connection:
        await connection.execute(text("SET LOCAL session_replication_role = replica"))
        yield connection


async def tamper(gateway: Gateway, statement: str, **values: Any) -> None:
    async with tampering(gateway) as connection:
        done = await connection.execute(text(statement), values)
        assert done.rowcount > 0, "nothing was tampered with"


async def renumber(gateway: Gateway, numbers: Mapping[int, int]) -> None:
    """Records under other sequence numbers: PostgreSQL changes none, but takes new rows with given ones."""
    taken = ", ".join(map(str, numbers))
    cases = " ".join(f"WHEN {old} THEN {new}" for old, new in numbers.items())
    async with tampering(gateway) as connection:
        for statement in (
            f"CREATE TEMP TABLE taken AS SELECT * FROM audit_records WHERE sequence IN ({taken})",  # noqa: S608
            f"DELETE FROM audit_records WHERE sequence IN ({taken})",  # noqa: S608
            f"UPDATE taken SET sequence = CASE sequence {cases} END",  # noqa: S608
            "INSERT INTO audit_records OVERRIDING SYSTEM VALUE SELECT * FROM taken",
            "DROP TABLE taken",
        ):
            done = await connection.execute(text(statement))
            assert done.rowcount != 0, "nothing was tampered with"


async def verified(database: Database, *expected: str) -> tuple[AuditVerification, Sequence[Finding]]:
    verification = AuditVerification(expected_seals=expected)
    async with database.snapshot() as trail:
        return verification, [finding async for finding in verification.findings(trail)]
