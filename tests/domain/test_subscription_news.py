from collections.abc import Awaitable, Callable
from datetime import timedelta

import orjson
import pytest
from stripe import CardError
from stripe import Subscription as StripeSubscription

from domain.actor import SYSTEM, Actor
from domain.events import InboxStatus
from domain.identity import new_id
from domain.payment_status import PaymentStatus, PaymentTrigger
from domain.subscription import CancelReason, Subscription
from domain.subscription_settlement import record_subscription
from domain.subscription_status import SubscriptionStatus
from tests.dashboard import Dashboard
from tests.domain.shopping import Post
from tests.domain.values import NOON, every_stripe_event

BROKE = "pm_card_chargeCustomerFail"

Subscribes = Callable[..., Awaitable[StripeSubscription]]


@pytest.fixture
def subscribes(dashboard: Dashboard, actor: Actor) -> Subscribes:
    """The actor subscribes to films at 15 dollars a month, past the gateway."""

    async def subscribe(card: str = "pm_card_visa", **choices: object) -> StripeSubscription:
        price = await dashboard.sells()
        customer = await dashboard.customer_of(actor, card)
        return await dashboard.subscribes(customer, price, **choices)

    return subscribe


class TestSubscriptionMadeElsewhere:
    async def test_appears_with_plan_invoice_and_payment(
        self, dashboard: Dashboard, post: Post, actor: Actor, subscribes: Subscribes
    ) -> None:
        made = await subscribes()
        await post.deliver_all()

        subscription = await dashboard.subscription(made.id)
        assert subscription.status is SubscriptionStatus.ACTIVE
        assert subscription.user_id == actor.known_id
        assert subscription.paid_through == subscription.current_period_end
        [payment] = await dashboard.payments(subscription)
        assert payment.status is PaymentStatus.COMPLETED
        assert payment.trigger is PaymentTrigger.SUBSCRIPTION_START
        assert (payment.amount, payment.currency) == (1500, "USD")
        [invoice] = await dashboard.invoices(subscription)
        assert (payment.invoice_id, subscription.latest_invoice_id) == (invoice.id, invoice.id)
        [plan] = await dashboard.plans()
        assert (plan.id, plan.features) == (subscription.plan_id, ["films", "downloads"])
        assert payment.plan_id == plan.id

    async def test_to_a_plan_that_the_user_has_already_is_surplus(
        self, dashboard: Dashboard, post: Post, actor: Actor
    ) -> None:
        price = await dashboard.sells()
        customer = await dashboard.customer_of(actor)
        first, second = [await dashboard.subscribes(customer, price) for _ in range(2)]

        await post.deliver_all()

        kept, surplus = [await dashboard.subscription(made.id) for made in (first, second)]
        assert (kept.is_surplus, surplus.is_surplus) == (False, True)
        assert surplus.status is SubscriptionStatus.ACTIVE
        assert [record.action for record in await dashboard.history(surplus.id)] == [
            "subscription.created", "subscription.surplus",
        ]  # fmt: skip

    async def test_is_surplus_no_more_once_the_other_has_ended(
        self, dashboard: Dashboard, post: Post, actor: Actor
    ) -> None:
        price = await dashboard.sells()
        customer = await dashboard.customer_of(actor)
        first, second = [await dashboard.subscribes(customer, price) for _ in range(2)]
        await post.deliver_all()
        await dashboard.client.v1.subscriptions.cancel_async(first.id)
        await dashboard.updates(second, description="kept")
        await post.deliver_all()

        assert (await dashboard.subscription(first.id)).status is SubscriptionStatus.CANCELLED
        assert not (await dashboard.subscription(second.id)).is_surplus

    async def test_of_a_stranger_is_kept_only(self, dashboard: Dashboard, post: Post) -> None:
        price = await dashboard.sells()
        customer = await dashboard.client.v1.customers.create_async({})
        await dashboard.gives_card(customer.id, "pm_card_visa")
        made = await dashboard.subscribes(customer.id, price)

        for event in post.events("customer.subscription.created", "invoice.paid", "invoice_payment.paid"):
            received = await post.receive(event)
            await post.gateway.webhooks.handle(received.id)
            assert (await post.stored(received)).status is InboxStatus.IGNORED

        async with dashboard.gateway.services.database.reads() as reads:
            assert await reads.subscriptions.known_as(made.id) is None

    async def test_that_carries_a_copy_of_our_id_is_another(
        self, dashboard: Dashboard, post: Post, subscribes: Subscribes, actor: Actor
    ) -> None:
        first = await subscribes()
        await post.deliver_all()
        ours = await dashboard.subscription(first.id)
        copy = await subscribes(metadata={"subscription_id": str(ours.id)})

        await post.deliver_all()

        assert (await dashboard.subscription(copy.id)).id != ours.id
        assert (await dashboard.subscription(first.id)).id == ours.id

    async def test_on_a_card_that_was_saved_elsewhere_names_it(
        self, dashboard: Dashboard, post: Post, actor: Actor
    ) -> None:
        price = await dashboard.sells()
        customer = await dashboard.customer_of(actor)
        card = await dashboard.gives_card(customer, "pm_card_mastercard")
        made = await dashboard.subscribes(customer, price, default_payment_method=card)

        await post.deliver(*post.events("customer.subscription.created"))

        method_id = (await dashboard.subscription(made.id)).payment_method_id
        assert method_id is not None
        async with dashboard.gateway.services.database.reads() as reads:
            method = await reads.payment_methods.get(method_id)
        assert method is not None
        assert (method.processor_method_id, method.user_id) == (card, actor.known_id)

    async def test_on_a_card_that_was_detached_since_names_none(
        self, dashboard: Dashboard, post: Post, actor: Actor
    ) -> None:
        price = await dashboard.sells()
        customer = await dashboard.customer_of(actor)
        card = await dashboard.gives_card(customer, "pm_card_mastercard")
        made = await dashboard.subscribes(customer, price, default_payment_method=card)
        await dashboard.client.v1.payment_methods.detach_async(card)
        there = dashboard.sandbox.objects.find("subscription", made.id)
        dashboard.sandbox.objects.save({**(there or {}), "default_payment_method": card})

        await post.deliver(*post.events("customer.subscription.created"))

        assert (await dashboard.subscription(made.id)).payment_method_id is None
        async with dashboard.gateway.services.database.reads() as reads:
            assert await reads.payment_methods.known_as(card) is None


