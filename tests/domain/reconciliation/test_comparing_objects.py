"""What differs between us and Stripe, why, and whether it is put right."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from domain.commands.subscriptions.pausing import PauseSubscription
from domain.errors import ProcessorRefused, ProcessorUnavailable
from domain.identity import new_id
from domain.operation import ObjectKind
from domain.payment import Payment
from domain.payment_status import CaptureMethod, PaymentStatus, SyncSource
from domain.reconciliation.run import Drift, DriftCause, RunState
from domain.refund import RefundStatus
from gateway.wiring import Gateway
from persistence.tables import metadata
from sandbox import Sandbox
from tests.dashboard import Dashboard
from tests.domain.reconciliation.intervals import Intervals, write
from tests.domain.shopping import Post, Shopper
from tests.domain.subscriptions.subscribing import Subscriber
from tests.tables import contents_of

NOT_OURS = {"reconciliation_runs", "drifts"}
NOT_ALLOWED = ProcessorRefused("This key may not.", reason="more_permissions_required")


@pytest.fixture
def post(gateway: Gateway, sandbox: Sandbox) -> Post:
    return Post(gateway=gateway, sandbox=sandbox)


@pytest.fixture
async def authorized(subscriber: Subscriber, intervals: Intervals, post: Post) -> Payment:
    """All that has happened so far is known."""
    await subscriber.saves()
    payment = await subscriber.pays(capture_method=CaptureMethod.MANUAL)
    await post.deliver_all()
    return payment


def told(drifts: Sequence[Drift]) -> list[tuple[Any, ...]]:
    return [
        (each.object_kind, each.field, each.local, each.remote, each.cause, each.is_healed) for each in drifts
    ]


class TestNothing:
    async def test_differs_where_every_event_was_handled(
        self, subscriber: Subscriber, clerk: Shopper, intervals: Intervals, post: Post, dashboard: Dashboard
    ) -> None:
        await subscriber.saves()
        subscription = await subscriber.subscribes(await subscriber.plan())
        await clerk.gives_back(await subscriber.pays(), 100)
        await subscriber.pays(capture_method=CaptureMethod.MANUAL)
        await subscriber.does(PauseSubscription(subscription_id=subscription.id))
        await post.deliver_all()
        dashboard.passes(2)
        await post.deliver_all()

        run = await intervals.compares()

        assert (run.state, run.drifts_found, run.error) == (RunState.FINISHED, 0, None)
        assert run.scanned > 6

    async def test_is_reported_while_a_command_has_not_ended(
        self, authorized: Payment, intervals: Intervals, gateway: Gateway
    ) -> None:
        await write(gateway, "UPDATE payments SET status = 'PENDING'")
        await write(
            gateway,
            "UPDATE operations SET state = 'RUNNING', finished_at = NULL WHERE object_id = :payment",
            payment=authorized.id,
        )

        assert (await intervals.compares()).drifts_found == 0

    async def test_is_reported_while_the_worker_has_only_just_got_the_news(
        self, authorized: Payment, intervals: Intervals, sandbox: Sandbox, post: Post, dashboard: Dashboard
    ) -> None:
        await dashboard.client.v1.payment_intents.cancel_async(authorized.processor_payment_id or "")
        await post.receive(post.events("payment_intent.canceled")[0])

        assert (await intervals.compares()).drifts_found == 0

    async def test_is_reported_while_the_event_may_be_on_its_way(
        self, authorized: Payment, gateway: Gateway, intervals: Intervals, dashboard: Dashboard
    ) -> None:
        await dashboard.client.v1.payment_intents.cancel_async(authorized.processor_payment_id or "")

        run = await gateway.reconciler.compare_objects()

        assert run is not None
        assert run.drifts_found == 0


class TestCause:
    async def test_is_a_missed_event_where_a_walk_has_found_it(
        self, authorized: Payment, intervals: Intervals, dashboard: Dashboard
    ) -> None:
        await dashboard.client.v1.payment_intents.cancel_async(authorized.processor_payment_id or "")
        await intervals.walks()

        run = await intervals.compares()

        assert told(await intervals.drifts(run)) == [
            (ObjectKind.PAYMENT, "status", "AUTHORIZED", "CANCELLED", DriftCause.MISSED_EVENT, True)
        ]

    async def test_is_a_failed_event_where_one_is_held(
        self,
        authorized: Payment,
        gateway: Gateway,
        intervals: Intervals,
        dashboard: Dashboard,
        post: Post,
    ) -> None:
        await dashboard.client.v1.payment_intents.cancel_async(authorized.processor_payment_id or "")
        received = await post.receive(post.events("payment_intent.canceled")[0])
        await write(gateway, "UPDATE inbox_events SET status = 'HELD' WHERE id = :id", id=received.id)

        run = await intervals.compares()

        [drift] = await intervals.drifts(run)
        assert (drift.cause, drift.is_healed) == (DriftCause.FAILED_EVENT, True)

    async def test_is_a_stale_write_where_all_was_handled(
        self, authorized: Payment, gateway: Gateway, intervals: Intervals
    ) -> None:
        await write(gateway, "UPDATE payments SET status = 'PENDING'")

        [drift] = await intervals.drifts(await intervals.compares())

        assert (drift.cause, drift.local, drift.remote) == (
            DriftCause.STALE_WRITE,
            "PENDING",
            "AUTHORIZED",
        )
        assert (drift.object_id, drift.processor_object_id) == (
            authorized.id,
            authorized.processor_payment_id,
        )

    async def test_is_an_edit_in_the_dashboard_where_somebody_else_asked_for_it(
        self,
        authorized: Payment,
        gateway: Gateway,
        intervals: Intervals,
        dashboard: Dashboard,
        post: Post,
    ) -> None:
        await dashboard.client.v1.payment_intents.capture_async(authorized.processor_payment_id or "")
        await post.deliver_all()
        await write(
            gateway, "UPDATE payments SET status = 'AUTHORIZED', captured_amount = 0, completed_at = NULL"
        )

        drifts = await intervals.drifts(await intervals.compares())

        assert {each.cause for each in drifts} == {DriftCause.DASHBOARD_EDIT}

    async def test_of_what_we_asked_for_without_a_key_is_no_edit_of_others(
        self, subscriber: Subscriber, gateway: Gateway, intervals: Intervals, post: Post
    ) -> None:
        await subscriber.saves()
        subscription = await subscriber.subscribes(await subscriber.plan())
        await subscriber.does(PauseSubscription(subscription_id=subscription.id))
        await post.deliver_all()
        await write(gateway, "UPDATE subscriptions SET status = 'ACTIVE'")

        [drift] = await intervals.drifts(await intervals.compares())

        assert (drift.field, drift.cause) == ("status", DriftCause.STALE_WRITE)

    async def test_is_that_we_lack_the_object(
        self, subscriber: Subscriber, intervals: Intervals, dashboard: Dashboard
    ) -> None:
        price = await dashboard.sells()
        made = await dashboard.subscribes(await dashboard.customer_of(subscriber.actor), price)

        run = await intervals.compares()

        found = {each.object_kind: each for each in await intervals.drifts(run)}
        ours = await dashboard.subscription(made.id)
        assert found[ObjectKind.SUBSCRIPTION].cause is DriftCause.UNKNOWN_OBJECT
        assert found[ObjectKind.SUBSCRIPTION].object_id == ours.id
        assert run.unhealed == 0


class TestHealing:
    async def test_leaves_nothing_that_differs(
        self, subscriber: Subscriber, intervals: Intervals, dashboard: Dashboard
    ) -> None:
        await subscriber.saves()
        subscription = await subscriber.subscribes(await subscriber.plan())
        payment = await subscriber.pays()
        await dashboard.client.v1.refunds.create_async(
            {"payment_intent": payment.processor_payment_id or "", "amount": 100}
        )
        await dashboard.client.v1.subscriptions.cancel_async(subscription.processor_subscription_id or "")
        dashboard.passes(0.5)

        first, second = await intervals.compares(), await intervals.compares()

        assert first.drifts_found == first.healed > 0
        assert second.drifts_found == 0
        [refund] = await subscriber.refunds(payment)
        assert (refund.status, refund.synced_by) == (RefundStatus.SUCCEEDED, SyncSource.RECONCILIATION)
        assert (await subscriber.subscription(subscription.id)).has_ended

    async def test_is_told_in_the_audit_trail(
        self, authorized: Payment, gateway: Gateway, intervals: Intervals, dashboard: Dashboard
    ) -> None:
        await dashboard.client.v1.payment_intents.cancel_async(authorized.processor_payment_id or "")

        run = await intervals.compares()

        async with gateway.services.database.reads() as reads:
            *_, last = await reads.audit.of_object(ObjectKind.PAYMENT, authorized.id)
        assert (last.action, last.request_id) == ("payment.cancelled", f"reconciliation-{run.id.hex}")

    async def test_does_not_take_back_what_may_not_go_back_and_says_so(
        self, authorized: Payment, gateway: Gateway, intervals: Intervals, subscriber: Subscriber
    ) -> None:
        await write(gateway, "UPDATE payments SET status = 'CANCELLED'")

        run = await intervals.compares()

        assert told(await intervals.drifts(run)) == [
            (ObjectKind.PAYMENT, "status", "CANCELLED", "AUTHORIZED", DriftCause.STALE_WRITE, False)
        ]
        assert run.unhealed == 1
        assert (await subscriber.payment(authorized.id)).status is PaymentStatus.CANCELLED

    async def test_of_one_that_stripe_does_not_have_is_not_possible(
        self, authorized: Payment, gateway: Gateway, intervals: Intervals
    ) -> None:
        await write(gateway, "UPDATE payments SET processor_payment_id = 'pi_gone'")

        drifts = await intervals.drifts(await intervals.compares())

        assert ("exists", "true", "false", False) in [
            (each.field, each.local, each.remote, each.is_healed) for each in drifts
        ]

    async def test_takes_a_card_away_that_was_detached_past_us(
        self, authorized: Payment, intervals: Intervals, dashboard: Dashboard, subscriber: Subscriber
    ) -> None:
        [method] = await subscriber.methods()
        await dashboard.client.v1.payment_methods.detach_async(method.processor_method_id)

        drifts = await intervals.drifts(await intervals.compares())

        assert [(each.object_kind, each.field, each.is_healed) for each in drifts] == [
            (ObjectKind.PAYMENT_METHOD, "attached", True)
        ]
        assert await subscriber.methods() == []

    async def test_follows_a_price_that_is_no_longer_sold(
        self, subscriber: Subscriber, intervals: Intervals, dashboard: Dashboard
    ) -> None:
        await subscriber.plan()
        [plan] = await dashboard.plans()
        await dashboard.client.v1.prices.update_async(plan.processor_price_id, {"active": False})

        run = await intervals.compares()

        assert [each.field for each in await intervals.drifts(run)] == ["active"]
        assert [each.active for each in await dashboard.plans()] == [False]


class TestDeletedCustomer:
    async def test_keeps_no_other_object_from_being_compared(
        self,
        authorized: Payment,
        gateway: Gateway,
        other: Subscriber,
        intervals: Intervals,
        dashboard: Dashboard,
        post: Post,
    ) -> None:
        await other.saves()
        payment = await other.pays(capture_method=CaptureMethod.MANUAL)
        await dashboard.client.v1.customers.delete_async(authorized.processor_customer_id)
        await post.deliver_all()
        await write(gateway, "UPDATE payments SET status = 'PENDING' WHERE id = :id", id=payment.id)

        run = await intervals.compares()

        assert (run.state, run.error) == (RunState.FINISHED, None)
        assert (await other.payment(payment.id)).status is PaymentStatus.AUTHORIZED


class TestWhatCannotBeRead:
    async def test_of_one_kind_keeps_no_other_from_being_compared(
        self,
        authorized: Payment,
        gateway: Gateway,
        intervals: Intervals,
        subscriber: Subscriber,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """As with a restricted key that may not read subscriptions."""
        unreadable(gateway, monkeypatch, "live_subscriptions")
        await write(gateway, "UPDATE payments SET status = 'PENDING'")

        run = await intervals.compares()

        assert run.state is RunState.FAILED
        assert run.error is not None
        assert run.error.startswith("SUBSCRIPTION: ProcessorRefused: ")
        assert "(more_permissions_required)" in run.error
        assert (await subscriber.payment(authorized.id)).status is PaymentStatus.AUTHORIZED

    async def test_is_named_where_it_is_one_object(
        self,
        authorized: Payment,
        gateway: Gateway,
        intervals: Intervals,
        subscriber: Subscriber,
        dashboard: Dashboard,
        sandbox: Sandbox,
    ) -> None:
        await subscriber.pays(capture_method=CaptureMethod.MANUAL)
        dashboard.passes(4)
        [odd, even] = sorted(sandbox.objects.all("payment_intent"), key=lambda each: each["id"])
        sandbox.objects.save({**odd, "last_payment_error": "odd"})
        await write(gateway, "UPDATE payments SET status = 'PENDING'")

        run = await intervals.compares()

        assert run.state is RunState.FAILED
        assert run.error is not None
        assert run.error.startswith(f"{odd['id']}: ")
        assert [each.processor_object_id for each in await intervals.drifts(run)] == [even["id"]]

    async def test_is_named_where_it_is_in_a_list(
        self, authorized: Payment, intervals: Intervals, sandbox: Sandbox
    ) -> None:
        [odd] = sandbox.objects.all("payment_intent")
        sandbox.objects.save({**odd, "last_payment_error": "odd"})

        run = await intervals.compares()

        assert run.state is RunState.FAILED
        assert run.error is not None
        assert run.error.startswith(f"PAYMENT: ValueError: {odd['id']} cannot be read: ")

    async def test_ends_the_run_where_stripe_is_away(
        self, authorized: Payment, gateway: Gateway, intervals: Intervals, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        unreadable(gateway, monkeypatch, "live_subscriptions", ProcessorUnavailable())
        await write(gateway, "UPDATE payments SET status = 'PENDING'")

        run = await intervals.compares()

        assert (run.state, run.drifts_found) == (RunState.FAILED, 0)


class TestForeignObject:
    async def test_that_names_one_of_no_gateway_of_ours_is_none_of_our_business(
        self, subscriber: Subscriber, intervals: Intervals, dashboard: Dashboard
    ) -> None:
        await made_elsewhere(dashboard, payment_id=str(new_id()))

        assert (await intervals.compares()).drifts_found == 0

    async def test_that_names_one_of_ours_is_told(
        self, authorized: Payment, intervals: Intervals, dashboard: Dashboard
    ) -> None:
        """A second charge under an id of ours."""
        intent = await made_elsewhere(dashboard, payment_id=str(authorized.id))

        drifts = await intervals.drifts(await intervals.compares())

        assert [(each.processor_object_id, each.cause, each.is_healed) for each in drifts] == [
            (intent, DriftCause.UNKNOWN_OBJECT, False)
        ]


class TestWrongKey:
    """As if all that is here had been made with the key of another account."""

    async def test_takes_no_method_away(
        self, authorized: Payment, gateway: Gateway, intervals: Intervals, subscriber: Subscriber
    ) -> None:
        await write(gateway, "UPDATE payment_methods SET processor_method_id = 'pm_of_others'")

        run = await intervals.compares()

        gone = [each for each in await intervals.drifts(run) if each.processor_object_id == "pm_of_others"]
        assert [(each.field, each.remote, each.is_healed) for each in gone] == [("exists", "false", False)]
        assert len(await subscriber.methods()) == 2

    async def test_takes_no_plan_from_sale(
        self, subscriber: Subscriber, gateway: Gateway, intervals: Intervals, dashboard: Dashboard
    ) -> None:
        await subscriber.plan()
        await write(gateway, "UPDATE plans SET processor_price_id = 'price_of_others'")

        run = await intervals.compares()

        gone = [each for each in await intervals.drifts(run) if each.processor_object_id == "price_of_others"]
        assert [(each.field, each.remote, each.is_healed) for each in gone] == [("exists", "false", False)]
        assert [each.active for each in await dashboard.plans()] == [True, True]


class TestDryRun:
    async def test_changes_nothing_and_finds_the_same(
        self, authorized: Payment, gateway: Gateway, intervals: Intervals, dashboard: Dashboard
    ) -> None:
        await dashboard.client.v1.payment_intents.cancel_async(authorized.processor_payment_id or "")
        dashboard.passes(0.01)
        before = await contents(gateway)

        run = await gateway.reconciler.reconcile(dashboard.now() - timedelta(days=1), heals=False)

        assert await contents(gateway) == before
        assert run.events_recovered > 0
        assert told(await intervals.drifts(run)) == [
            (ObjectKind.PAYMENT, "status", "AUTHORIZED", "CANCELLED", DriftCause.MISSED_EVENT, False)
        ]


async def contents(gateway: Gateway) -> Any:
    everything = await contents_of(gateway.settings.database_url, metadata)
    return {name: rows for name, rows in everything.items() if name not in NOT_OURS}


def unreadable(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, name: str, why: Exception = NOT_ALLOWED
) -> None:
    """A list that Stripe does not give."""

    class Refused:
        def __aiter__(self) -> "Refused":
            return self

        async def __anext__(self) -> Any:
            raise why

    monkeypatch.setattr(type(gateway.processor), name, lambda _: Refused())


async def made_elsewhere(dashboard: Dashboard, **metadata: str) -> str:
    """A payment of no customer, by another program of the merchant's; Stripe's id of it."""
    intents = dashboard.client.v1.payment_intents
    made = await intents.create_async({"amount": 500, "currency": "eur", "metadata": metadata})
    return made.id
