"""Two years with one subscriber, on the sandbox's clock, with every event delivered."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.access import AccessReason
from domain.charge_preview import ChangeTiming, Proration
from domain.commands.subscriptions.change_plan import ChangePlan
from domain.commands.subscriptions.create_subscription import CreateSubscription
from domain.commands.subscriptions.ending import CancelSubscription, KeepSubscription
from domain.commands.subscriptions.pausing import PauseSubscription, ResumeSubscription
from domain.commands.subscriptions.retry_renewal import RetryRenewal
from domain.decline import DeclineCategory
from domain.errors import TrialUsed
from domain.invoice import InvoiceStatus
from domain.payment_status import PaymentStatus, PaymentTrigger
from domain.subscription import CancelTiming, Subscription
from domain.subscription_status import SubscriptionAction, SubscriptionStatus
from sandbox import Sandbox
from tests.dashboard import Dashboard
from tests.domain.shopping import Cardholder, Post
from tests.domain.subscriptions.subscribing import Subscriber, live_at_stripe

BASIC, PREMIUM = 999, 1799
GIVES_ACCESS = {AccessReason.TRIAL, AccessReason.SUBSCRIBED, AccessReason.GRACE_PERIOD}


@dataclass(kw_only=True)
class Life:
    """`collected` is what all chapters so far have charged, in cents."""

    subscriber: Subscriber
    dashboard: Dashboard
    post: Post
    sandbox: Sandbox
    subscription_id: UUID
    collected: int = 0

    async def does(self, command: Any) -> Subscription:
        await self.subscriber.does(command)
        await self.post.deliver_all()
        return await self.subscription()

    async def days_pass(self, days: float) -> Subscription:
        self.dashboard.passes(days)
        await self.post.deliver_all()
        return await self.subscription()

    async def pays_with(self, card: str) -> UUID:
        """From now on, by default."""
        return await self.subscriber.saves(card, makes_default=True)

    async def subscription(self) -> Subscription:
        return await self.subscriber.subscription(self.subscription_id)

    async def until_renewal(self) -> float:
        """In days: until the hour is over in which the next period's invoice waits."""
        left = (await self.subscription()).current_period_end - self.subscriber.gateway.services.clock()
        return left / timedelta(days=1) + 0.1

    async def stands(
        self,
        status: SubscriptionStatus,
        *,
        charged: int = 0,
        is_paid: bool = True,
        will_charge: bool = True,
        access: AccessReason = AccessReason.SUBSCRIBED,
    ) -> Subscription:
        """
        What each chapter ends with: the status, what it has charged, whether the running period is paid for,
        whether anything can be charged still, and why the subscriber may watch films, or may not.
        """
        subscription = await self.subscription()
        self.collected += charged
        assert subscription.status is status
        assert self.sandbox.ledger()["totals"]["amount_captured"].get("usd", 0) == self.collected
        assert (subscription.paid_through == subscription.current_period_end) is is_paid
        assert subscription.will_charge_again is will_charge
        assert (subscription.past_due_since is None) is (status is not SubscriptionStatus.PAST_DUE)
        assert len(live_at_stripe(self.sandbox)) == (0 if subscription.has_ended else 1)
        decision = await self.subscriber.access("films")
        assert (decision.reason, decision.allowed) == (access, access in GIVES_ACCESS)
        return subscription


@pytest.fixture
async def life(subscriber: Subscriber, dashboard: Dashboard, post: Post, sandbox: Sandbox) -> Life:
    """On trial, with a card whose bank wants to see its holder at each charge."""
    sandbox.clock.freeze()
    await subscriber.saves("pm_card_authenticationRequired")
    plan = await subscriber.plan(BASIC, recurring={"interval": "month", "trial_period_days": 14})
    trying = await subscriber.subscribes(plan)
    await post.deliver_all()
    return Life(
        subscriber=subscriber,
        dashboard=dashboard,
        post=post,
        sandbox=sandbox,
        subscription_id=trying.id,
    )