class TestNewsBeforeTheAnswer:
    """What a command has written down, and Stripe tells of before its call has been answered."""

    async def test_finds_ours_by_the_id_in_its_metadata(
        self, dashboard: Dashboard, post: Post, actor: Actor
    ) -> None:
        price = await dashboard.sells()
        customer = await dashboard.customer_of(actor)
        await dashboard.gateway.services.plans.sync()
        [plan] = await dashboard.plans()
        ours = a_subscription(actor, plan_id=plan.id, processor_customer_id=customer)
        async with dashboard.gateway.services.database.work() as work:
            await record_subscription(work, None, ours, at=NOON, by=SYSTEM)
        made = await dashboard.subscribes(customer, price, metadata={"subscription_id": str(ours.id)})

        await post.deliver(*post.events("invoice.paid", "customer.subscription.created"))

        found = await dashboard.subscription(made.id)
        assert (found.id, found.status) == (ours.id, SubscriptionStatus.ACTIVE)
        assert len(await dashboard.payments(found)) == 1


class TestRenewal:
    async def test_appears_with_its_payment(
        self, dashboard: Dashboard, post: Post, subscribes: Subscribes
    ) -> None:
        made = await subscribes()
        await post.deliver_all()
        first = await dashboard.subscription(made.id)
        dashboard.passes(days=32)

        await post.deliver_all()

        subscription = await dashboard.subscription(made.id)
        assert subscription.current_period_start == first.current_period_end
        assert subscription.paid_through == subscription.current_period_end
        payments = await dashboard.payments(subscription)
        assert [payment.trigger for payment in payments] == [
            PaymentTrigger.SUBSCRIPTION_START, PaymentTrigger.RENEWAL,
        ]  # fmt: skip
        assert {payment.status for payment in payments} == {PaymentStatus.COMPLETED}
        assert len({payment.invoice_id for payment in payments}) == 2

    @pytest.mark.parametrize("kind", ["charge.refunded", "charge.dispute.created"])
    async def test_is_known_before_what_became_of_its_money(
        self, dashboard: Dashboard, post: Post, subscribes: Subscribes, kind: str
    ) -> None:
        made = await subscribes()
        dashboard.passes(days=32)
        [_, renewal] = dashboard.sandbox.objects.all("payment_intent")
        dashboard.sandbox.refund(renewal["id"], amount=500)
        dashboard.sandbox.dispute(renewal["id"], amount=700)

        await post.deliver(*post.events(kind))

        [payment] = await dashboard.payments(await dashboard.subscription(made.id))
        assert payment.processor_payment_id == renewal["id"]
        assert payment.trigger is PaymentTrigger.RENEWAL
        assert (payment.refunded_amount, payment.disputed_amount) == (
            (500, 0) if kind == "charge.refunded" else (0, 700)
        )

    async def test_that_waits_to_be_charged_is_not_paid_for(
        self, dashboard: Dashboard, post: Post, subscribes: Subscribes
    ) -> None:
        made = await subscribes()
        await post.deliver_all()
        end = (await dashboard.subscription(made.id)).current_period_end
        dashboard.passes(days=(end - dashboard.now()).total_seconds() / 86_400 + 0.01)

        await post.deliver_all()

        subscription = await dashboard.subscription(made.id)
        assert subscription.status is SubscriptionStatus.ACTIVE
        assert (subscription.current_period_start, subscription.paid_through) == (end, end)

    async def test_first_heard_of_when_it_has_failed_was_paid_for_until_then(
        self, dashboard: Dashboard, post: Post, subscribes: Subscribes, actor: Actor
    ) -> None:
        made = await subscribes()
        await dashboard.customer_of(actor, BROKE)
        dashboard.passes(days=32)

        await post.deliver(*post.events("customer.subscription.updated")[-1:])

        subscription = await dashboard.subscription(made.id)
        assert subscription.status is SubscriptionStatus.PAST_DUE
        assert subscription.paid_through == subscription.current_period_start


