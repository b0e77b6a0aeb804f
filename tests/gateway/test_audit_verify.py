"""`payments-gateway audit verify`: whatever is done to the trail is found, and named."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from domain.actor import SYSTEM
from domain.audit import GENESIS, AuditRecord, audit_record, digest
from domain.audit_seal import AuditSeal
from domain.audit_verification import Check
from domain.identity import new_id
from domain.operation import ObjectKind
from domain.ports import Database
from gateway.wiring import Gateway
from tests.audit import renumber, tamper, verified
from tests.domain.values import NOON, a_payment
from tests.gateway.test_cli import Run, logging_restored, run

__all__ = ["logging_restored", "run"]


class Trail:
    """Two payments: one with four records, of which two are sealed, and one with a sealed record."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway, self.database = gateway, gateway.services.database
        self.thing, self.other = new_id(), new_id()
        self.seals: list[AuditSeal] = []

    async def grows(self, *object_ids: UUID) -> None:
        for object_id in object_ids:
            payment = a_payment(id=object_id)
            async with self.database.work() as work:
                await work.audit.add(audit_record("payment.created", None, payment, at=NOON, by=SYSTEM))

    async def is_sealed(self) -> None:
        seal = await self.gateway.services.audit.seal()
        assert seal is not None
        self.seals.append(seal)

    async def records(self) -> Sequence[AuditRecord]:
        async with self.database.reads() as reads:
            return await reads.audit.of_object(ObjectKind.PAYMENT, self.thing)

    async def tampered(self, statement: str, **values: Any) -> None:
        await tamper(self.gateway, statement, **values)

    async def findings(self, *expected: str) -> list[tuple[Check, int | None]]:
        """What is wrong, with which record or seal, by their sequence numbers."""
        _, found = await verified(self.database, *expected)
        return [(finding.check, finding.sequence or finding.seal) for finding in found]


@pytest.fixture
async def trail(gateway: Gateway) -> Trail:
    trail = Trail(gateway)
    await trail.grows(trail.thing, trail.other, trail.thing)
    await trail.is_sealed()
    await trail.grows(trail.thing)
    await trail.is_sealed()
    await trail.grows(trail.thing)
    return trail


