"""The walk of Stripe's events: what was missed is found once, in order, whoever walks and whatever fails meanwhile."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from domain.errors import Busy
from domain.events import InboxStatus
from domain.paging import Slice
from domain.payment import Payment
from domain.payment_list import PaymentFilter, PaymentOrder
from domain.payment_status import PaymentStatus, SyncSource
from domain.reconciliation.events import LISTED_LATE, REMEMBERED_FOR
from domain.reconciliation.run import LEASE, RunKind, RunState
from gateway.wiring import Gateway
from processor import stripe_lists
from sandbox import Sandbox
from sandbox.control.faults import Kind
from tests.dashboard import Dashboard
from tests.domain.faults import spoil
from tests.domain.reconciliation.intervals import Intervals, write
from tests.domain.shopping import Post
from tests.domain.subscriptions.subscribing import Subscriber


def happened(sandbox: Sandbox) -> int:
    return len(list(sandbox.objects.all("event")))


@pytest.fixture
def post(gateway: Gateway, sandbox: Sandbox) -> Post:
    return Post(gateway=gateway, sandbox=sandbox)


class TestWalk:
    async def test_recovers_what_was_missed_in_the_order_in_which_it_happened(
        self, subscriber: Subscriber, intervals: Intervals
    ) -> None:
        await subscriber.saves()
        await subscriber.pays()

        run = await intervals.walks()

        inbox = await intervals.inbox()
        assert run.events_recovered == len(inbox) > 2
        assert {event.via for event in inbox} == {SyncSource.RECONCILIATION}
        times = [event.occurred_at for event in sorted(inbox, key=lambda event: event.id)]
        assert times == sorted(times)

    async def test_keeps_no_client_secret(self, subscriber: Subscriber, intervals: Intervals) -> None:
        await subscriber.saves()
        await subscriber.pays()

        await intervals.walks()

        assert not [event for event in await intervals.inbox() if "client_secret" in event.payload]

    async def test_recovers_nothing_twice(self, subscriber: Subscriber, intervals: Intervals) -> None:
        await subscriber.saves()
        await intervals.passes()

        run = await intervals.passes()

        assert run.events_recovered == 0
        assert run.scanned > 0

    async def test_leaves_alone_what_we_do_not_handle(
        self, dashboard: Dashboard, intervals: Intervals
    ) -> None:
        await dashboard.client.v1.customers.create_async({})

        run = await intervals.walks()

        assert (run.scanned, run.events_recovered) == (1, 0)

    async def test_leaves_what_may_still_be_delivered_to_the_next(
        self, subscriber: Subscriber, gateway: Gateway, intervals: Intervals
    ) -> None:
        await subscriber.saves()

        at_once = await gateway.reconciler.walk_events()
        later = await intervals.walks()

        assert at_once is not None
        assert (at_once.events_recovered, later.events_recovered > 0) == (0, True)

    async def test_goes_on_from_the_last_event_that_the_one_before_has_seen(
        self, subscriber: Subscriber, intervals: Intervals
    ) -> None:
        await subscriber.saves()
        await intervals.walks()
        last = max(event.occurred_at for event in await intervals.inbox())

        second = await intervals.walks()

        assert second.since == last - LISTED_LATE

    async def test_goes_back_thirty_days_and_no_further(
        self, subscriber: Subscriber, dashboard: Dashboard, intervals: Intervals
    ) -> None:
        await subscriber.saves()
        dashboard.passes(31)
        await subscriber.pays()

        run = await intervals.walks()

        assert run.since == dashboard.now() - REMEMBERED_FOR
        assert {event.type.split(".")[0] for event in await intervals.inbox()} == {
            "payment_intent",
            "charge",
        }

    async def test_holds_no_more_than_a_bounded_number_of_events(
        self,
        subscriber: Subscriber,
        dashboard: Dashboard,
        intervals: Intervals,
        sandbox: Sandbox,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(stripe_lists, "MOST_EVENTS", 5)
        monkeypatch.setattr(stripe_lists, "LARGEST_PAGE", 2)
        await subscriber.saves()
        for _ in range(3):
            dashboard.passes(1)
            await subscriber.pays()

        run = await intervals.walks()

        assert run.scanned == happened(sandbox)

    async def test_takes_no_event_of_another_mode(
        self, subscriber: Subscriber, gateway: Gateway, intervals: Intervals, dashboard: Dashboard
    ) -> None:
        await subscriber.saves()
        dashboard.passes(1)
        live = replace(gateway.reconciler.events, is_live=True)

        run = await replace(gateway.reconciler, events=live, is_live=True).walk_events()

        assert run is not None
        assert (run.livemode, run.events_recovered, await intervals.inbox()) == (True, 0, [])


class TestClockThatIsAhead:
    async def test_lets_no_event_be_passed_over_once_it_is_right(
        self, subscriber: Subscriber, gateway: Gateway, intervals: Intervals
    ) -> None:
        await subscriber.saves()
        await intervals.walks()
        await walks_ahead(gateway, by=timedelta(minutes=30))
        payment = await subscriber.pays()

        run = await intervals.walks()

        assert payment.processor_payment_id in {
            event.processor_object_id for event in await intervals.inbox()
        }
        assert run.events_recovered > 0

    async def test_has_been_here_before_and_what_it_left_is_not_believed(
        self, subscriber: Subscriber, gateway: Gateway, intervals: Intervals, dashboard: Dashboard
    ) -> None:
        """Runs of former versions have kept how far their own clocks had come."""
        await subscriber.saves()
        await intervals.walks()
        ahead = dashboard.now() + timedelta(hours=1)
        await write(
            gateway, "UPDATE reconciliation_runs SET walked_until = :ahead, until = :ahead", ahead=ahead
        )
        await subscriber.pays()

        assert (await intervals.walks()).events_recovered > 0

    async def test_ends_no_run_that_is_being_carried_out(
        self, gateway: Gateway, intervals: Intervals, dashboard: Dashboard
    ) -> None:
        now = datetime.now(UTC)
        living = gateway.reconciler.run_of(RunKind.OBJECTS, since=now, until=now).begun(at=now)
        await intervals.keeps(living)

        await walks_ahead(gateway, by=2 * LEASE)

        assert (await intervals.run(living.id)).state is RunState.RUNNING


class TestUnreadableEvent:
    async def test_is_passed_over_and_told(
        self,
        subscriber: Subscriber,
        intervals: Intervals,
        sandbox: Sandbox,
        dashboard: Dashboard,
    ) -> None:
        await subscriber.saves()
        event = next(sandbox.objects.all("event"))
        sandbox.objects.insert({**event, "id": "evt_odd", "data": {"object": {"id": "thing_1"}}})
        dashboard.passes(1)
        payment = await subscriber.pays()

        with capture_logs() as logs:
            run = await intervals.walks()

        assert (run.state, run.scanned) == (RunState.FINISHED, happened(sandbox))
        inbox = await intervals.inbox()
        assert "evt_odd" not in {event.processor_event_id for event in inbox}
        assert payment.processor_payment_id in {event.processor_object_id for event in inbox}
        assert [each["stripe_id"] for each in logs if each["event"] == "reconciliation.unreadable"] == [
            "evt_odd"
        ]


class TestFailingWalk:
    async def test_is_resumed_where_it_came_to(
        self,
        subscriber: Subscriber,
        intervals: Intervals,
        dashboard: Dashboard,
        sandbox: Sandbox,
        impatient: None,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(stripe_lists, "MOST_EVENTS", 5)
        await subscriber.saves()
        for _ in range(3):
            dashboard.passes(2)
            await subscriber.pays()
        walked = stripe_lists.StripeLists.events_between

        async def broken(self, since, until, *, at):  # type: ignore[no-untyped-def]  # The processor's own.
            async for batch in walked(self, since, until, at=at):
                yield batch
                if batch.events:
                    spoil(sandbox, "/v1/events", Kind.ERROR_BEFORE, method="GET")

        monkeypatch.setattr(stripe_lists.StripeLists, "events_between", broken)
        failed = await intervals.walks()
        sandbox.faults.clear()
        monkeypatch.setattr(stripe_lists.StripeLists, "events_between", walked)

        resumed = await intervals.walks()

        assert failed.state is RunState.FAILED
        assert failed.error is not None
        assert "ProcessorUnavailable" in failed.error
        assert failed.walked_until is not None
        assert failed.events_recovered > 0
        assert resumed.since == failed.walked_until - LISTED_LATE
        await intervals.worker_catches_up()
        assert {event.status for event in await intervals.inbox()} == {InboxStatus.HANDLED}
        assert [each.status for each in await payments_of(subscriber)] == [PaymentStatus.COMPLETED] * 3

    async def test_whose_process_died_is_marked_and_the_next_one_walks(
        self, gateway: Gateway, intervals: Intervals, dashboard: Dashboard
    ) -> None:
        now = dashboard.now()
        asked = gateway.reconciler.run_of(RunKind.EVENTS, since=now, until=now)
        dead = asked.begun(at=datetime.now(UTC) - 2 * LEASE)
        await intervals.keeps(dead)

        run = await intervals.walks()

        assert (await intervals.run(dead.id)).state is RunState.FAILED
        assert run.state is RunState.FINISHED


class TestTwoAtOnce:
    async def test_one_of_them_walks(
        self, subscriber: Subscriber, gateway: Gateway, intervals: Intervals, dashboard: Dashboard
    ) -> None:
        await subscriber.saves()
        dashboard.passes(1)

        runs = await asyncio.gather(*(gateway.reconciler.walk_events() for _ in range(4)))

        walked = [run for run in runs if run is not None]
        assert 0 < len(walked) < len(runs)
        assert sum(run.events_recovered for run in walked) == len(await intervals.inbox())

    async def test_a_person_is_told_so(
        self, gateway: Gateway, intervals: Intervals, dashboard: Dashboard
    ) -> None:
        now = dashboard.now()
        other = gateway.reconciler.run_of(RunKind.ALL, since=now, until=now)
        await intervals.keeps(other.begun(at=datetime.now(UTC)))

        with pytest.raises(Busy):
            await gateway.reconciler.reconcile(now - timedelta(days=1), heals=True)


class TestOldRuns:
    async def test_that_found_nothing_are_dropped_and_never_the_last(
        self, gateway: Gateway, intervals: Intervals, dashboard: Dashboard, sandbox: Sandbox
    ) -> None:
        await dashboard.client.v1.customers.create_async({})
        [made] = [datetime.fromtimestamp(event["created"], UTC) for event in sandbox.objects.all("event")]
        for _ in range(4):
            await intervals.walks()
        dashboard.passes(3)

        dropped = await gateway.reconciler.drop_old()

        since, _ = await gateway.reconciler.events.window()
        assert dropped == 3
        assert since == made - LISTED_LATE

    async def test_that_found_something_stay_longer(
        self, subscriber: Subscriber, gateway: Gateway, intervals: Intervals, dashboard: Dashboard
    ) -> None:
        await subscriber.saves()
        for _ in range(2):
            await intervals.walks()
        dashboard.passes(3)

        assert await gateway.reconciler.drop_old() == 0
        dashboard.passes(100)
        assert await gateway.reconciler.drop_old() == 1


async def walks_ahead(gateway: Gateway, *, by: timedelta) -> None:
    """A walk of a process whose clock is so far ahead."""
    reconciler = gateway.reconciler

    def ahead() -> datetime:
        return reconciler.clock() + by

    events = replace(reconciler.events, clock=ahead)
    run = await replace(reconciler, clock=ahead, events=events).walk_events()
    assert run is not None
    assert run.state is RunState.FINISHED


async def payments_of(subscriber: Subscriber) -> Sequence[Payment]:
    async with subscriber.gateway.services.database.reads() as reads:
        return await reads.payments.listed(PaymentFilter(), PaymentOrder(), Slice(limit=100))