class TestFailedRenewal:
    @pytest.fixture
    async def failed(
        self, dashboard: Dashboard, post: Post, subscribes: Subscribes, actor: Actor
    ) -> StripeSubscription:
        made = await subscribes()
        await dashboard.customer_of(actor, BROKE)
        dashboard.passes(days=32)
        await post.deliver_all()
        return made

    async def test_is_past_due_since_its_first_failure(
        self, dashboard: Dashboard, post: Post, failed: StripeSubscription
    ) -> None:
        first = await dashboard.subscription(failed.id)
        assert first.status is SubscriptionStatus.PAST_DUE
        assert first.past_due_since == first.current_period_start + timedelta(hours=1)
        assert first.paid_through == first.current_period_start
        dashboard.passes(days=4)

        await post.deliver_all()

        later = await dashboard.subscription(failed.id)
        assert later.past_due_since == first.past_due_since
        payment = (await dashboard.payments(later))[-1]
        assert (payment.status, payment.trigger) == (PaymentStatus.FAILED, PaymentTrigger.DUNNING_RETRY)

    async def test_has_failed_for_the_reason_of_the_last_attempt(
        self, dashboard: Dashboard, post: Post, failed: StripeSubscription
    ) -> None:
        payment = (await dashboard.payments(await dashboard.subscription(failed.id)))[-1]
        assert payment.processor_method_id is not None
        dashboard.sandbox.spoil_card(payment.processor_method_id, "insufficient_funds")
        dashboard.passes(days=4)

        await post.deliver_all()

        again = (await dashboard.payments(await dashboard.subscription(failed.id)))[-1]
        assert (payment.decline_code, again.decline_code) == ("generic_decline", "insufficient_funds")
        assert again.id == payment.id

    async def test_heard_of_when_another_attempt_is_under_way_is_remembered(
        self, dashboard: Dashboard, post: Post, subscribes: Subscribes, actor: Actor
    ) -> None:
        made = await subscribes()
        await dashboard.customer_of(actor, BROKE)
        dashboard.passes(days=32)
        await dashboard.customer_of(actor, "pm_card_authenticationRequired")
        [_, owed] = dashboard.sandbox.objects.all("invoice")
        with pytest.raises(CardError, match="needs an action"):
            await dashboard.client.v1.invoices.pay_async(owed["id"], {"off_session": False})

        await post.deliver_all()

        payment = (await dashboard.payments(await dashboard.subscription(made.id)))[-1]
        assert payment.status is PaymentStatus.REQUIRES_ACTION
        assert payment.decline is None
        assert [failure.code for failure in payment.failed_attempts] == ["generic_decline"]

    async def test_that_is_paid_after_all_owes_nothing(
        self, dashboard: Dashboard, post: Post, failed: StripeSubscription, actor: Actor
    ) -> None:
        await dashboard.customer_of(actor, "pm_card_mastercard")
        dashboard.passes(days=4)

        await post.deliver_all()

        subscription = await dashboard.subscription(failed.id)
        assert subscription.status is SubscriptionStatus.ACTIVE
        assert subscription.past_due_since is None
        assert subscription.paid_through == subscription.current_period_end
        payment = (await dashboard.payments(subscription))[-1]
        assert (payment.status, payment.method_brand) == (PaymentStatus.COMPLETED, "mastercard")
        assert payment.trigger is PaymentTrigger.DUNNING_RETRY
        actions = [record.action for record in await dashboard.history(subscription.id)]
        assert actions == [
            "subscription.created", "subscription.past_due", "subscription.paid", "subscription.active",
        ]  # fmt: skip

    async def test_that_is_never_paid_ends_it_as_expired(
        self, dashboard: Dashboard, post: Post, failed: StripeSubscription
    ) -> None:
        dashboard.passes(days=40)

        await post.deliver_all()

        subscription = await dashboard.subscription(failed.id)
        assert subscription.status is SubscriptionStatus.EXPIRED
        assert subscription.ended_at is not None
        assert (subscription.past_due_since, subscription.will_charge_again) == (None, False)

    async def test_that_was_given_up_by_hand_owes_nothing_and_was_not_paid_for(
        self, dashboard: Dashboard, post: Post, failed: StripeSubscription
    ) -> None:
        invoice = (await dashboard.invoices(await dashboard.subscription(failed.id)))[-1]
        await dashboard.client.v1.invoices.void_invoice_async(invoice.processor_invoice_id)

        await post.deliver_all()

        subscription = await dashboard.subscription(failed.id)
        assert subscription.status is SubscriptionStatus.ACTIVE
        assert subscription.past_due_since is None
        assert subscription.paid_through == subscription.current_period_start
        assert (await dashboard.payments(subscription))[-1].status is PaymentStatus.CANCELLED


