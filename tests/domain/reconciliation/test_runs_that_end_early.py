"""Runs whose process is cut off or gone: what was asked for is carried out all the same, and nobody waits for it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from domain.identity import new_id
from domain.payment_status import CaptureMethod
from domain.reconciliation.run import LEASE, ReconciliationRun, RunKind, RunState
from gateway.wiring import Gateway
from tests.dashboard import Dashboard
from tests.domain.reconciliation.intervals import Intervals
from tests.domain.subscriptions.subscribing import Subscriber


@pytest.fixture
async def asked(gateway: Gateway, intervals: Intervals, dashboard: Dashboard) -> ReconciliationRun:
    """By an admin."""
    now = dashboard.now()
    run = gateway.reconciler.run_of(RunKind.ALL, since=now - timedelta(days=2), until=now)
    asked = replace(run, requested_by=new_id())
    await intervals.keeps(asked)
    return asked


@pytest.fixture
def silent(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Stripe lists no events before this is set; whoever asks is held until then."""
    processor, answers = type(gateway.processor), asyncio.Event()
    listed = processor.events_between

    async def held(self: Any, *given: Any, **named: Any) -> AsyncIterator[Any]:
        await answers.wait()
        async for batch in listed(self, *given, **named):
            yield batch

    monkeypatch.setattr(processor, "events_between", held)
    return answers


async def cut_off(task: asyncio.Task[Any]) -> None:
    """As a shutdown does it, while the run asks Stripe."""
    await asyncio.sleep(0.2)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


class TestCutOff:
    async def test_what_was_asked_for_is_carried_out_by_the_next_worker(
        self, asked: ReconciliationRun, gateway: Gateway, intervals: Intervals, silent: asyncio.Event
    ) -> None:
        await cut_off(asyncio.create_task(gateway.reconciler.carry_out(asked.id)))
        assert (await intervals.run(asked.id)).state is RunState.REQUESTED

        silent.set()
        done = await gateway.reconciler.carry_out(asked.id)

        assert done.state is RunState.FINISHED

    async def test_nobody_waits_for_it(
        self, asked: ReconciliationRun, gateway: Gateway, dashboard: Dashboard, silent: asyncio.Event
    ) -> None:
        await cut_off(asyncio.create_task(gateway.reconciler.carry_out(asked.id)))
        silent.set()

        run = await gateway.reconciler.reconcile(dashboard.now() - timedelta(days=1), heals=True)

        assert run.state is RunState.FINISHED

    async def test_a_schedules_run_has_failed_and_its_next_one_goes_on(
        self, gateway: Gateway, intervals: Intervals, silent: asyncio.Event
    ) -> None:
        with capture_logs() as logs:
            await cut_off(asyncio.create_task(gateway.reconciler.walk_events()))
        silent.set()

        run = await intervals.walks()

        [failed] = [each for each in logs if each["event"] == "reconciliation.failed"]
        assert failed["error"] == "It was cut off."
        assert run.state is RunState.FINISHED


class TestGoneProcess:
    async def test_leaves_what_was_asked_for_to_the_next_worker(
        self, asked: ReconciliationRun, gateway: Gateway, intervals: Intervals
    ) -> None:
        dead = abandoned(replace(asked, id=new_id()))
        await intervals.keeps(dead)

        await intervals.walks()

        assert (await intervals.run(dead.id)).state is RunState.REQUESTED
        assert (await gateway.reconciler.carry_out(dead.id)).state is RunState.FINISHED

    async def test_is_told_also_where_another_run_is_asked_for(
        self, asked: ReconciliationRun, gateway: Gateway, intervals: Intervals, dashboard: Dashboard
    ) -> None:
        now = dashboard.now()
        dead = abandoned(gateway.reconciler.run_of(RunKind.OBJECTS, since=now, until=now))
        await intervals.keeps(dead)

        with capture_logs() as logs:
            await gateway.reconciler.carry_out(asked.id)

        assert [each["run"] for each in logs if each["event"] == "reconciliation.failed"] == [str(dead.id)]


class TestLease:
    async def test_is_renewed_after_each_reading(
        self,
        subscriber: Subscriber,
        gateway: Gateway,
        intervals: Intervals,
        dashboard: Dashboard,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        await subscriber.saves()
        for _ in range(3):
            await subscriber.pays(capture_method=CaptureMethod.MANUAL)
        dashboard.passes(4)
        processor = type(gateway.processor)
        read, leases = processor.one_payment, []

        async def watched(self: Any, processor_id: str) -> Any:
            leases.append(await lease(gateway))
            return await read(self, processor_id)

        monkeypatch.setattr(processor, "one_payment", watched)

        await intervals.compares()

        assert len(leases) == 3
        assert leases == sorted(set(leases))


def abandoned(run: ReconciliationRun) -> ReconciliationRun:
    return run.begun(at=datetime.now(UTC) - 2 * LEASE)


async def lease(gateway: Gateway) -> Any:
    async with gateway.engine.connect() as connection:
        found = await connection.execute(
            text("SELECT leased_until FROM reconciliation_runs WHERE state = 'RUNNING'")
        )
        return found.scalar_one()
