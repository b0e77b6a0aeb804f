"""What callers may read of subscriptions. What they may do stands in `domain.commands`."""

from dataclasses import dataclass, replace

from domain.actor import Actor
from domain.paging import Counted, FixedOrder, NumberedPage, Page, Slice, page_of
from domain.ports import ALL, Database, Shown
from domain.subscription import Subscription
from domain.subscription_list import SUBSCRIPTIONS, SubscriptionFilter


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionService:
    """Users see their own; support and admins see everybody's. Raises Forbidden for another's filter."""

    database: Database

    async def page(
        self,
        actor: Actor,
        wanted: SubscriptionFilter,
        part: Slice,
        order: FixedOrder[Subscription] = SUBSCRIPTIONS,
        shown: Shown = ALL,
    ) -> Page[Subscription]:
        wanted = replace(wanted, owner=actor.narrowed(wanted.owner))
        async with self.database.reads(shown) as reads:
            return page_of(await reads.subscriptions.listed(wanted, order, part.one_more()), part)

    async def numbered(
        self,
        actor: Actor,
        wanted: SubscriptionFilter,
        at: NumberedPage,
        order: FixedOrder[Subscription] = SUBSCRIPTIONS,
    ) -> Counted[Subscription]:
        """As `page`, for those who count pages."""
        wanted = replace(wanted, owner=actor.narrowed(wanted.owner))
        async with self.database.reads() as reads:
            total = await reads.subscriptions.count(wanted)
            items = await reads.subscriptions.numbered(wanted, order, at) if at.offset < total else ()
        return Counted(items=items, total=total)

    async def count(self, actor: Actor, wanted: SubscriptionFilter) -> int:
        wanted = replace(wanted, owner=actor.narrowed(wanted.owner))
        async with self.database.reads() as reads:
            return await reads.subscriptions.count(wanted)