class TestChange:
    async def test_of_its_end_is_planned_and_taken_back(
        self, dashboard: Dashboard, post: Post, subscribes: Subscribes
    ) -> None:
        made = await subscribes()
        await post.deliver_all()
        await dashboard.updates(
            made, cancel_at_period_end=True, cancellation_details={"feedback": "too_expensive"}
        )
        await post.deliver_all()
        planned = await dashboard.subscription(made.id)
        assert planned.ends_at == planned.current_period_end
        assert (planned.cancel_reason, planned.will_charge_again) == (CancelReason.TOO_EXPENSIVE, False)

        await dashboard.updates(made, cancel_at_period_end=False)
        await post.deliver_all()

        kept = await dashboard.subscription(made.id)
        assert (kept.ends_at, kept.cancel_reason, kept.will_charge_again) == (None, None, True)
        actions = [record.action for record in await dashboard.history(kept.id)]
        assert actions[-2:] == ["subscription.ending_planned", "subscription.kept"]

    async def test_of_its_plan_takes_its_plan_along(
        self, dashboard: Dashboard, post: Post, subscribes: Subscribes
    ) -> None:
        made = await subscribes()
        await post.deliver_all()
        dearer = await dashboard.sells(2500)
        item = made["items"].data[0].id

        await dashboard.updates(
            made, items=[{"id": item, "price": dearer.id}], proration_behavior="always_invoice"
        )
        await post.deliver(*post.events("customer.subscription.updated"))

        subscription = await dashboard.subscription(made.id)
        plans = {plan.id: plan.amount for plan in await dashboard.plans()}
        assert plans[subscription.plan_id] == 2500
        payment = (await dashboard.payments(subscription))[-1]
        assert payment.trigger is PaymentTrigger.PLAN_CHANGE

    async def test_to_a_shorter_period_takes_back_what_was_credited(
        self, dashboard: Dashboard, post: Post, actor: Actor
    ) -> None:
        yearly = await dashboard.sells(9000, recurring={"interval": "year"})
        monthly = await dashboard.sells(900)
        customer = await dashboard.customer_of(actor)
        made = await dashboard.subscribes(customer, yearly)
        await post.deliver_all()
        before = await dashboard.subscription(made.id)

        await dashboard.updates(made, items=[{"id": made["items"].data[0].id, "price": monthly.id}])
        await post.deliver_all()

        after = await dashboard.subscription(made.id)
        assert before.paid_through is not None
        assert after.paid_through == after.current_period_end < before.paid_through

    async def test_into_a_pause_lasts_until_it_ends(
        self, dashboard: Dashboard, post: Post, subscribes: Subscribes
    ) -> None:
        made = await subscribes()
        until = dashboard.now() + timedelta(days=50)
        pause = {"behavior": "void", "resumes_at": int(until.timestamp())}
        await dashboard.updates(made, pause_collection=pause)
        await post.deliver_all()

        paused = await dashboard.subscription(made.id)
        assert (paused.status, paused.paused_until) == (SubscriptionStatus.PAUSED, until)
        await dashboard.updates(made, pause_collection="")
        await post.deliver_all()
        resumed = await dashboard.subscription(made.id)
        assert (resumed.status, resumed.paused_until) == (SubscriptionStatus.ACTIVE, None)


