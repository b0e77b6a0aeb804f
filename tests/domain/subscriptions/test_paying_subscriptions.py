"""What subscriptions are paid with, and paying what is owed."""

import asyncio
from dataclasses import replace
from itertools import cycle
from typing import Any

import pytest

from domain.commands.delete_payment_method import DeletePaymentMethod
from domain.commands.payment_methods import UpdatePaymentMethod
from domain.commands.payments import CancelPayment, ConfirmPayment
from domain.commands.subscriptions.ending import CancelSubscription
from domain.commands.subscriptions.retry_renewal import RetryRenewal
from domain.commands.subscriptions.update_subscription import UpdateSubscription
from domain.errors import (
    Busy,
    Declined,
    InvalidInput,
    MethodInUse,
    NotFound,
    ProcessorRefused,
    StateConflict,
)
from domain.invoice import InvoiceStatus
from domain.payment_status import PaymentStatus, PaymentTrigger
from domain.rules import Rules
from domain.subscription import Subscription
from domain.subscription_status import SubscriptionAction, SubscriptionStatus
from sandbox import Sandbox
from sandbox.control.faults import Kind
from tests.dashboard import Dashboard
from tests.domain.faults import resumed_later, spoil
from tests.domain.shopping import Cardholder, Post, captures
from tests.domain.stumbling import OvertakenProcessor
from tests.domain.subscriptions.subscribing import Subscriber, at_stripe, live_at_stripe


def default_at_stripe(sandbox: Sandbox, subscription: Subscription) -> str | None:
    """That of its customer."""
    customer = sandbox.objects.find("customer", subscription.processor_customer_id)
    assert customer is not None
    default: str | None = customer["invoice_settings"]["default_payment_method"]
    return default


