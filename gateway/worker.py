"""The worker: applies stored events, and resumes what was abandoned. Any number may run."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from socket import socket
from typing import Final
from uuid import UUID

import asyncpg
import structlog
from pgqueuer import AsyncpgPoolDriver, PgQueuer
from pgqueuer.models import Job, Schedule

from domain.audit_service import AuditService
from domain.command_service import CommandService
from domain.invariant_service import InvariantService
from gateway.job_queue import Queue, with_retries
from gateway.server import CUT_OFF_SECONDS
from gateway.wiring import Gateway
from persistence.address import asyncpg_dsn
from persistence.engine import CONNECT_SECONDS, SERVER_SETTINGS
from persistence.jobs import (
    BEGIN_PERIOD,
    FOLLOW_PLAN,
    HANDLE_EVENT,
    KEEP_DEFAULT_IN_STEP,
    KEEP_NEWEST_OF_SAME_CARDS,
    REBUILD_STATISTICS,
    RECONCILE,
    REREAD_SUBSCRIPTION,
)

IDLE_POLL: Final = timedelta(seconds=5)
"""How long a lost notification may go unnoticed."""
JOBS_AT_ONCE: Final = 10
"""
Per process. A flood of jobs must leave the processor, and Stripe, to the requests beside it.

It does not bound connections: a job holds one while it writes, or waits for a lock, and so does each of the operations
that the worker resumes. With DATABASE_POOL_SIZE all of them share one pool with the requests.
"""
FETCHED_AT_ONCE: Final = JOBS_AT_ONCE // 2
"""PgQueuer wants to have room for two such batches."""
DEAD_AFTER: Final = timedelta(seconds=30)
RESTART_PAUSE: Final = 1.0
POOL_SIZE: Final = 3
"""Connections of the job queue itself, beside the engine's: one listens, the others fetch and end jobs."""
LONGEST_STATEMENT: Final = 30.0
"""Seconds, also where the server is silent; its own time-outs are shorter."""
RESUME_FOR: Final = 30.0
"""Seconds, so that any worker may take its turn at it."""
FOLD_SECONDS: Final = 5
HOURLY: Final = "7 * * * *"
EVERY_MINUTE: Final = "* * * * *"
NIGHTLY: Final = "23 3 * * *"

log = structlog.get_logger()


class Worker:
    """Runs until `stop`; a lost database is waited for, and never ends it."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._is_stopping = asyncio.Event()
        self._queue: PgQueuer | None = None

    def stop(self) -> None:
        """Take no more jobs, and return from `run` when the running ones have ended."""
        self._is_stopping.set()
        if self._queue is not None:
            self._queue.shutdown.set()

    async def run(self) -> None:
        while not self._is_stopping.is_set():
            try:
                await self._run_once()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as lost:
                log.warning("worker.database_lost", error=type(lost).__name__)
                await self._pause()
            except Exception:
                log.exception(
                    "worker.failed"
                )  # Events pile up while no worker runs, so it always starts again.
                await self._pause()

    async def _pause(self) -> None:
        """Before another try; a stop ends it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(RESTART_PAUSE):
                await self._is_stopping.wait()

    async def _run_once(self) -> None:
        async with self._pool() as pool:
            self._queue = Queue(AsyncpgPoolDriver(pool))
            self._register(self._queue)
            if not self._is_stopping.is_set():
                await self._queue.run(
                    dequeue_timeout=IDLE_POLL,
                    heartbeat_timeout=DEAD_AFTER,
                    max_concurrent_tasks=JOBS_AT_ONCE,
                    batch_size=FETCHED_AT_ONCE,
                )

    @asynccontextmanager
    async def _pool(self) -> AsyncIterator[asyncpg.Pool]:
        """After a failure nothing is waited for: closing would wait for lost connections without end."""
        dsn = asyncpg_dsn(self._gateway.settings.database_url)
        pool = await asyncpg.create_pool(
            dsn,
            min_size=1,
            max_size=POOL_SIZE,
            server_settings=SERVER_SETTINGS,
            timeout=CONNECT_SECONDS,
            command_timeout=LONGEST_STATEMENT,
        )
        try:
            yield pool
        except BaseException:
            pool.terminate()
            raise
        await pool.close()

    def _register(self, queue: PgQueuer) -> None:
        commands = self._gateway.services.commands
        statistics = self._gateway.services.statistics

        @queue.entrypoint(HANDLE_EVENT, on_failure="hold", executor_factory=with_retries)
        async def handle_event(job: Job) -> None:
            await self._gateway.webhooks.handle(UUID(bytes=job.payload))

        @queue.schedule("queue_stray_events", EVERY_MINUTE)
        async def queue_stray_events(_: Schedule) -> None:
            if count := await self._gateway.stray_events.queue():
                log.warning("events.astray", count=count)

        @queue.entrypoint(REREAD_SUBSCRIPTION, on_failure="hold", executor_factory=with_retries)
        async def reread_subscription(job: Job) -> None:
            await self._gateway.subscriptions.reread(UUID(bytes=job.payload))

        @queue.entrypoint(BEGIN_PERIOD, on_failure="hold", executor_factory=with_retries)
        async def begin_period(job: Job) -> None:
            await self._gateway.subscriptions.begin_period(UUID(bytes=job.payload))

        @queue.entrypoint(FOLLOW_PLAN, on_failure="hold", executor_factory=with_retries)
        async def follow_plan(job: Job) -> None:
            count = await self._gateway.plan_followers.follow(UUID(bytes=job.payload))
            log.info("plan.followed", subscriptions=count)

        @queue.entrypoint(REBUILD_STATISTICS, on_failure="hold", executor_factory=with_retries)
        async def rebuild_statistics(_: Job) -> None:
            log.info("statistics.rebuilt", objects=await statistics.rebuild())

        @queue.schedule("fold_statistics", every_seconds(FOLD_SECONDS))
        async def fold_statistics(_: Schedule) -> None:
            await statistics.fold()

        @queue.entrypoint(KEEP_DEFAULT_IN_STEP, on_failure="hold", executor_factory=with_retries)
        async def keep_default_in_step(job: Job) -> None:
            await self._gateway.default_methods.keep_in_step(UUID(bytes=job.payload))

        @queue.entrypoint(KEEP_NEWEST_OF_SAME_CARDS, on_failure="hold", executor_factory=with_retries)
        async def keep_newest_of_same_cards(job: Job) -> None:
            await self._gateway.same_cards.keep_newest(UUID(bytes=job.payload))

        @queue.schedule("resume_operations", every_seconds(self._gateway.settings.resume_seconds))
        async def resume_operations(_: Schedule) -> None:
            await resume_all(commands, queue.shutdown)

        self._register_reconciliation(queue)

        @queue.schedule("seal_audit_trail", EVERY_MINUTE)
        async def seal_audit_trail(_: Schedule) -> None:
            await seal_all(self._gateway.services.audit)

        @queue.schedule("check_invariants", NIGHTLY)
        async def check_invariants(_: Schedule) -> None:
            await check_all(self._gateway.services.invariants)

        @queue.schedule("drop_expired_operations", HOURLY)
        async def drop_expired_operations(_: Schedule) -> None:
            await commands.drop_expired()

        @queue.schedule("drop_expired_previews", HOURLY)
        async def drop_expired_previews(_: Schedule) -> None:
            await self._gateway.services.previews.drop_expired()

    def _register_reconciliation(self, queue: PgQueuer) -> None:
        settings, reconciler = self._gateway.settings, self._gateway.reconciler

        @queue.entrypoint(RECONCILE, on_failure="hold", executor_factory=with_retries)
        async def reconcile(job: Job) -> None:
            await reconciler.carry_out(UUID(bytes=job.payload))

        @queue.schedule("drop_old_reconciliation_runs", HOURLY)
        async def drop_old_reconciliation_runs(_: Schedule) -> None:
            await reconciler.drop_old()

        if settings.reconcile_seconds:

            @queue.schedule("reconcile_events", every(settings.reconcile_seconds))
            async def reconcile_events(_: Schedule) -> None:
                await reconciler.walk_events()

        if settings.reconcile_objects_hours:

            @queue.schedule("reconcile_objects", every_hours(settings.reconcile_objects_hours))
            async def reconcile_objects(_: Schedule) -> None:
                await reconciler.compare_objects()