class TestTrial:
    async def test_is_paid_through_its_end_without_a_payment(
        self, dashboard: Dashboard, post: Post, subscribes: Subscribes
    ) -> None:
        made = await subscribes(trial_period_days=14)

        await post.deliver_all()

        subscription = await dashboard.subscription(made.id)
        assert subscription.status is SubscriptionStatus.TRIALING
        assert subscription.paid_through == subscription.trial_ends_at == subscription.current_period_end
        assert await dashboard.payments(subscription) == []

    async def test_is_followed_by_a_renewal(
        self, dashboard: Dashboard, post: Post, subscribes: Subscribes
    ) -> None:
        made = await subscribes(trial_period_days=14)
        dashboard.passes(days=15)

        await post.deliver_all()

        subscription = await dashboard.subscription(made.id)
        assert subscription.status is SubscriptionStatus.ACTIVE
        [payment] = await dashboard.payments(subscription)
        assert (payment.trigger, payment.amount) == (PaymentTrigger.RENEWAL, 1500)


class TestReread:
    async def test_by_a_job_takes_what_is_so_now(
        self, dashboard: Dashboard, post: Post, subscribes: Subscribes
    ) -> None:
        made = await subscribes()
        await post.deliver_all()
        ours = await dashboard.subscription(made.id)
        await dashboard.client.v1.subscriptions.cancel_async(made.id)

        await dashboard.gateway.subscriptions.reread(ours.id)

        assert (await dashboard.subscription(made.id)).status is SubscriptionStatus.CANCELLED

    async def test_of_what_stripe_never_heard_of_changes_nothing(
        self, dashboard: Dashboard, actor: Actor
    ) -> None:
        await dashboard.sells()
        await dashboard.gateway.services.plans.sync()
        [plan] = await dashboard.plans()
        customer = await dashboard.customer_of(actor)
        ours = a_subscription(actor, plan_id=plan.id, processor_customer_id=customer)
        database = dashboard.gateway.services.database
        async with database.work() as work:
            await record_subscription(work, None, ours, at=NOON, by=SYSTEM)

        await dashboard.gateway.subscriptions.reread(ours.id)

        async with database.reads() as reads:
            assert await reads.subscriptions.get(ours.id) == ours


class TestOfficialEvents:
    """Stripe's own examples, about objects that our Stripe does not know."""

    @pytest.mark.parametrize("prefix", ["customer.subscription", "invoice"])
    async def test_are_kept_whatever_they_say_and_however_often(
        self, dashboard: Dashboard, post: Post, actor: Actor, prefix: str
    ) -> None:
        async with dashboard.gateway.services.database.work() as work:
            account = await dashboard.gateway.services.customers.account(actor.known_id, by=actor)
            await work.accounts.set_customer(account.user_id, "cus_SampleCust0001", at=NOON)

        about = [orjson.loads(body) for name, body in every_stripe_event() if name.startswith(prefix)]
        assert len(about) > 5
        for event in about:
            for again in ("", "_again"):
                received = await post.receive({**event, "id": f"{event['id']}{again}"})
                await post.gateway.webhooks.handle(received.id)
                stored = await post.stored(received)
                assert (stored.status, stored.last_error) == (InboxStatus.IGNORED, None)


def a_subscription(actor: Actor, **known: object) -> Subscription:
    """One that a command has written down, and that Stripe has not heard of."""
    usual: dict[str, object] = {
        "id": new_id(),
        "user_id": actor.known_id,
        "status": SubscriptionStatus.INCOMPLETE,
        "livemode": False,
        "current_period_start": NOON,
        "current_period_end": NOON,
        "created_at": NOON,
        "updated_at": NOON,
    }
    return Subscription(**{**usual, **known})  # type: ignore[arg-type]  # Each has the type of its field.
