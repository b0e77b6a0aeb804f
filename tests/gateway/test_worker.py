import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from typing import Any
from uuid import UUID

import orjson
import pytest
import structlog
from pgqueuer.queries import Queries
from prometheus_client import REGISTRY
from sqlalchemy import text
from stripe import HTTPXClient
from structlog.contextvars import get_contextvars
from structlog.testing import capture_logs

from domain.actor import SYSTEM, Actor
from domain.commands.add_payment_method import AddPaymentMethod
from domain.commands.create_payment import CreatePayment
from domain.commands.reconciliation import Reconcile
from domain.entitlements import follow_plan
from domain.errors import DatabaseUnavailable
from domain.event_queue import queue_again
from domain.identity import new_id
from domain.invariants import InvariantName
from domain.money import Money
from domain.plan_followers import PlanFollowers
from domain.reconciliation import events
from domain.statistics_service import StatisticsService
from domain.webhook_service import WebhookService
from gateway.app import application, working
from gateway.settings import Settings
from gateway.wiring import Gateway, wire
from gateway.worker import Worker, check_all, cut_off, resume_all, seal_all
from sandbox import Sandbox
from tests.audit import verified
from tests.dashboard import Dashboard, merchants_client
from tests.domain.access_values import Books, a_plan, a_subscription
from tests.domain.values import NOON
from tests.news import deliver_news, shown, signed
from tests.parts import RunningSandbox
from tests.waiting import until
from tests.watched_processor import WatchedProcessor

COUNT_WHAT_IS_THERE = import_module("migrations.versions.0005_statistics").COUNT_WHAT_IS_THERE
EVENT_JOBS = "SELECT count(*) FROM pgqueuer WHERE entrypoint = 'handle_event'"
GIVEN_UP = """
SELECT string_agg(event.status::text, ' ')
FROM inbox_events AS event JOIN pgqueuer AS job ON job.payload = uuid_send(event.id)
WHERE job.entrypoint = 'handle_event' AND job.status = 'failed'
"""
HOLD_ONE = "UPDATE inbox_events SET status = 'HELD' WHERE id = (SELECT min(id::text)::uuid FROM inbox_events)"
COFFEE = Money(minor=450, currency="EUR")


@pytest.fixture
async def own(fresh_database: Callable[[], Awaitable[str]], settings: Settings) -> AsyncIterator[Gateway]:
    """A gateway over a database that no other test writes into."""
    changes = {"database_url": await fresh_database(), "resume_seconds": 1, "run_worker": True}
    gateway = wire(settings.model_copy(update=changes), connect=WatchedProcessor.connected)
    yield gateway
    await gateway.close()


async def value(gateway: Gateway, statement: str) -> Any:
    async with gateway.engine.connect() as connection:
        return await connection.scalar(text(statement))


async def change(gateway: Gateway, statement: str) -> None:
    async with gateway.engine.begin() as connection:
        await connection.execute(text(statement))


@asynccontextmanager
async def at_work(gateway: Gateway) -> AsyncIterator[Worker]:
    worker = Worker(gateway)
    task = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.stop()
        async with asyncio.timeout(10):
            await task


async def paid(gateway: Gateway, actor: Actor, sandbox: Sandbox) -> None:
    """A payment whose events are stored, and wait."""
    commands = gateway.services.commands
    await commands.execute(actor, AddPaymentMethod(processor_method_id="pm_card_visa"))
    await commands.execute(actor, CreatePayment(amount=COFFEE), key="coffee-17")
    for event in sandbox.objects.all("event"):
        body = orjson.dumps(shown(event))
        await gateway.webhooks.receive(body, signed(body))


