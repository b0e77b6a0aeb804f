"""The audit trail for its readers, and its seals."""

from dataclasses import dataclass
from typing import Final

from domain.actor import Actor, Role
from domain.audit import AuditRecord
from domain.audit_log import NEWEST_FIRST, AuditFilter
from domain.audit_seal import LARGEST_SEAL, AuditSeal, first_unsealed, sealed
from domain.paging import Page, Slice, page_of
from domain.ports import Clock, Database

AUDITORS: Final = frozenset({Role.ADMIN})


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditService:
    database: Database
    clock: Clock

    async def log(self, actor: Actor, wanted: AuditFilter, part: Slice) -> Page[AuditRecord]:
        """What everybody did, the newest first. Raises Forbidden for all but admins."""
        actor.must_be(AUDITORS)
        async with self.database.reads() as reads:
            rows = await reads.audit.listed(wanted, NEWEST_FIRST, part.one_more())
        return page_of(rows, part)

    async def seal(self) -> AuditSeal | None:
        """
        Seal what was recorded since the last seal.

        None where that is nothing, where somebody else is sealing, and where a transaction that may still add
        something among it does not end: the next attempt covers it.
        """
        async with self.database.work() as work:
            if not await work.audit_seals.hold():
                return None
            upto = await work.audit_seals.complete_up_to()
            if upto is None:
                return None
            last = await work.audit_seals.last()
            records = await work.audit_seals.unsealed(
                first=first_unsealed(last), upto=upto, limit=LARGEST_SEAL
            )
            seal = sealed(records, last=last, upto=upto, at=self.clock())
            if seal is not None:
                await work.audit_seals.add(seal)
        return seal
