"""Whether the audit trail is what was once written: hashes, links and seals are computed anew."""

from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from domain.actor import Role
from domain.audit import GENESIS, AuditRecord, digest
from domain.audit_seal import AuditSeal, RecordHash, first_unsealed
from domain.operation import ObjectKind
from domain.ports import Reads


class Check(StrEnum):
    HASH = "hash"
    LINK = "link"
    PERSONAL = "personal"
    SEAL = "seal"
    SEAL_LINK = "seal_link"
    EXPECTED_SEAL = "expected_seal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is wrong, with which record of which object, or with which seal (by its last sequence number)."""

    check: Check
    message: str
    record_id: UUID | None = None
    sequence: int | None = None
    object_kind: ObjectKind | None = None
    object_id: UUID | None = None
    seal: int | None = None


class AuditVerification:
    """
    One pass over the trail, whose length is not limited.

    Nothing is kept in mind but the last record, whose object it is, and who was forgotten.
    """

    def __init__(self, *, expected_seals: Collection[str] = ()) -> None:
        """`expected_seals` are hashes that were noted elsewhere."""
        self.records = self.chains = self.seals = self.unsealed = self.forgotten = 0
        self.last_seal: str | None = None
        self._missing = set(expected_seals)

    async def findings(self, trail: Reads) -> AsyncIterator[Finding]:
        """Everything that is wrong in a trail that nobody adds to meanwhile."""
        async for finding in self._in_chains(trail.audit.in_chains(), await trail.audit.forgotten()):
            yield finding
        async for finding in self._in_seals(trail.audit_seals.in_order(), trail.audit.hashes()):
            yield finding
        for unknown in sorted(self._missing):
            yield Finding(check=Check.EXPECTED_SEAL, message=f"no seal has the hash {unknown}")

    async def _in_chains(
        self, records: AsyncIterator[AuditRecord], forgotten: Mapping[UUID, int]
    ) -> AsyncIterator[Finding]:
        last: AuditRecord | None = None
        owner: UUID | None = None
        async for record in records:
            self.records += 1
            if last is None or not _are_of_one_object(last, record):
                self.chains += 1
                last = owner = None
            owner = record.owner or owner
            if record.previous_hash != (GENESIS if last is None else last.hash):
                yield _of_record(record, Check.LINK, "it does not follow the record before it")
            if record.hash != digest(record.previous_hash, record):
                yield _of_record(record, Check.HASH, "its hash is not that of what it says")
            if not record.is_true_to_its_digest:
                yield _of_record(
                    record, Check.PERSONAL, "its personal values are not those it was written with"
                )
            if record.has_forgotten and not _was_to_forget(record, owner, forgotten):
                yield _of_record(
                    record,
                    Check.PERSONAL,
                    "its personal values are gone, and nobody it tells of was forgotten",
                )
            self.forgotten += record.has_forgotten
            last = record

    async def _in_seals(
        self, seals: AsyncIterator[AuditSeal], records: AsyncIterator[RecordHash]
    ) -> AsyncIterator[Finding]:
        last: AuditSeal | None = None
        record = await anext(records, None)
        async for seal in seals:
            self.seals += 1
            self._missing.discard(seal.hash)
            if not _follows(seal, last):
                yield _of_seal(seal, Check.SEAL_LINK, "it does not follow the seal before it")
            running, found = seal.begun(), 0
            while record is not None and record.sequence <= seal.last_sequence:
                running.update(record.hash.encode())
                found += 1
                record = await anext(records, None)
            if running.hexdigest() != seal.hash:
                yield _of_seal(seal, Check.SEAL, _what_broke(seal, found))
            last = seal
        self.last_seal = last.hash if last else None
        while record is not None:
            self.unsealed += 1
            record = await anext(records, None)


def _are_of_one_object(one: AuditRecord, other: AuditRecord) -> bool:
    return (one.object_kind, one.object_id) == (other.object_kind, other.object_id)


def _was_to_forget(record: AuditRecord, owner: UUID | None, forgotten: Mapping[UUID, int]) -> bool:
    """Whether the object's owner, or the customer who acted, was forgotten later than the record was written."""
    actor = record.actor_id if record.actor_role is Role.USER else None
    return any(record.sequence < forgotten.get(each, 0) for each in (owner, actor) if each is not None)


def _follows(seal: AuditSeal, last: AuditSeal | None) -> bool:
    previous_hash = GENESIS if last is None else last.hash
    return (seal.previous_hash, seal.first_sequence) == (previous_hash, first_unsealed(last))


def _what_broke(seal: AuditSeal, found: int) -> str:
    if found == seal.records:
        return "its records, or it itself, were changed after it was made"
    return f"it was made over {seal.records} records, of which there are {found}"


def _of_record(record: AuditRecord, check: Check, message: str) -> Finding:
    return Finding(
        check=check,
        message=message,
        record_id=record.id,
        sequence=record.sequence,
        object_kind=record.object_kind,
        object_id=record.object_id,
    )


def _of_seal(seal: AuditSeal, check: Check, message: str) -> Finding:
    where = f"records {seal.first_sequence} to {seal.last_sequence}: {message}"
    return Finding(check=check, message=where, seal=seal.last_sequence)
