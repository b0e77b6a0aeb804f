"""
Seals over the whole audit trail, so that no chain, and no end of one, can be taken away unnoticed.

Each seal covers a range of sequence numbers and names the seal before it. A copy of its hash that is kept
elsewhere, such as in a log, vouches for everything up to it.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from domain.audit import GENESIS, canonical

if TYPE_CHECKING:
    from hashlib import _Hash

LARGEST_SEAL: Final = 10_000
"""Records under one seal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordHash:
    """What a seal needs of a record."""

    sequence: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSeal:
    """Covers the `records` records with sequence numbers from first to last, both included."""

    last_sequence: int
    first_sequence: int
    records: int
    sealed_at: datetime
    previous_hash: str
    hash: str = ""

    @property
    def is_full(self) -> bool:
        """Whether more records may wait for the next seal."""
        return self.records == LARGEST_SEAL

    def begun(self) -> "_Hash":
        """SHA-256 over the seal's own facts, to which the hashes of its records are added in their order."""
        facts = [self.first_sequence, self.last_sequence, self.records, canonical(self.sealed_at)]
        return hashlib.sha256(f"{self.previous_hash}{json.dumps(facts)}".encode())


def sealed(
    records: Sequence[RecordHash], *, last: AuditSeal | None, upto: int, at: datetime
) -> AuditSeal | None:
    """
    The seal that follows the last one, over at most LARGEST_SEAL records; None where there are none.

    `upto` is the number below which no record can come any more.
    """
    if not records:
        return None
    seal = AuditSeal(
        first_sequence=first_unsealed(last),
        last_sequence=upto if len(records) < LARGEST_SEAL else records[-1].sequence,
        records=len(records),
        sealed_at=at,
        previous_hash=GENESIS if last is None else last.hash,
    )
    running = seal.begun()
    for record in records:
        running.update(record.hash.encode())
    return replace(seal, hash=running.hexdigest())


def first_unsealed(last: AuditSeal | None) -> int:
    return 1 if last is None else last.last_sequence + 1
