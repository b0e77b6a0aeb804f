"""What subscribing, changing and cancelling would cost. Previews are kept for some minutes, and then bind."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.actor import Actor
from domain.cancellation_preview import CancellationPreview
from domain.charge_preview import KEPT_FOR, KNOWN_FOR, ChangeTiming, ChargePreview, PreviewTerms, Proration
from domain.customers import Customers
from domain.errors import InvalidInput, NotFound, StateConflict, TrialUsed
from domain.identity import new_id
from domain.invoice import InvoiceStatus
from domain.money import Money
from domain.patience import in_time
from domain.plan import Plan
from domain.plan_change import offered_plan, possible_change, previewed_change
from domain.ports import Clock, Database, PaymentProcessor, Reads
from domain.subscription import CancelTiming, Subscription
from domain.subscription_status import SubscriptionAction


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewService:
    """All that asks the processor raises ProcessorUnavailable where it does not answer in time."""

    database: Database
    processor: PaymentProcessor
    customers: Customers
    clock: Clock

    async def start(self, actor: Actor, plan_id: UUID, *, uses_trial: bool) -> ChargePreview:
        """What a new subscription of the caller's costs. Raises TrialUsed where a trial is asked for in vain."""
        user_id, now = actor.known_id, self._now()
        async with self.database.reads() as reads:
            plan = await offered_plan(reads, plan_id, is_live=self.processor.is_live)
            trial_days = plan.trial_days if uses_trial else 0
            if trial_days and await _has_had_trial(reads, user_id):
                raise TrialUsed(path=("use_trial",))
        account = await in_time(self.customers.with_customer(user_id, by=actor))
        terms = await in_time(
            self.processor.preview_start(account.customer_id, plan, trial_days=trial_days, at=now)
        )
        return await self._kept(_preview(terms, user_id, plan, at=now))

    async def plan_change(
        self,
        actor: Actor,
        subscription_id: UUID,
        plan_id: UUID,
        timing: ChangeTiming,
        proration: Proration | None = None,
    ) -> ChargePreview:
        """What `changePlan` with the same choices costs, if it follows within minutes. Raises as that does."""
        now = self._now()
        async with self.database.reads() as reads:
            subscription = await visible_subscription(reads, actor, subscription_id)
            change = await possible_change(reads, subscription, plan_id, timing)
        change.must_be_paid_for(proration, by=actor)
        proration = proration or change.usual_proration
        terms = await in_time(previewed_change(self.processor, change, proration, at=now))
        return await self._kept(
            _preview(
                terms,
                subscription.user_id,
                change.plan,
                at=now,
                subscription_id=subscription.id,
                subscription_version=subscription.version,
                timing=timing,
                proration=proration,
            )
        )

    async def afresh(self, actor: Actor, preview_id: UUID) -> ChargePreview | None:
        """The same preview as things are now; None where there is nothing to preview any more."""
        async with self.database.reads() as reads:
            stale = await reads.previews.get(preview_id)
        if stale is None or not actor.may_see(stale.user_id):
            return None
        try:
            return await self._again(actor, stale)
        except (StateConflict, NotFound, InvalidInput):
            return None

    async def _again(self, actor: Actor, stale: ChargePreview) -> ChargePreview:
        if stale.subscription_id is None:
            return await self.start(actor, stale.plan_id, uses_trial=stale.is_of_trial)
        return await self.plan_change(
            actor, stale.subscription_id, stale.plan_id, stale.timing, stale.proration
        )

    async def cancellation(
        self, actor: Actor, subscription_id: UUID, timing: CancelTiming
    ) -> CancellationPreview:
        """What `cancelSubscription` does, by what we know: nothing is asked of the processor."""
        async with self.database.reads() as reads:
            subscription = await visible_subscription(reads, actor, subscription_id)
            subscription.must_allow(SubscriptionAction.CANCEL, path=("subscription_id",))
            invoice_id = subscription.latest_invoice_id
            invoice = await reads.invoices.get(invoice_id) if invoice_id else None
        is_now = subscription.ends_at_once(timing)
        is_open = invoice is not None and invoice.status is InvoiceStatus.OPEN
        return CancellationPreview(
            ends_access_at=self.clock() if is_now else subscription.current_period_end,
            stops_retries=is_now and is_open,
            voids=Money(minor=invoice.amount_due, currency=invoice.currency)
            if invoice and is_now and is_open
            else None,
        )

    async def next_charge(self, subscription: Subscription) -> PreviewTerms | None:
        """The next renewal, as it would be charged today; None where none will be."""
        if not subscription.will_renew or subscription.processor_subscription_id is None:
            return None
        return await in_time(self.processor.preview_renewal(subscription))

    async def drop_expired(self) -> int:
        """Forget previews that nobody makes afresh any more. How many."""
        async with self.database.work() as work:
            return await work.previews.drop_expired(at=self.clock() - KNOWN_FOR)

    def _now(self) -> datetime:
        """In whole seconds, as the processor counts them."""
        return self.clock().replace(microsecond=0)

    async def _kept(self, preview: ChargePreview) -> ChargePreview:
        async with self.database.work() as work:
            await work.previews.add(preview)
        return preview


def _preview(
    terms: PreviewTerms, user_id: UUID, plan: Plan, *, at: datetime, **choices: Any
) -> ChargePreview:
    calculated = {part.name: getattr(terms, part.name) for part in fields(PreviewTerms)}
    return ChargePreview(
        id=new_id(),
        user_id=user_id,
        plan_id=plan.id,
        prorated_at=at,
        created_at=at,
        expires_at=at + KEPT_FOR,
        **choices,
        **calculated,
    )


async def _has_had_trial(reads: Reads, user_id: UUID) -> bool:
    """By the person, or by the card that would pay."""
    default = await reads.payment_methods.default_of(user_id)
    return await reads.trials.has_had(user_id, default.fingerprint if default else None)


async def visible_subscription(reads: Reads, actor: Actor, subscription_id: UUID) -> Subscription:
    """Raises NotFound, also for another user's."""
    found = await reads.subscriptions.by_ids([subscription_id], owner=actor.visible_owner)
    if subscription_id not in found:
        raise NotFound("There is no such subscription.", path=("subscription_id",))
    return found[subscription_id]
