"""
The only code by which the processor's word changes a subscription: an answer, an event and a job all pass here.

Locks are taken in one order, so that nobody waits in a circle: subscription, invoice, payment.
"""

from datetime import datetime
from uuid import UUID

from domain.actor import Actor
from domain.audit import audit_record
from domain.entitlements import follow_subscription
from domain.errors import NotFound
from domain.identity import new_id
from domain.invoice import Invoice, InvoiceFacts
from domain.invoice_settlement import InvoiceOwner, write_invoice
from domain.payment_status import PaymentTrigger
from domain.ports import Work
from domain.statistics.recording import count_subscription
from domain.subscription import Subscription, SubscriptionFacts, SubscriptionLinks
from domain.subscription_status import SubscriptionStatus


class PlanUnread(LookupError):
    """The processor names a price of which nobody has read the plan yet."""


async def settle_subscription(
    work: Work,
    subscription_id: UUID,
    facts: SubscriptionFacts,
    *,
    at: datetime,
    by: Actor,
    trigger: PaymentTrigger | None = None,
) -> Subscription:
    """
    The subscription after the processor's word, with its latest invoice and the payment of that.

    `trigger` is what made us collect, where the caller knows. Raises NotFound where there is no such subscription;
    PlanUnread where a plan that it names was never read, and then nothing is written.
    """
    before = await work.subscriptions.lock(subscription_id)
    if before is None:
        raise NotFound("There is no such subscription.")
    plan_id = await _plan_id(work, facts.processor_price_id)
    pending = facts.pending_price_id
    pending_plan_id = None if pending is None else await _plan_id(work, pending)
    invoice = None
    if facts.latest_invoice is not None:
        owner = InvoiceOwner(user_id=before.user_id, subscription_id=before.id, plan_id=plan_id)
        invoice = await write_invoice(work, facts.latest_invoice, owner, at=at, by=by, trigger=trigger)
    links = await _links(work, before, facts, invoice, plan_id=plan_id, pending_plan_id=pending_plan_id)
    after = before.take(facts, links, at=at)
    await record_subscription(work, before, after, at=at, by=by)
    if before.has_sat_out_its_pause(at) and facts.awaits_a_period:
        await work.jobs.begin_period(after.id)
    return after


async def settle_invoice(
    work: Work, facts: InvoiceFacts, *, at: datetime, by: Actor, trigger: PaymentTrigger | None = None
) -> Invoice:
    """
    The invoice after the processor's word, with its payment and what it pays for.

    Its subscription is known already, if it has one. Raises NotFound where its customer is none of ours.
    """
    subscription = await _subscription_of(work, facts)
    if subscription is None:
        account = await work.accounts.of_customer(facts.customer_id)
        if account is None:
            raise NotFound("This invoice is for none of our customers.")
        owner = InvoiceOwner(user_id=account.user_id)
    else:
        owner = InvoiceOwner(
            user_id=subscription.user_id, subscription_id=subscription.id, plan_id=subscription.plan_id
        )
    invoice = await write_invoice(work, facts, owner, at=at, by=by, trigger=trigger)
    if subscription is not None:
        paid = await work.invoices.paid_through(subscription.id, until=subscription.current_period_end)
        await record_subscription(work, subscription, subscription.paid_up_to(paid, at=at), at=at, by=by)
    return invoice


async def _subscription_of(work: Work, facts: InvoiceFacts) -> Subscription | None:
    """The subscription that an invoice is for, locked."""
    if facts.processor_subscription_id is None:
        return None
    known = await work.subscriptions.known_as(facts.processor_subscription_id)
    known = known or facts.subscription_id
    return None if known is None else await work.subscriptions.lock(known)


async def open_subscription(
    work: Work, user_id: UUID, facts: SubscriptionFacts, *, at: datetime, by: Actor
) -> Subscription:
    """
    Our record of a subscription that was made elsewhere, at its first mention. Its account is held.

    What it is follows at once, from `settle_subscription`. Raises PlanUnread where its plan was never read.
    """
    fresh = Subscription(
        id=new_id(),
        user_id=user_id,
        plan_id=await _plan_id(work, facts.processor_price_id),
        status=SubscriptionStatus.INCOMPLETE,
        livemode=facts.livemode,
        is_surplus=True,
        current_period_start=facts.current_period_start,
        current_period_end=facts.current_period_end,
        processor_customer_id=facts.customer_id,
        processor_subscription_id=facts.processor_subscription_id,
        synced_by=facts.source,
        created_at=facts.created_at,
        updated_at=at,
    )
    await record_subscription(work, None, fresh, at=at, by=by)
    return fresh


async def record_subscription(
    work: Work,
    before: Subscription | None,
    after: Subscription,
    *,
    at: datetime,
    by: Actor,
    note: str | None = None,
) -> None:
    """Save a new or changed subscription, who did it, and what follows. Every change of one passes here."""
    if before is None:
        await work.subscriptions.add(after)
    elif after != before:
        await work.subscriptions.save(after)
    if before is None or after.version != before.version:
        action = change_of(before, after)
        await work.audit.add(audit_record(action, before, after, at=at, by=by, note=note))
        await count_subscription(work, before, after)
        await follow_subscription(work, after, at=at, by=by)


def change_of(before: Subscription | None, after: Subscription) -> str:
    """What has happened, as the audit trail calls it."""
    match before:
        case None:
            return "subscription.created"
        case _ if after.is_surplus and (not before.is_surplus or before.readings == 0):
            return "subscription.surplus"
        case _ if before.status is not after.status:
            return f"subscription.{after.status.lower()}"
        case _ if before.plan_id != after.plan_id:
            return "subscription.plan_changed"
        case _ if before.current_period_end != after.current_period_end:
            return "subscription.renewed"
        case _ if before.ends_at != after.ends_at:
            return "subscription.kept" if after.ends_at is None else "subscription.ending_planned"
        case _ if before.paid_through != after.paid_through:
            return "subscription.paid"
        case _:
            return "subscription.updated"


async def _links(
    work: Work,
    before: Subscription,
    facts: SubscriptionFacts,
    invoice: Invoice | None,
    *,
    plan_id: UUID,
    pending_plan_id: UUID | None,
) -> SubscriptionLinks:
    method = facts.processor_method_id
    return SubscriptionLinks(
        plan_id=plan_id,
        pending_plan_id=pending_plan_id,
        payment_method_id=None if method is None else await work.payment_methods.known_as(method),
        latest_invoice_id=before.latest_invoice_id if invoice is None else invoice.id,
        is_surplus=await _is_surplus(work, before, facts, plan_id),
        paid_through=await work.invoices.paid_through(before.id, until=facts.current_period_end),
    )


async def _is_surplus(work: Work, before: Subscription, facts: SubscriptionFacts, plan_id: UUID) -> bool:
    """Whether the user's one live subscription to the plan is another. One that has ended stays what it was."""
    is_as_before = before.plan_id == plan_id and not before.is_surplus
    if before.readings and (facts.has_ended or is_as_before):
        return before.is_surplus
    if facts.has_ended:
        return False
    other = await work.subscriptions.live_of(before.user_id, plan_id)
    return other is not None and other.id != before.id


async def _plan_id(work: Work, processor_price_id: str) -> UUID:
    plan = await work.plans.priced_as(processor_price_id)
    if plan is None:
        raise PlanUnread(f"The plan of {processor_price_id} was never read")
    return plan.id
