"""What staff may read of disputes. What they may do stands in `domain.commands`."""

from dataclasses import dataclass

from domain.actor import Actor, Role
from domain.dispute import Dispute
from domain.dispute_list import NEWEST_FIRST, DisputeFilter
from domain.paging import Page, Slice, page_of
from domain.ports import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeService:
    database: Database

    async def page(self, actor: Actor, wanted: DisputeFilter, part: Slice) -> Page[Dispute]:
        """Everybody's, for support and admins. Raises Forbidden."""
        actor.must_be({Role.SUPPORT, Role.ADMIN})
        async with self.database.reads() as reads:
            rows = await reads.disputes.listed(wanted, NEWEST_FIRST, part.one_more())
        return page_of(rows, part)