class TestVerification:
    async def test_finds_nothing_where_nothing_was_done(self, trail: Trail) -> None:
        verification, found = await verified(trail.database, trail.seals[0].hash, trail.seals[1].hash)

        assert found == []
        assert (verification.records, verification.chains, verification.seals) == (5, 2, 2)
        assert (verification.unsealed, verification.last_seal) == (1, trail.seals[1].hash)

    async def test_of_nothing_finds_nothing(self, database: Database) -> None:
        verification, found = await verified(database)

        assert (verification.records, verification.last_seal, found) == (0, None, [])

    @pytest.mark.parametrize(
        "change",
        [
            "changes = jsonb_set(changes, '{amount}', '[null, 1]')",
            "action = 'payment.failed'",
            "actor_role = 'ADMIN'",
            "at = at + interval '1 microsecond'",
            "ip = '192.0.2.1'",
        ],
    )
    async def test_names_a_record_that_was_changed(self, trail: Trail, change: str) -> None:
        record = (await trail.records())[1]

        await trail.tampered(f"UPDATE audit_records SET {change} WHERE id = :id", id=record.id)  # noqa: S608

        assert await trail.findings() == [(Check.HASH, record.sequence)]

    async def test_names_what_followed_a_record_that_was_taken_out(self, trail: Trail) -> None:
        records = await trail.records()

        await trail.tampered("DELETE FROM audit_records WHERE id = :id", id=records[1].id)

        assert await trail.findings() == [
            (Check.LINK, records[2].sequence),
            (Check.SEAL, trail.seals[0].last_sequence),
        ]

    async def test_names_the_seal_over_an_end_that_was_cut_off(self, trail: Trail) -> None:
        records = await trail.records()

        await trail.tampered("DELETE FROM audit_records WHERE sequence >= :end", end=records[2].sequence)

        _, [finding] = await verified(trail.database)
        assert (finding.check, finding.seal) == (Check.SEAL, trail.seals[1].last_sequence)
        assert finding.message.endswith("it was made over 1 records, of which there are 0")

    async def test_names_the_seal_over_a_chain_that_has_gone(self, trail: Trail) -> None:
        await trail.tampered("DELETE FROM audit_records WHERE object_id = :id", id=trail.other)

        assert await trail.findings() == [(Check.SEAL, trail.seals[0].last_sequence)]

    async def test_names_records_that_changed_places(self, trail: Trail) -> None:
        _, one, other, last = await trail.records()

        await renumber(trail.gateway, {one.sequence: other.sequence, other.sequence: one.sequence})

        links = [(Check.LINK, number) for number in (one.sequence, other.sequence, last.sequence)]
        seals = [(Check.SEAL, seal.last_sequence) for seal in trail.seals]
        assert await trail.findings() == links + seals

    async def test_names_what_follows_a_record_whose_hash_was_made_anew(self, trail: Trail) -> None:
        _, record, following, _ = await trail.records()
        forged = replace(record, action="payment.failed")

        await trail.tampered(
            "UPDATE audit_records SET action = :action, hash = :hash WHERE id = :id",
            action=forged.action,
            hash=digest(record.previous_hash, forged),
            id=record.id,
        )

        assert await trail.findings() == [
            (Check.LINK, following.sequence),
            (Check.SEAL, trail.seals[0].last_sequence),
        ]

    async def test_names_the_seals_over_a_chain_that_was_made_anew(self, trail: Trail) -> None:
        end = GENESIS
        for record in await trail.records():
            forged = replace(record, ip="192.0.2.1", previous_hash=end)
            end = digest(end, forged)
            await trail.tampered(
                "UPDATE audit_records SET ip = :ip, previous_hash = :previous, hash = :hash WHERE id = :id",
                ip=forged.ip,
                previous=forged.previous_hash,
                hash=end,
                id=record.id,
            )

        assert await trail.findings() == [(Check.SEAL, seal.last_sequence) for seal in trail.seals]

    async def test_names_a_record_that_was_slipped_under_a_seal(self, trail: Trail) -> None:
        await renumber(trail.gateway, {(await trail.records())[3].sequence: 0})

        assert (Check.SEAL, trail.seals[0].last_sequence) in await trail.findings()

    async def test_names_a_seal_that_was_forged(self, trail: Trail) -> None:
        first, second = trail.seals

        await trail.tampered(
            "UPDATE audit_seals SET hash = :hash WHERE last_sequence = :last",
            hash="f" * 64,
            last=first.last_sequence,
        )

        assert await trail.findings() == [
            (Check.SEAL, first.last_sequence),
            (Check.SEAL_LINK, second.last_sequence),
        ]

    @pytest.mark.parametrize("change", ["records = records + 1", "sealed_at = now()"])
    async def test_names_a_seal_that_was_changed(self, trail: Trail, change: str) -> None:
        last = trail.seals[1].last_sequence

        statement = f"UPDATE audit_seals SET {change} WHERE last_sequence = :last"  # noqa: S608
        await trail.tampered(statement, last=last)

        assert await trail.findings() == [(Check.SEAL, last)]

    async def test_names_the_seal_after_one_that_was_taken_out(self, trail: Trail) -> None:
        first, second = trail.seals

        await trail.tampered("DELETE FROM audit_seals WHERE last_sequence = :last", last=first.last_sequence)

        assert await trail.findings() == [
            (Check.SEAL_LINK, second.last_sequence),
            (Check.SEAL, second.last_sequence),
        ]

    async def test_misses_a_seal_that_was_noted_elsewhere(self, trail: Trail) -> None:
        first, second = trail.seals
        await trail.tampered("DELETE FROM audit_seals WHERE last_sequence = :last", last=second.last_sequence)
        await trail.tampered("DELETE FROM audit_records WHERE sequence > :last", last=first.last_sequence)

        assert await trail.findings() == []
        assert await trail.findings(first.hash, second.hash) == [(Check.EXPECTED_SEAL, None)]


class TestCommand:
    async def test_sums_up_in_a_line(self, run: Run, trail: Trail) -> None:
        result = await run("audit", "verify", DATABASE_URL=trail.gateway.settings.database_url)

        assert (result.exit_code, result.stderr) == (0, "")
        assert result.stdout == (
            "5 records in 2 chains under 2 seals: nothing is wrong. 1 are not sealed yet.\n"
        )

    async def test_says_what_is_wrong_and_ends_with_1(self, run: Run, trail: Trail) -> None:
        record = (await trail.records())[1]
        await trail.tampered("UPDATE audit_records SET ip = '192.0.2.1' WHERE id = :id", id=record.id)

        result = await run("audit", "verify", DATABASE_URL=trail.gateway.settings.database_url)

        assert result.exit_code == 1
        named, summed = result.stdout.splitlines()
        assert named == (
            f"hash: record {record.id} (number {record.sequence}) of PAYMENT {trail.thing}: "
            "its hash is not that of what it says"
        )
        assert "1 things are wrong" in summed

    async def test_tells_machines_in_json(self, run: Run, trail: Trail) -> None:
        first, second = trail.seals
        url = trail.gateway.settings.database_url

        good = await run("audit", "verify", "--json", "--expect", first.hash, DATABASE_URL=url)
        bad = await run(
            "audit", "verify", "--json", "--expect", "a" * 64, "--expect", "b" * 64, DATABASE_URL=url
        )

        assert good.exit_code == 0
        assert json.loads(good.stdout) == {
            "records": 5,
            "chains": 2,
            "seals": 2,
            "unsealed": 1,
            "forgotten": 0,
            "last_seal": second.hash,
            "findings": 0,
        }
        *findings, summed = map(json.loads, bad.stdout.splitlines())
        assert (bad.exit_code, summed["findings"]) == (1, 2)
        assert [finding["check"] for finding in findings] == ["expected_seal"] * 2

    async def test_without_a_database_says_so(self, run: Run) -> None:
        result = await run("audit", "verify")

        assert result.exit_code == 1
        assert "DATABASE_URL" in result.stderr