class TestSubscribersLife:
    async def test_from_trial_to_the_end(self, life: Life, cardholder: Cardholder) -> None:
        await self.trial_ends_in_authentication(life, cardholder)
        await self.a_year_is_renewed(life)
        await self.a_renewal_fails_and_is_recovered(life)
        await self.the_plan_is_upgraded_at_the_price_that_was_shown(life)
        await self.it_is_paused_and_resumed(life)
        await self.it_is_cancelled_and_kept(life)
        await self.it_is_cancelled_for_good(life)
        await self.another_one_is_given_up(life)

    async def trial_ends_in_authentication(self, life: Life, cardholder: Cardholder) -> None:
        trying = await life.stands(SubscriptionStatus.TRIALING, access=AccessReason.TRIAL)
        assert trying.trial_ends_at == trying.current_period_end

        await life.days_pass(14.1)
        behind = await life.stands(
            SubscriptionStatus.PAST_DUE, is_paid=False, access=AccessReason.GRACE_PERIOD
        )
        charge = await life.subscriber.charge(behind)
        assert charge.decline is not None
        assert charge.decline.category is DeclineCategory.AUTHENTICATION_REQUIRED
        assert charge.trigger is PaymentTrigger.RENEWAL

        await life.does(RetryRenewal(subscription_id=life.subscription_id))
        charge = await life.subscriber.charge(await life.subscription())
        assert (charge.status, charge.trigger) == (
            PaymentStatus.REQUIRES_ACTION,
            PaymentTrigger.CUSTOMER_RETRY,
        )
        await cardholder.answers(charge.processor_payment_id or "")
        await life.post.deliver_all()
        await life.stands(SubscriptionStatus.ACTIVE, charged=BASIC)

    async def a_year_is_renewed(self, life: Life) -> None:
        await life.pays_with("pm_card_visa")

        for _ in range(12):
            before = await life.subscription()
            renewed = await life.days_pass(await life.until_renewal())
            assert renewed.current_period_start == before.current_period_end
            assert (await life.subscriber.charge(renewed)).trigger is PaymentTrigger.RENEWAL
            await life.stands(SubscriptionStatus.ACTIVE, charged=BASIC)

    async def a_renewal_fails_and_is_recovered(self, life: Life) -> None:
        await life.pays_with("pm_card_chargeCustomerFail")

        await life.days_pass(await life.until_renewal())
        failed = await life.stands(
            SubscriptionStatus.PAST_DUE, is_paid=False, access=AccessReason.GRACE_PERIOD
        )
        invoice = await life.subscriber.invoice(failed)
        assert (invoice.status, invoice.attempt_count) == (InvoiceStatus.OPEN, 1)
        assert invoice.next_attempt_at is not None
        assert SubscriptionAction.RETRY_RENEWAL in failed.actions

        await life.days_pass(4)
        dunned = await life.stands(
            SubscriptionStatus.PAST_DUE, is_paid=False, access=AccessReason.GRACE_PERIOD
        )
        charge = await life.subscriber.charge(dunned)
        assert (charge.status, charge.trigger) == (PaymentStatus.FAILED, PaymentTrigger.DUNNING_RETRY)
        assert dunned.past_due_since == failed.past_due_since

        await life.pays_with("pm_card_mastercard")
        await life.does(RetryRenewal(subscription_id=life.subscription_id))
        recovered = await life.stands(SubscriptionStatus.ACTIVE, charged=BASIC)
        assert (await life.subscriber.invoice(recovered)).status is InvoiceStatus.PAID

    async def the_plan_is_upgraded_at_the_price_that_was_shown(self, life: Life) -> None:
        premium = await life.subscriber.plan(PREMIUM)
        await life.days_pass(7.77)

        preview = await life.subscriber.gateway.services.previews.plan_change(
            life.subscriber.actor,
            life.subscription_id,
            premium,
            ChangeTiming.NOW,
            Proration.INVOICE_NOW,
        )
        await life.days_pass(0.005)
        upgraded = await life.does(
            ChangePlan(
                subscription_id=life.subscription_id,
                plan_id=premium,
                proration=Proration.INVOICE_NOW,
                preview_id=preview.id,
            )
        )

        assert upgraded.plan_id == premium
        assert 0 < preview.due_now < PREMIUM - BASIC
        assert (await life.subscriber.charge(upgraded)).amount == preview.due_now
        await life.stands(SubscriptionStatus.ACTIVE, charged=preview.due_now)
        await life.days_pass(await life.until_renewal())
        await life.stands(SubscriptionStatus.ACTIVE, charged=PREMIUM)

    async def it_is_paused_and_resumed(self, life: Life) -> None:
        paused = await life.does(PauseSubscription(subscription_id=life.subscription_id))
        assert paused.paused_until is None
        await life.stands(SubscriptionStatus.PAUSED)

        await life.days_pass(await life.until_renewal())
        await life.stands(SubscriptionStatus.PAUSED, is_paid=False, access=AccessReason.SUBSCRIPTION_ENDED)

        await life.does(ResumeSubscription(subscription_id=life.subscription_id))
        await life.days_pass(1)
        await life.stands(SubscriptionStatus.ACTIVE, charged=PREMIUM)
        await life.days_pass(await life.until_renewal())
        await life.stands(SubscriptionStatus.ACTIVE, charged=PREMIUM)

    async def it_is_cancelled_and_kept(self, life: Life) -> None:
        ending = await life.does(CancelSubscription(subscription_id=life.subscription_id))
        assert ending.ends_at == ending.current_period_end
        await life.stands(SubscriptionStatus.ACTIVE, will_charge=False)

        kept = await life.does(KeepSubscription(subscription_id=life.subscription_id))
        assert kept.ends_at is None
        await life.stands(SubscriptionStatus.ACTIVE)
        await life.days_pass(await life.until_renewal())
        await life.stands(SubscriptionStatus.ACTIVE, charged=PREMIUM)

    async def it_is_cancelled_for_good(self, life: Life) -> None:
        over = await life.does(
            CancelSubscription(subscription_id=life.subscription_id, timing=CancelTiming.NOW)
        )

        assert over.ended_at == life.subscriber.gateway.services.clock()
        assert over.actions == ()
        await life.stands(
            SubscriptionStatus.CANCELLED, will_charge=False, access=AccessReason.SUBSCRIPTION_ENDED
        )
        await life.days_pass(90)
        await life.stands(
            SubscriptionStatus.CANCELLED, will_charge=False, access=AccessReason.SUBSCRIPTION_ENDED
        )

    async def another_one_is_given_up(self, life: Life) -> None:
        """There is no second trial, and what is never paid expires."""
        plan_id = (await life.subscription()).plan_id
        trial = await life.subscriber.plan(BASIC, recurring={"interval": "month", "trial_period_days": 14})
        with pytest.raises(TrialUsed):
            await life.subscriber.does(CreateSubscription(plan_id=trial))
        life.subscription_id = (await life.subscriber.subscribes(plan_id)).id
        await life.stands(SubscriptionStatus.ACTIVE, charged=PREMIUM)

        await life.pays_with("pm_card_chargeCustomerFail")
        await life.days_pass(await life.until_renewal())
        await life.stands(SubscriptionStatus.PAST_DUE, is_paid=False, access=AccessReason.GRACE_PERIOD)
        given_up = await life.days_pass(40)

        assert given_up.ended_at is not None
        await life.stands(
            SubscriptionStatus.EXPIRED,
            is_paid=False,
            will_charge=False,
            access=AccessReason.SUBSCRIPTION_ENDED,
        )