class TestRetryRenewal:
    async def test_with_another_card_pays_and_goes_on_with_it(
        self, subscriber: Subscriber, overdue: Subscription, dashboard: Dashboard, sandbox: Sandbox
    ) -> None:
        good = await subscriber.saves("pm_card_mastercard")

        paid = await subscriber.made(RetryRenewal(subscription_id=overdue.id, payment_method_id=good))

        charge = await subscriber.charge(paid)
        assert (paid.status, paid.past_due_since) == (SubscriptionStatus.ACTIVE, None)
        assert paid.payment_method_id == good
        assert (charge.status, charge.trigger) == (PaymentStatus.COMPLETED, PaymentTrigger.CUSTOMER_RETRY)
        assert (await subscriber.invoice(paid)).status is InvoiceStatus.PAID
        dashboard.passes(31)
        assert captures(sandbox) == 3

    async def test_with_the_same_card_is_declined_again(
        self, subscriber: Subscriber, overdue: Subscription, sandbox: Sandbox
    ) -> None:
        executed = await subscriber.does(RetryRenewal(subscription_id=overdue.id))

        still = await subscriber.of(executed)
        charge = await subscriber.charge(still)
        assert isinstance(executed.operation.verdict, Declined)
        assert still.status is SubscriptionStatus.PAST_DUE
        assert (charge.status, charge.trigger) == (PaymentStatus.FAILED, PaymentTrigger.CUSTOMER_RETRY)
        assert captures(sandbox) == 1

    async def test_that_needs_the_cardholder_is_no_error(
        self, subscriber: Subscriber, overdue: Subscription, cardholder: Cardholder, post: Post
    ) -> None:
        secured = await subscriber.saves("pm_card_authenticationRequired")

        executed = await subscriber.does(RetryRenewal(subscription_id=overdue.id, payment_method_id=secured))

        charge = await subscriber.charge(await subscriber.of(executed))
        assert executed.operation.verdict is None
        assert charge.status is PaymentStatus.REQUIRES_ACTION
        await cardholder.answers(charge.processor_payment_id or "")
        await post.deliver_all()
        assert (await subscriber.subscription(overdue.id)).status is SubscriptionStatus.ACTIVE

    @pytest.mark.parametrize("command", [CancelPayment, ConfirmPayment])
    async def test_is_the_only_way_to_try_or_end_what_an_invoice_asks_for(
        self, subscriber: Subscriber, overdue: Subscription, sandbox: Sandbox, command: Any
    ) -> None:
        charge = await subscriber.charge(overdue)
        sandbox.requests.clear()

        with pytest.raises(StateConflict) as refusal:
            await subscriber.does(command(payment_id=charge.id))

        assert (charge.status, charge.actions) == (PaymentStatus.FAILED, ())
        assert refusal.value.allowed == ()
        assert sandbox.requests.newest_first() == []

    async def test_pays_a_first_charge_that_was_declined(self, subscriber: Subscriber) -> None:
        await subscriber.saves("pm_card_chargeCustomerFail")
        incomplete = await subscriber.subscribes(await subscriber.plan())
        good = await subscriber.saves()

        paid = await subscriber.made(RetryRenewal(subscription_id=incomplete.id, payment_method_id=good))

        assert (incomplete.status, paid.status) == (
            SubscriptionStatus.INCOMPLETE,
            SubscriptionStatus.ACTIVE,
        )

    async def test_is_limited_per_invoice(self, subscriber: Subscriber, overdue: Subscription) -> None:
        for _ in range(Rules().customer_retries):
            await subscriber.does(RetryRenewal(subscription_id=overdue.id))

        with pytest.raises(StateConflict) as refusal:
            await subscriber.does(RetryRenewal(subscription_id=overdue.id))

        assert refusal.value.current == "TRIED_TOO_OFTEN"
        assert SubscriptionAction.CANCEL in refusal.value.allowed

    async def test_of_what_is_paid_is_a_conflict(
        self, subscriber: Subscriber, subscribed: Subscription
    ) -> None:
        with pytest.raises(StateConflict) as refusal:
            await subscriber.does(RetryRenewal(subscription_id=subscribed.id))

        assert refusal.value.current == SubscriptionStatus.ACTIVE

    async def test_of_what_was_paid_elsewhere_meanwhile_charges_nothing(
        self, subscriber: Subscriber, overdue: Subscription, dashboard: Dashboard, sandbox: Sandbox
    ) -> None:
        invoice = await subscriber.invoice(overdue)
        card = await dashboard.gives_card(overdue.processor_customer_id, "pm_card_visa")
        await dashboard.client.v1.invoices.pay_async(invoice.processor_invoice_id, {"payment_method": card})

        paid = await subscriber.made(RetryRenewal(subscription_id=overdue.id))

        assert paid.status is SubscriptionStatus.ACTIVE
        assert captures(sandbox) == 2

    async def test_without_any_card_asks_for_one(
        self, subscriber: Subscriber, overdue: Subscription, dashboard: Dashboard, post: Post
    ) -> None:
        for method in await subscriber.methods():
            await dashboard.client.v1.payment_methods.detach_async(method.processor_method_id)
        await post.deliver_all()

        with pytest.raises(InvalidInput, match="no default payment method"):
            await subscriber.does(RetryRenewal(subscription_id=overdue.id))


class TestUpdateSubscription:
    async def test_pays_with_another_card_from_now_on(
        self, subscriber: Subscriber, subscribed: Subscription, sandbox: Sandbox
    ) -> None:
        card = await subscriber.method(await subscriber.saves("pm_card_mastercard"))

        updated = await subscriber.made(
            UpdateSubscription(subscription_id=subscribed.id, payment_method_id=card.id)
        )

        assert updated.payment_method_id == card.id
        assert at_stripe(sandbox, updated)["default_payment_method"] == card.processor_method_id

    async def test_replaces_the_apps_own_data_without_asking_stripe(
        self, subscriber: Subscriber, subscribed: Subscription, sandbox: Sandbox
    ) -> None:
        sandbox.requests.clear()

        updated = await subscriber.made(
            UpdateSubscription(subscription_id=subscribed.id, details={"seat": 4})
        )

        assert (updated.details, updated.version) == ({"seat": 4}, subscribed.version + 1)
        assert sandbox.requests.newest_first() == []

    async def test_that_stripe_refuses_changes_nothing(
        self, subscriber: Subscriber, subscribed: Subscription, dashboard: Dashboard
    ) -> None:
        gone = await subscriber.method(await subscriber.saves("pm_card_mastercard"))
        await dashboard.client.v1.payment_methods.detach_async(gone.processor_method_id)

        executed = await subscriber.does(
            UpdateSubscription(subscription_id=subscribed.id, payment_method_id=gone.id, details={"seat": 4})
        )

        assert isinstance(executed.operation.verdict, ProcessorRefused)
        after = await subscriber.of(executed)
        assert (after.details, after.payment_method_id) == ({}, None)

    async def test_of_nothing_is_refused(self, subscriber: Subscriber, subscribed: Subscription) -> None:
        with pytest.raises(InvalidInput):
            await subscriber.made(UpdateSubscription(subscription_id=subscribed.id))

    async def test_to_another_users_card_finds_none(
        self, subscriber: Subscriber, other: Subscriber, subscribed: Subscription
    ) -> None:
        with pytest.raises(NotFound):
            await subscriber.made(
                UpdateSubscription(subscription_id=subscribed.id, payment_method_id=await other.saves())
            )


