"""Plans and payment methods, compared."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final
from uuid import UUID

from domain.actor import Actor
from domain.errors import NotFound
from domain.method_settlement import detach, hold_methods, settle_method
from domain.occasion import Occasion
from domain.operation import ObjectKind
from domain.payment_method import MethodFacts, PaymentMethod
from domain.plan import Plan, PlanFacts
from domain.plan_service import PlanService
from domain.ports import Clock, Database, Reads, SubscriptionReader, Work
from domain.ports.reconciliation import Listed, ProcessorLists
from domain.reconciliation.noun import Difference, Noun, Ours, Pair, must_be_as_before

MOST_ACCOUNTS: Final = 500
"""Each takes a call of its own; of more, those whose payments changed last."""

PLAN: Final[Mapping[str, Pair[Plan, PlanFacts]]] = {
    name: lambda ours, told, name=name: (getattr(ours.thing, name), getattr(told.facts, name))  # type: ignore[misc]  # Bound now.
    for name in (
        "code",
        "name",
        "amount",
        "currency",
        "interval",
        "interval_count",
        "trial_days",
        "features",
        "active",
    )
}
METHOD: Final[Mapping[str, Pair[PaymentMethod, MethodFacts]]] = {
    "attached": lambda ours, told: (ours.thing.is_attached, told.customer_id is not None),
    "brand": lambda ours, told: (ours.thing.brand, told.facts.brand),
    "last4": lambda ours, told: (ours.thing.last4, told.facts.last4),
    "exp_month": lambda ours, told: (ours.thing.exp_month, told.facts.exp_month),
    "exp_year": lambda ours, told: (ours.thing.exp_year, told.facts.exp_year),
    "billing_name": lambda ours, told: (ours.thing.billing_name, told.facts.billing_name),
}


@dataclass(frozen=True, kw_only=True)
class ComparedPlans(Noun[Plan, PlanFacts]):
    """All of them: they are few, and everybody's."""

    kind: ClassVar = ObjectKind.PLAN
    fields: ClassVar = PLAN

    lists: ProcessorLists
    reader: SubscriptionReader
    plans: PlanService

    def listed(self, since: datetime) -> AsyncIterator[Sequence[Listed[PlanFacts]]]:
        return self.lists.plans()

    async def one(self, processor_id: str) -> Listed[PlanFacts] | None:
        facts = await self.reader.read_plan(processor_id)
        return None if facts is None else Listed(processor_id=facts.processor_price_id, facts=facts)

    async def open_ids(self, reads: Reads, since: datetime) -> Sequence[UUID]:
        listed = await reads.plans.listed(livemode=self.plans.is_live, active_only=True)
        return [plan.id for plan in listed]

    async def by_ids(self, reads: Reads, ids: Sequence[UUID]) -> Sequence[Ours[Plan]]:
        return [_our_plan(each) for each in (await reads.plans.by_ids(ids)).values()]

    async def known_as(self, reads: Reads, processor_ids: Sequence[str]) -> Sequence[Ours[Plan]]:
        return [_our_plan(each) for each in await reads.plans.priced_among(processor_ids)]

    async def are_of_ours(
        self, reads: Reads, told: Sequence[Listed[PlanFacts]]
    ) -> Sequence[Listed[PlanFacts]]:
        return told

    def differences(self, ours: Ours[Plan] | None, told: Listed[PlanFacts] | None) -> Sequence[Difference]:
        """One that the processor has no more is right here once it is no longer for sale."""
        if told is None and ours is not None and not ours.thing.active:
            return []
        return super().differences(ours, told)

    async def heal(self, told: Listed[PlanFacts] | None, ours: Ours[Plan] | None, occasion: Occasion) -> None:
        if told is None:
            raise NotFound("The processor has no such plan.")
        await self.plans.read_again(told.processor_id, by=occasion.by)


@dataclass(frozen=True, kw_only=True)
class ComparedMethods(Noun[PaymentMethod, MethodFacts]):
    """Those of accounts whose payments have changed lately, since the processor lists them by customer only."""

    kind: ClassVar = ObjectKind.PAYMENT_METHOD
    fields: ClassVar = METHOD

    database: Database
    lists: ProcessorLists
    clock: Clock
    is_live: bool

    async def listed(self, since: datetime) -> AsyncIterator[Sequence[Listed[MethodFacts]]]:
        async with self.database.reads() as reads:
            customers = await reads.payments.active_customers(
                since=since, livemode=self.is_live, limit=MOST_ACCOUNTS
            )
        for customer in customers:
            async for page in self.lists.methods_of(customer):
                yield page

    async def one(self, processor_id: str) -> Listed[MethodFacts] | None:
        return await self.lists.one_method(processor_id)

    async def open_ids(self, reads: Reads, since: datetime) -> Sequence[UUID]:
        customers = await reads.payments.active_customers(
            since=since, livemode=self.is_live, limit=MOST_ACCOUNTS
        )
        accounts = (await reads.accounts.customers_among(customers)).values()
        methods = await reads.payment_methods.of_users(list(accounts), owner=None, with_detached=False)
        return [method.id for each in methods.values() for method in each]

    async def by_ids(self, reads: Reads, ids: Sequence[UUID]) -> Sequence[Ours[PaymentMethod]]:
        found = await reads.payment_methods.by_ids(ids, owner=None)
        return [_our_method(each) for each in found.values()]

    async def known_as(self, reads: Reads, processor_ids: Sequence[str]) -> Sequence[Ours[PaymentMethod]]:
        return [_our_method(each) for each in await reads.payment_methods.known_among(processor_ids)]

    def differences(
        self, ours: Ours[PaymentMethod] | None, told: Listed[MethodFacts] | None
    ) -> Sequence[Difference]:
        """A method that was let go of is of no more interest, by whatever name or date."""
        is_gone = told is None or told.customer_id is None
        if is_gone and (ours is None or not ours.thing.is_attached):
            return []
        found = super().differences(ours, told)
        return [each for each in found if each.field == "attached"] or found

    async def heal(
        self, told: Listed[MethodFacts] | None, ours: Ours[PaymentMethod] | None, occasion: Occasion
    ) -> None:
        """Only a method that the processor shows without a customer is let go of, since that is final."""
        if told is None:
            raise NotFound("The processor has no such payment method.")
        async with self.database.work() as work:
            if told.customer_id is not None:
                await self._settle(work, told, told.customer_id, ours, by=occasion.by)
            elif ours is not None:
                await self._detach(work, ours, by=occasion.by)

    async def _settle(
        self,
        work: Work,
        told: Listed[MethodFacts],
        customer_id: str,
        ours: Ours[PaymentMethod] | None,
        *,
        by: Actor,
    ) -> None:
        account = await work.accounts.of_customer(customer_id)
        if account is None:
            raise NotFound("This method is of none of our customers.")
        await hold_methods(work, account.user_id)
        must_be_as_before(ours, await work.payment_methods.lock_known(told.processor_id))
        await settle_method(work, account.user_id, told.facts, at=self.clock(), by=by)

    async def _detach(self, work: Work, ours: Ours[PaymentMethod], *, by: Actor) -> None:
        must_be_as_before(ours, await work.payment_methods.lock(ours.id))
        await detach(work, ours.thing, at=self.clock(), by=by)


def _our_plan(plan: Plan) -> Ours[Plan]:
    return Ours(id=plan.id, processor_id=plan.processor_price_id, thing=plan)


def _our_method(method: PaymentMethod) -> Ours[PaymentMethod]:
    return Ours(id=method.id, processor_id=method.processor_method_id, thing=method)
