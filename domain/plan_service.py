"""Plans as the processor sells them: read at the start, at news, and at the first subscription to one."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.actor import SYSTEM, Actor
from domain.audit import audit_record
from domain.entitlements import follow_plan
from domain.events import InboxEvent, PlanChanged
from domain.identity import new_id
from domain.plan import Plan, PlanFacts, plan_facts_in
from domain.ports import Clock, Database, Reads, SubscriptionReader, Work
from domain.rereading import take_newest
from domain.webhook_service import Close


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanService:
    """`is_live` tells whose plans these are: those of real money, or those of tests."""

    database: Database
    processor: SubscriptionReader
    clock: Clock
    is_live: bool

    async def listed(self, *, active_only: bool = True) -> Sequence[Plan]:
        """The cheapest first; everybody may see them."""
        async with self.database.reads() as reads:
            return await reads.plans.listed(livemode=self.is_live, active_only=active_only)

    async def sync(self) -> int:
        """
        Make ours what the processor's are; those that it does not know any more are taken from sale.

        How many it has. Raises ProcessorUnavailable.
        """
        told = await self.processor.list_plans()
        await self._take_all(told, SYSTEM)
        prices = {facts.processor_price_id for facts in told}
        for plan in await self.listed():
            if plan.processor_price_id not in prices:
                await self._read_anew(plan.processor_price_id, by=SYSTEM)
        return len(told)

    async def know(self, processor_price_id: str, *, by: Actor = SYSTEM) -> None:
        """Have the plan of this price, which is read where it is unknown. Raises LookupError for one of no plan."""
        async with self.database.reads() as reads:
            known = await reads.plans.priced_as(processor_price_id)
        if known is not None:
            return
        facts = await self.processor.read_plan(processor_price_id)
        if facts is None:
            raise LookupError(f"{processor_price_id} is the price of no plan")
        await self._add(facts, by=by)

    async def read_again(self, processor_price_id: str, *, by: Actor) -> None:
        """The plan of this price as the processor has it now, or taken from sale where it has none any more."""
        await self._read_anew(processor_price_id, by=by)

    async def follow(self, hint: PlanChanged, event: InboxEvent, close: Close) -> None:
        if hint.processor_price_id is None:
            told = await self.processor.list_plans(hint.processor_product_id)
            await self._take_all(told, event.actor)
        else:
            await self._read_anew(hint.processor_price_id, by=event.actor)
        async with self.database.work() as work:
            await close(work)

    async def _take_all(self, told: Sequence[PlanFacts], by: Actor) -> None:
        """What is new is added as it was told; what has changed is read once more, lest it was outrun."""
        for facts in told:
            async with self.database.reads() as reads:
                plan = await reads.plans.priced_as(facts.processor_price_id)
            if plan is None:
                await self._add(facts, by=by)
            elif not plan.knows(facts):
                await self._read_anew(facts.processor_price_id, by=by)

    async def _add(self, facts: PlanFacts, *, by: Actor) -> None:
        now = self.clock()
        plan = Plan(id=new_id(), created_at=now, updated_at=now, **plan_facts_in(facts))
        async with self.database.work() as work:
            if await work.plans.add(plan):
                await work.audit.add(audit_record("plan.added", None, plan, at=now, by=by))

    async def _read_anew(self, processor_price_id: str, *, by: Actor) -> None:
        async def find(reads: Reads) -> Plan | None:
            return await reads.plans.priced_as(processor_price_id)

        async def read() -> PlanFacts | None:
            return await self.processor.read_plan(processor_price_id)

        async def lock(work: Work) -> Plan | None:
            plan = await find(work)
            return None if plan is None else await work.plans.lock(plan.id)

        async def take(work: Work, facts: PlanFacts | None) -> PlanFacts | None:
            before = await find(work)
            if before is not None:
                await self._save(work, before, facts, by=by)
            return facts if before is None else None

        unknown = await take_newest(self.database, find=find, read=read, lock=lock, take=take)
        if unknown is not None:
            await self._add(unknown, by=by)

    async def _save(self, work: Work, before: Plan, facts: PlanFacts | None, *, by: Actor) -> None:
        now = self.clock()
        after = before.retired(at=now) if facts is None else before.take(facts, at=now)
        if after is not before:
            await work.plans.save(after)
            await work.audit.add(audit_record("plan.updated", before, after, at=now, by=by))
            await follow_plan(work, before, after)