async def resume_all(commands: CommandService, is_stopping: asyncio.Event) -> None:
    """What is due now, which after an outage may be thousands; after RESUME_FOR the rest waits for the next run."""
    loop = asyncio.get_running_loop()
    end = loop.time() + RESUME_FOR
    if resumed := await commands.resume_abandoned(lambda: not is_stopping.is_set() and loop.time() < end):
        log.info("operations.resumed", count=resumed)


async def seal_all(audit: AuditService) -> None:
    """The log is the outside copy of each seal: whoever keeps it can prove what was recorded until then."""
    seal = await audit.seal()
    while seal is not None:
        log.info(
            "audit.sealed",
            hash=seal.hash,
            first=seal.first_sequence,
            last=seal.last_sequence,
            records=seal.records,
        )
        seal = await audit.seal() if seal.is_full else None


async def check_all(invariants: InvariantService) -> None:
    """Check the money invariants; the log has an alarm for each that is broken."""
    found = await invariants.check()
    broken = [each for each in found if not each.holds]
    for each in broken:
        log.error(
            "invariant.broken",
            invariant=each.name.value,
            count=each.violation_count,
            objects=[str(violation.object_id) for violation in each.violations if violation.object_id],
        )
    log.info("invariants.checked", count=len(found), broken=len(broken))


def every_seconds(seconds: int) -> str:
    """Cron with the seconds as its sixth field."""
    return f"* * * * * */{seconds}"


def every(seconds: int) -> str:
    """Whole minutes from 60 seconds on, as cron has it."""
    minutes = seconds // 60
    return every_seconds(seconds) if minutes == 0 else f"*/{minutes} * * * *"


def every_hours(hours: int) -> str:
    return f"17 */{hours} * * *"


async def run_until_signalled(gateway: Gateway, *, metrics: socket | None = None) -> None:
    """The worker as a program of its own: SIGTERM and SIGINT let running jobs end, for as long as requests may."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    worker = Worker(gateway)
    running = asyncio.create_task(worker.run())
    log.info("worker.started")
    async with gateway.measured(metrics):
        await stopping.wait()
        worker.stop()
        await cut_off(running, after=gateway.settings.shutdown_seconds)
    await gateway.close()


async def cut_off(running: asyncio.Task[None], *, after: float) -> None:
    """
    What a job does is safe to cut short: it hands over its operations, and is queued again for another worker.

    Where that cannot be written any more, another worker takes it over after DEAD_AFTER.
    """
    _, late = await asyncio.wait([running], timeout=after)
    for each in late:
        log.warning("worker.cut_off", after_seconds=after)
        each.cancel()
        await asyncio.wait([each], timeout=CUT_OFF_SECONDS)