class TestMethodInUse:
    async def test_as_the_default_is_not_deleted(
        self, subscriber: Subscriber, subscribed: Subscription
    ) -> None:
        [card] = await subscriber.methods()

        with pytest.raises(MethodInUse) as refusal:
            await subscriber.does(DeletePaymentMethod(method_id=card.id))

        assert refusal.value.subscription_ids == (subscribed.id,)
        assert (await subscriber.method(card.id)).is_attached

    async def test_by_name_is_handed_over_before_it_goes(
        self, subscriber: Subscriber, dashboard: Dashboard, sandbox: Sandbox
    ) -> None:
        await subscriber.saves()
        named = await subscriber.saves("pm_card_mastercard")
        subscription = await subscriber.subscribes(await subscriber.plan(), payment_method_id=named)
        heir = await subscriber.method(await subscriber.saves("pm_card_amex"))
        with pytest.raises(MethodInUse):
            await subscriber.does(DeletePaymentMethod(method_id=named))

        await subscriber.does(DeletePaymentMethod(method_id=named, successor_id=heir.id))

        assert (await subscriber.subscription(subscription.id)).payment_method_id == heir.id
        assert at_stripe(sandbox, subscription)["default_payment_method"] == heir.processor_method_id
        assert not (await subscriber.method(named)).is_attached
        dashboard.passes(32)
        assert captures(sandbox) == 2

    async def test_as_the_default_is_handed_over_too(
        self, subscriber: Subscriber, subscribed: Subscription, dashboard: Dashboard, sandbox: Sandbox
    ) -> None:
        [card] = await subscriber.methods()
        heir = await subscriber.saves("pm_card_amex")

        await subscriber.does(DeletePaymentMethod(method_id=card.id, successor_id=heir))

        assert [method.id for method in await subscriber.methods() if method.is_default] == [heir]
        dashboard.passes(32)
        assert captures(sandbox) == 2

    @pytest.mark.parametrize("is_named", [True, False])
    async def test_by_nothing_until_its_deletion_was_asked_for_gets_no_new_subscription(
        self, subscriber: Subscriber, sandbox: Sandbox, impatient: None, is_named: bool
    ) -> None:
        card, plan = await subscriber.saves(), await subscriber.plan()
        spoil(sandbox, "/v1/payment_methods/.*/detach$", Kind.RESET_BEFORE)
        await subscriber.does(DeletePaymentMethod(method_id=card), key="delete-17")
        sandbox.faults.clear()

        with pytest.raises(Busy):
            await subscriber.subscribes(plan, payment_method_id=card if is_named else None)

        assert live_at_stripe(sandbox) == []
        await resumed_later(subscriber.gateway)
        assert not (await subscriber.method(card)).is_attached

    async def test_by_a_subscription_that_was_made_at_the_same_moment_is_kept_or_never_got(
        self, subscriber: Subscriber
    ) -> None:
        plan, heir = await subscriber.plan(), await subscriber.saves("pm_card_amex")
        card = await subscriber.saves()

        await asyncio.gather(
            subscriber.subscribes(plan, payment_method_id=card),
            subscriber.does(DeletePaymentMethod(method_id=card)),
            return_exceptions=True,
        )

        async with subscriber.gateway.services.database.reads() as reads:
            relying = await reads.subscriptions.live_paid_by([card], owner=None)
        attached = [method.id for method in await subscriber.methods()]
        assert (card in attached) == bool(relying)
        assert heir in attached

    async def test_by_what_ends_anyway_may_go(self, subscriber: Subscriber, subscribed: Subscription) -> None:
        [card] = await subscriber.methods()
        await subscriber.made(CancelSubscription(subscription_id=subscribed.id))

        await subscriber.does(DeletePaymentMethod(method_id=card.id))

        assert await subscriber.methods() == []

    async def test_by_what_is_free_may_go(self, subscriber: Subscriber) -> None:
        card = await subscriber.saves()
        await subscriber.subscribes(await subscriber.plan(0))

        await subscriber.does(DeletePaymentMethod(method_id=card))

        assert await subscriber.methods() == []


