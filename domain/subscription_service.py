"""What callers may read of subscriptions. What they may do stands in `domain.commands`."""

from dataclasses import dataclass, replace

from domain.actor import Actor
from domain.paging import Page, Slice, page_of
from domain.ports import Database
from domain.subscription import Subscription
from domain.subscription_list import SUBSCRIPTIONS, SubscriptionFilter


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionService:
    """Users see their own; support and admins see everybody's. Raises Forbidden for another's filter."""

    database: Database

    async def page(self, actor: Actor, wanted: SubscriptionFilter, part: Slice) -> Page[Subscription]:
        wanted = replace(wanted, owner=actor.narrowed(wanted.owner))
        async with self.database.reads() as reads:
            return page_of(await reads.subscriptions.listed(wanted, SUBSCRIPTIONS, part.one_more()), part)

    async def count(self, actor: Actor, wanted: SubscriptionFilter) -> int:
        wanted = replace(wanted, owner=actor.narrowed(wanted.owner))
        async with self.database.reads() as reads:
            return await reads.subscriptions.count(wanted)