class TestWorker:
    async def test_handles_events_that_were_stored_before_and_after_its_start(
        self, own: Gateway, actor: Actor, other_actor: Actor, sandbox: Sandbox
    ) -> None:
        await paid(own, actor, sandbox)
        left = "SELECT count(*) FROM inbox_events WHERE status = 'RECEIVED'"

        async with at_work(own):
            await until(lambda: is_zero(own, left))
            await paid(own, other_actor, sandbox)
            await until(lambda: is_zero(own, left))

        assert await value(own, "SELECT count(*) FROM inbox_events WHERE status = 'FAILED'") == 0
        assert await value(own, "SELECT count(*) FROM pgqueuer") == 0

    async def test_reads_a_subscription_anew_where_a_transaction_asks_for_it(
        self, own: Gateway, actor: Actor, sandbox: Sandbox, running_sandbox: RunningSandbox
    ) -> None:
        http = HTTPXClient()
        client = merchants_client(running_sandbox.url, http)
        dashboard = Dashboard(gateway=own, sandbox=sandbox, client=client)
        price, customer = await dashboard.sells(), await dashboard.customer_of(actor)
        made = await dashboard.subscribes(customer, price)
        await deliver_news(sandbox, own)
        ours = await dashboard.subscription(made.id)
        await client.v1.subscriptions.cancel_async(made.id)
        async with own.services.database.work() as work:
            await work.subscriptions.lock(ours.id)
            await work.jobs.reread_subscription(ours.id)

        async with at_work(own):
            await until(lambda: value(own, "SELECT status = 'CANCELLED' FROM subscriptions"))
        await http.close_async()  # type: ignore[no-untyped-call]  # stripe leaves it unannotated.

    async def test_begins_a_paid_period_where_a_transaction_asks_for_it(
        self, own: Gateway, actor: Actor, sandbox: Sandbox, running_sandbox: RunningSandbox
    ) -> None:
        http = HTTPXClient()
        client = merchants_client(running_sandbox.url, http)
        dashboard = Dashboard(gateway=own, sandbox=sandbox, client=client)
        made = await dashboard.subscribes(await dashboard.customer_of(actor), await dashboard.sells())
        await dashboard.updates(made, pause_collection={"behavior": "void"})
        dashboard.passes(41)
        await dashboard.updates(made, pause_collection="")
        await deliver_news(sandbox, own)
        ours = await dashboard.subscription(made.id)
        async with own.services.database.work() as work:
            await work.subscriptions.lock(ours.id)
            await work.jobs.begin_period(ours.id)

        async with at_work(own):
            await until(lambda: value(own, "SELECT count(*) = 2 FROM payments WHERE status = 'COMPLETED'"))
        await http.close_async()  # type: ignore[no-untyped-call]  # stripe leaves it unannotated.

    async def test_brings_a_changed_plan_to_its_subscribers(self, own: Gateway) -> None:
        database = own.services.database
        books, plan = Books(database=database), a_plan("hd")
        await books.open()
        await books.offers(plan)
        await books.subscribes(a_subscription(plan))
        changed = replace(plan, features=["hd", "4k"])

        async with database.work() as work:
            await work.plans.save(changed)
            await follow_plan(work, plan, changed)
            await follow_plan(work, changed, replace(changed, features=["4k", "hd"]))
        assert await value(own, "SELECT count(*) FROM pgqueuer") == 1
        async with at_work(own):
            await until(lambda: value(own, "SELECT count(*) = 1 FROM entitlements WHERE feature = '4k'"))

    async def test_leaves_one_method_of_a_card_that_is_saved_again(
        self, own: Gateway, actor: Actor, sandbox: Sandbox, running_sandbox: RunningSandbox
    ) -> None:
        http = HTTPXClient()
        dashboard = Dashboard(
            gateway=own, sandbox=sandbox, client=merchants_client(running_sandbox.url, http)
        )
        await own.services.commands.execute(actor, AddPaymentMethod(processor_method_id="pm_card_visa"))
        await dashboard.gives_card(await dashboard.customer_without_card(actor), "pm_card_visa")
        await deliver_news(sandbox, own)

        async with at_work(own):
            await until(
                lambda: value(own, "SELECT count(*) = 1 FROM payment_methods WHERE detached_at IS NULL")
            )
        await http.close_async()  # type: ignore[no-untyped-call]  # stripe leaves it unannotated.

    async def test_keeps_the_default_method_at_stripe_in_step(
        self, own: Gateway, actor: Actor, sandbox: Sandbox
    ) -> None:
        await own.services.commands.execute(actor, AddPaymentMethod(processor_method_id="pm_card_visa"))
        [customer] = sandbox.objects.all("customer")
        default = customer["invoice_settings"]["default_payment_method"]
        settings = {**customer["invoice_settings"], "default_payment_method": None}
        sandbox.objects.save({**customer, "invoice_settings": settings})

        async with at_work(own):
            await until(lambda: value(own, "SELECT count(*) = 0 FROM pgqueuer"))

        [customer] = sandbox.objects.all("customer")
        assert customer["invoice_settings"]["default_payment_method"] == default
        assert default is not None

    async def test_resumes_what_was_abandoned(self, own: Gateway, actor: Actor, sandbox: Sandbox) -> None:
        await paid(own, actor, sandbox)
        await change(
            own,
            "UPDATE operations SET state = 'RUNNING', finished_at = NULL, leased_until = now() - interval '1 minute'"
            " WHERE mutation = 'createPayment'",
        )

        async with at_work(own):
            await until(
                lambda: value(
                    own,
                    "SELECT state = 'SUCCEEDED' AND attempts = 2 FROM operations WHERE mutation = 'createPayment'",
                )
            )

        assert sandbox.ledger()["totals"]["captures"] == 1

    async def test_resumes_all_that_is_due_in_one_go(
        self, own: Gateway, actor: Actor, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("domain.command_service.RESUMED_AT_ONCE", 1)
        commands = own.services.commands
        for _ in range(3):
            await commands.execute(actor, CreatePayment(amount=COFFEE, is_confirmed=False))
        await change(
            own,
            "UPDATE operations SET state = 'RUNNING', finished_at = NULL, leased_until = now() - interval '1 minute'",
        )

        await resume_all(commands, asyncio.Event())

        assert (
            await value(own, "SELECT count(*) FROM operations WHERE state = 'SUCCEEDED' AND attempts = 2")
            == 3
        )
        assert len(list(sandbox.objects.all("payment_intent"))) == 3

    async def test_resumes_nothing_more_once_it_stops(self, own: Gateway, actor: Actor) -> None:
        await own.services.commands.execute(actor, CreatePayment(amount=COFFEE, is_confirmed=False))
        await change(
            own,
            "UPDATE operations SET state = 'RUNNING', finished_at = NULL, leased_until = now() - interval '1 minute'",
        )
        stopping = asyncio.Event()
        stopping.set()

        await resume_all(own.services.commands, stopping)

        assert await value(own, "SELECT attempts FROM operations WHERE state = 'RUNNING'") == 1

    async def test_finds_events_that_never_came(
        self, own: Gateway, actor: Actor, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(events, "ON_ITS_WAY", timedelta(0))
        commands = own.services.commands
        await commands.execute(actor, AddPaymentMethod(processor_method_id="pm_card_visa"))
        settings = own.settings.model_copy(update={"reconcile_seconds": 1})

        async with at_work(replace(own, settings=settings)):
            await until(lambda: value(own, "SELECT count(*) > 0 FROM inbox_events WHERE status = 'HANDLED'"))

        assert await value(own, "SELECT bool_and(via = 'RECONCILIATION') FROM inbox_events")

    async def test_carries_out_a_run_that_was_asked_for(
        self, own: Gateway, actor: Actor, admin: Actor
    ) -> None:
        command = Reconcile(since=own.services.clock() - timedelta(days=1))
        await own.services.commands.execute(admin, command)

        async with at_work(own):
            await until(lambda: value(own, "SELECT state = 'FINISHED' FROM reconciliation_runs"))

    async def test_folds_statistics(self, own: Gateway, actor: Actor, sandbox: Sandbox) -> None:
        await paid(own, actor, sandbox)
        assert await value(own, "SELECT count(*) FROM statistics_deltas") > 0

        async with at_work(own):
            await until(lambda: is_zero(own, "SELECT count(*) FROM statistics_deltas"))

        made = "SELECT sum(made) FROM statistics_blocks WHERE dimension = 'TRIGGER' AND grain = 1440"
        assert await value(own, made) == 1

    async def test_rebuilds_statistics_where_a_migration_asks_for_it(
        self, own: Gateway, actor: Actor, sandbox: Sandbox
    ) -> None:
        await paid(own, actor, sandbox)
        await change(own, "DELETE FROM statistics_deltas")
        await change(own, COUNT_WHAT_IS_THERE)

        async with at_work(own):
            await until(lambda: is_zero(own, "SELECT count(*) FROM pgqueuer"))

        assert await value(own, "SELECT sum(made) FROM statistics_quarters") == 1

    async def test_applies_an_event_that_was_queued_again_by_a_process_that_died(
        self, own: Gateway, actor: Actor, sandbox: Sandbox
    ) -> None:
        await paid(own, actor, sandbox)
        await change(own, "UPDATE inbox_events SET status = 'HELD'")
        await change(own, "UPDATE pgqueuer SET status = 'failed'")
        held = await value(own, "SELECT id FROM inbox_events WHERE type = 'payment_intent.succeeded'")

        async with own.services.database.work() as work:
            await queue_again(work, held, is_live=False, at=NOON, by=SYSTEM)
        wait = await value(own, "SELECT execute_after - now() FROM pgqueuer WHERE status = 'queued'")
        await change(own, "UPDATE pgqueuer SET execute_after = now()")
        async with at_work(own):
            await until(lambda: value(own, "SELECT count(*) = 1 FROM inbox_events WHERE status = 'HANDLED'"))

        assert timedelta(seconds=25) < wait <= timedelta(seconds=30)

    async def test_tries_an_event_that_failed_again(
        self, own: Gateway, actor: Actor, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await paid(own, actor, sandbox)
        failures = iter([RuntimeError("once")])
        genuine = type(own.webhooks)._apply

        async def stumbling(service: Any, *arguments: Any) -> None:
            for failure in failures:
                raise failure
            await genuine(service, *arguments)

        monkeypatch.setattr(type(own.webhooks), "_apply", stumbling)

        async with at_work(own):
            await until(
                lambda: value(
                    own, "SELECT bool_and(status = 'HANDLED' OR status = 'IGNORED') FROM inbox_events"
                )
            )

        assert await value(own, "SELECT max(attempts) FROM inbox_events") == 2

    async def test_loses_no_job_that_is_cut_off(
        self, own: Gateway, actor: Actor, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await paid(own, actor, sandbox)
        before, hangs = await value(own, EVENT_JOBS), asyncio.Event()

        async def hang(*_: Any) -> None:
            hangs.set()
            await asyncio.sleep(60)

        monkeypatch.setattr(WebhookService, "handle", hang)
        worker = Worker(own)
        running = asyncio.create_task(worker.run())
        await hangs.wait()
        worker.stop()
        await cut_off(running, after=0.1)

        assert await value(own, EVENT_JOBS) == before > 0
        assert await value(own, "SELECT count(*) FROM pgqueuer_log WHERE status = 'canceled'") == 0

    async def test_holds_no_job_whose_retry_could_not_be_written(
        self, own: Gateway, actor: Actor, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await paid(own, actor, sandbox)
        genuine, outage = Queries.retry_job, iter([ConnectionRefusedError()] * 3)
        failures = iter([DatabaseUnavailable("shutting_down")] * 6)
        handle = WebhookService.handle

        async def stumbling(service: WebhookService, event_id: UUID) -> None:
            for failure in failures:
                raise failure
            await handle(service, event_id)

        async def unwritten(queries: Queries, *arguments: Any) -> None:
            for failure in outage:
                raise failure
            await genuine(queries, *arguments)

        monkeypatch.setattr("gateway.worker.DEAD_AFTER", timedelta(seconds=1))
        monkeypatch.setattr(WebhookService, "handle", stumbling)
        monkeypatch.setattr(Queries, "retry_job", unwritten)

        async with at_work(own):
            await until(lambda: is_zero(own, "SELECT count(*) FROM inbox_events WHERE status = 'RECEIVED'"))
        assert await value(own, "SELECT count(*) FROM pgqueuer") == 0
        assert next(outage, None) is None

    async def test_starts_again_whatever_ended_it(
        self, own: Gateway, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        structlog.reset_defaults()
        endings = iter([OSError("gone"), RuntimeError("surprise")])
        runs = asyncio.Event()
        monkeypatch.setattr("gateway.worker.RESTART_PAUSE", 0)

        async def ending(_: Worker) -> None:
            for failure in endings:
                raise failure
            runs.set()
            await asyncio.sleep(0)

        monkeypatch.setattr(Worker, "_run_once", ending)
        with capture_logs() as events:
            async with at_work(own), asyncio.timeout(10):
                await runs.wait()

        assert [event["event"] for event in events][:2] == ["worker.database_lost", "worker.failed"]

    async def test_stops_before_it_has_started(self, own: Gateway) -> None:
        worker = Worker(own)
        worker.stop()

        async with asyncio.timeout(5):
            await worker.run()


async def is_zero(gateway: Gateway, statement: str) -> bool:
    return bool(await value(gateway, statement) == 0)


class TestSchedule:
    async def test_that_the_database_keeps_from_running_is_counted(
        self, own: Gateway, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def slow(_: StatisticsService) -> None:
            raise DatabaseUnavailable("too_slow")

        monkeypatch.setattr("gateway.worker.FOLD_SECONDS", 1)
        monkeypatch.setattr(StatisticsService, "fold", slow)
        before = put_off()

        async with at_work(own):
            await until(lambda: put_off_since(before))


class TestLog:
    async def test_names_the_job_or_the_run_of_a_schedule_in_each_line(
        self, own: Gateway, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        told: dict[str, dict[str, Any]] = {}

        async def fold(_: StatisticsService) -> None:
            told["fold"] = get_contextvars()

        async def follow(_: PlanFollowers, plan_id: UUID) -> int:
            told["follow"] = get_contextvars()
            return 0

        monkeypatch.setattr("gateway.worker.FOLD_SECONDS", 1)
        monkeypatch.setattr(StatisticsService, "fold", fold)
        monkeypatch.setattr(PlanFollowers, "follow", follow)
        async with own.services.database.work() as work:
            await work.accounts.of_customer("cus_17")  # Whatever causes the job comes before it.
            await work.jobs.follow_plan(new_id())

        async with at_work(own):
            await until(lambda: have_come(told, "fold", "follow"))

        assert told["fold"]["job"] == "fold_statistics"
        assert UUID(told["fold"]["run_id"])
        assert told["follow"]["job"] == "follow_plan"
        assert told["follow"]["job_id"] > 0


async def have_come(told: Mapping[str, object], *names: str) -> bool:
    return told.keys() >= {*names}


def put_off() -> float:
    name, label = "payments_schedules_put_off_total", {"schedule": "fold_statistics"}
    return REGISTRY.get_sample_value(name, label) or 0.0


async def put_off_since(before: float) -> bool:
    return put_off() > before


class TestStrayEvents:
    async def test_are_handled_though_their_jobs_are_gone(
        self, own: Gateway, actor: Actor, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("gateway.worker.EVERY_MINUTE", "* * * * * */1")
        await paid(own, actor, sandbox)
        await change(own, "DELETE FROM pgqueuer")
        await change(own, "UPDATE inbox_events SET received_at = now() - interval '6 minutes'")

        async with at_work(own):
            await until(lambda: is_zero(own, "SELECT count(*) FROM inbox_events WHERE status = 'RECEIVED'"))

        assert await value(own, "SELECT count(*) FROM inbox_events WHERE status = 'HANDLED'") > 0

    async def test_are_those_whose_job_was_given_up_before_they_were_held(
        self, own: Gateway, actor: Actor, sandbox: Sandbox
    ) -> None:
        await paid(own, actor, sandbox)
        await change(own, "UPDATE pgqueuer SET status = 'failed'")
        await change(
            own, "UPDATE inbox_events SET status = 'FAILED', received_at = now() - interval '6 minutes'"
        )
        await change(own, HOLD_ONE)
        events = await value(own, EVENT_JOBS)

        counts = [await own.stray_events.queue(), await own.stray_events.queue()]

        assert counts == [events - 1, 0]
        assert await value(own, EVENT_JOBS + " AND status = 'queued'") == events - 1
        assert await value(own, GIVEN_UP) == "HELD"

    async def test_are_none_that_came_in_just_now(self, own: Gateway, actor: Actor, sandbox: Sandbox) -> None:
        await paid(own, actor, sandbox)
        await change(own, "DELETE FROM pgqueuer")

        assert await own.stray_events.queue() == 0

    async def test_are_none_that_a_job_will_handle(
        self, own: Gateway, actor: Actor, sandbox: Sandbox
    ) -> None:
        await paid(own, actor, sandbox)
        await change(own, "UPDATE inbox_events SET received_at = now() - interval '6 minutes'")

        assert await own.stray_events.queue() == 0


class TestBesideTheServer:
    async def test_runs_while_the_server_does(self, own: Gateway, actor: Actor, sandbox: Sandbox) -> None:
        async with working(own):
            await paid(own, actor, sandbox)
            await until(lambda: is_zero(own, "SELECT count(*) FROM inbox_events WHERE status = 'RECEIVED'"))

    async def test_does_not_run_where_the_settings_say_so(
        self, gateway: Gateway, actor: Actor, sandbox: Sandbox
    ) -> None:
        app = application(gateway)

        async with app.router.lifespan_context(app):
            running = [repr(task.get_coro()) for task in asyncio.all_tasks()]

        assert not any("Worker.run" in coroutine for coroutine in running)


class TestSealing:
    async def test_leaves_a_copy_of_each_seals_hash_in_the_log(
        self, gateway: Gateway, actor: Actor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("domain.audit_service.LARGEST_SEAL", 2)
        monkeypatch.setattr("domain.audit_seal.LARGEST_SEAL", 2)
        await gateway.services.commands.execute(actor, AddPaymentMethod(processor_method_id="pm_card_visa"))

        with capture_logs() as logs:
            await seal_all(gateway.services.audit)
            await seal_all(gateway.services.audit)

        sealed = [entry for entry in logs if entry["event"] == "audit.sealed"]
        assert [entry["records"] for entry in sealed] == [2, 1]
        verification, wrong = await verified(gateway.services.database, *(entry["hash"] for entry in sealed))
        assert (verification.unsealed, wrong) == (0, [])


class TestCheckingInvariants:
    async def test_leaves_an_alarm_in_the_log_for_each_that_is_broken(
        self, gateway: Gateway, actor: Actor
    ) -> None:
        await gateway.services.commands.execute(actor, AddPaymentMethod(processor_method_id="pm_card_visa"))
        await change(
            gateway, "UPDATE operations SET state = 'RUNNING', finished_at = NULL, started_at = '2026-01-01'"
        )

        with capture_logs() as logs:
            await check_all(gateway.services.invariants)

        operation = str(await value(gateway, "SELECT id FROM operations"))
        assert logs == [
            {
                "event": "invariant.broken",
                "log_level": "error",
                "invariant": "OPERATIONS_END",
                "count": 1,
                "objects": [operation],
            },
            {"event": "invariants.checked", "log_level": "info", "count": len(InvariantName), "broken": 1},
        ]

    async def test_runs_as_a_job_each_night(self, own: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("gateway.worker.NIGHTLY", "* * * * * */1")

        async with at_work(own):
            await until(lambda: value(own, "SELECT count(*) > 0 FROM invariant_checks"))
