"""Subscriptions as they are at the processor, whoever changed them: read at news, and when a job asks."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from domain.actor import Actor
from domain.events import InboxEvent, SubscriptionChanged
from domain.method_settlement import settle_method
from domain.occasion import Occasion
from domain.plan_service import PlanService
from domain.ports import Clock, Database, PaymentProcessor, Reads, Work
from domain.rereading import take_newest
from domain.subscription import Subscription, SubscriptionFacts
from domain.subscription_settlement import open_subscription, settle_subscription
from domain.webhook_service import Close, found

READ_BY_US: Final = Occasion()


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionRereader:
    database: Database
    processor: PaymentProcessor
    plans: PlanService
    clock: Clock

    async def follow(self, hint: SubscriptionChanged, event: InboxEvent, close: Close) -> None:
        await self._read_anew(hint, Occasion.of(event), close=close)

    async def reread(self, subscription_id: UUID) -> None:
        """For a job: one of ours. What the processor never heard of stays as it is."""
        async with self.database.reads() as reads:
            subscription = found(await reads.subscriptions.get(subscription_id))
        facts = await self.processor.find_subscription(subscription)
        if facts is not None:
            await self._read_anew(hint_of(facts))

    async def read_again(self, processor_subscription_id: str, customer_id: str, occasion: Occasion) -> None:
        """Raises NotFound where its customer is none of ours, or the processor does not know it."""
        hint = SubscriptionChanged(
            processor_subscription_id=processor_subscription_id, customer_id=customer_id
        )
        await self._read_anew(hint, occasion)

    async def begin_period(self, subscription_id: UUID) -> None:
        """For a job: after a pause that ended by itself, so that there is access again, and is paid for."""
        async with self.database.reads() as reads:
            subscription = found(await reads.subscriptions.get(subscription_id))
        await self.processor.begin_period(subscription)
        await self.reread(subscription_id)

    async def learn(self, processor_subscription_id: str, customer_id: str, *, by: Actor) -> None:
        """Have a subscription, which is read where it is unknown. Raises NotFound where it is none of ours."""
        async with self.database.reads() as reads:
            known = await reads.subscriptions.known_as(processor_subscription_id)
        if known is None:
            await self._read_anew(
                SubscriptionChanged(
                    processor_subscription_id=processor_subscription_id, customer_id=customer_id
                ),
                Occasion(by=by),
            )

    async def _read_anew(
        self, hint: SubscriptionChanged, occasion: Occasion = READ_BY_US, *, close: Close | None = None
    ) -> None:
        """Raises NotFound where its customer is none of ours, or the processor does not know it."""
        ours = await self._named(hint)

        async def find(reads: Reads) -> Subscription | None:
            known = await ours.found_in(reads)
            return None if known is None else await reads.subscriptions.get(known)

        async def read() -> SubscriptionFacts:
            facts = found(await self.processor.read_subscription(ours.processor_subscription_id))
            await self._know_what_it_names(facts, ours.user_id, occasion)
            return facts.told_by(occasion.source, occasion.event_id)

        async def lock(work: Work) -> Subscription | None:
            """Whoever makes it known holds its account, so that it is made once."""
            known = await ours.found_in(work)
            if known is None:
                await work.accounts.lock(ours.user_id)
                known = await ours.found_in(work)
            return None if known is None else await work.subscriptions.lock(known)

        async def take(work: Work, facts: SubscriptionFacts) -> None:
            now, by = self.clock(), occasion.by
            known = await ours.found_in(work)
            if known is None:
                known = (await open_subscription(work, ours.user_id, facts, at=now, by=by)).id
            await settle_subscription(work, known, facts, at=now, by=by)
            if close is not None:
                await close(work)

        await take_newest(self.database, find=find, read=read, lock=lock, take=take)

    async def _named(self, hint: SubscriptionChanged) -> "Ours":
        """An unknown one may be ours by what we wrote into its metadata, so it is read for that."""
        processor_id = hint.processor_subscription_id
        async with self.database.reads() as reads:
            account = found(await reads.accounts.of_customer(hint.customer_id))
            known = await reads.subscriptions.known_as(processor_id)
        if known is None:
            known = found(await self.processor.read_subscription(processor_id)).subscription_id
        return Ours(
            user_id=account.user_id,
            processor_subscription_id=processor_id,
            subscription_id=known,
            customer_id=hint.customer_id,
        )

    async def _know_what_it_names(self, facts: SubscriptionFacts, user_id: UUID, occasion: Occasion) -> None:
        """Plans and methods that were made elsewhere may be heard of here first."""
        await self.plans.know(facts.processor_price_id, by=occasion.by)
        if facts.pending_price_id is not None:
            await self.plans.know(facts.pending_price_id, by=occasion.by)
        if facts.processor_method_id is not None:
            await self._know_method(facts.processor_method_id, facts.customer_id, user_id, occasion)

    async def _know_method(
        self, processor_method_id: str, customer_id: str, user_id: UUID, occasion: Occasion
    ) -> None:
        """What is named may have been detached since; then it pays for nothing any more."""
        async with self.database.reads() as reads:
            known = await reads.payment_methods.known_as(processor_method_id)
        if known is not None:
            return
        method = await self.processor.attached_method(processor_method_id, customer_id)
        if method is not None:
            async with self.database.work() as work:
                await settle_method(work, user_id, method, at=self.clock(), by=occasion.by)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """
    Which subscription of ours is meant: the one that goes by the processor's id, or that its metadata names.

    Metadata may be copied, so a name only counts for one of that customer whose own subscription is not known.
    """

    user_id: UUID
    processor_subscription_id: str
    subscription_id: UUID | None
    customer_id: str

    async def found_in(self, reads: Reads) -> UUID | None:
        known = await reads.subscriptions.known_as(self.processor_subscription_id)
        if known is not None or self.subscription_id is None:
            return known
        named = await reads.subscriptions.get(self.subscription_id)
        if named is None or named.processor_subscription_id is not None:
            return None
        return named.id if named.processor_customer_id == self.customer_id else None


def hint_of(facts: SubscriptionFacts) -> SubscriptionChanged:
    return SubscriptionChanged(
        processor_subscription_id=facts.processor_subscription_id, customer_id=facts.customer_id
    )