class TestCardThatIsSavedAgain:
    async def test_goes_on_paying_by_its_newest_method(
        self, subscriber: Subscriber, dashboard: Dashboard, post: Post, sandbox: Sandbox
    ) -> None:
        named = await subscriber.saves("pm_card_mastercard")
        subscription = await subscriber.subscribes(await subscriber.plan(), payment_method_id=named)
        await dashboard.client.v1.payment_methods.attach_async(
            "pm_card_mastercard", {"customer": subscription.processor_customer_id}
        )
        await post.deliver_all()

        await subscriber.gateway.same_cards.keep_newest(subscriber.actor.known_id)

        [method] = await subscriber.methods()
        assert method.id != named
        assert (await subscriber.subscription(subscription.id)).payment_method_id == method.id
        assert at_stripe(sandbox, subscription)["default_payment_method"] == method.processor_method_id


class TestDefaultMethod:
    async def test_that_was_changed_pays_the_next_renewal(
        self, subscriber: Subscriber, subscribed: Subscription, dashboard: Dashboard, post: Post
    ) -> None:
        new = await subscriber.saves("pm_card_amex")

        await subscriber.does(UpdatePaymentMethod(method_id=new, makes_default=True))
        dashboard.passes(32)
        await post.deliver_all()

        charge = await subscriber.charge(await subscriber.subscription(subscribed.id))
        assert (charge.trigger, charge.method_brand) == (PaymentTrigger.RENEWAL, "amex")

    async def test_that_was_changed_elsewhere_is_told_to_stripe_by_a_job(
        self, subscriber: Subscriber, subscribed: Subscription, sandbox: Sandbox
    ) -> None:
        customer = sandbox.objects.find("customer", subscribed.processor_customer_id)
        assert customer is not None
        [card] = await subscriber.methods()
        settings = {**customer["invoice_settings"], "default_payment_method": None}
        sandbox.objects.save({**customer, "invoice_settings": settings})

        await subscriber.gateway.default_methods.keep_in_step(subscriber.actor.known_id)

        assert default_at_stripe(sandbox, subscribed) == card.processor_method_id

    async def test_that_is_changed_while_a_job_tells_of_the_former_one_stays_the_default_at_stripe(
        self, subscriber: Subscriber, subscribed: Subscription, sandbox: Sandbox
    ) -> None:
        gateway, user_id = subscriber.gateway, subscriber.actor.known_id
        new = await subscriber.method(await subscriber.saves("pm_card_amex"))
        changes = iter([UpdatePaymentMethod(method_id=new.id, makes_default=True)])

        async def another_job_is_faster() -> None:
            for change in changes:
                await subscriber.does(change)
                await gateway.default_methods.keep_in_step(user_id)

        processor = OvertakenProcessor.beside(gateway, another_job_is_faster)
        await replace(gateway.default_methods, processor=processor).keep_in_step(user_id)
        await processor.close()

        assert default_at_stripe(sandbox, subscribed) == new.processor_method_id

    async def test_that_keeps_changing_is_left_to_the_next_attempt(
        self, subscriber: Subscriber, subscribed: Subscription
    ) -> None:
        gateway = subscriber.gateway
        cards = cycle([await subscriber.saves("pm_card_amex"), (await subscriber.methods())[0].id])

        async def it_changes() -> None:
            await subscriber.does(UpdatePaymentMethod(method_id=next(cards), makes_default=True))

        processor = OvertakenProcessor.beside(gateway, it_changes)
        with pytest.raises(Busy):
            await replace(gateway.default_methods, processor=processor).keep_in_step(
                subscriber.actor.known_id
            )
        await processor.close()
