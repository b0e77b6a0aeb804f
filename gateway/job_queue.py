"""PgQueuer, so that no job is lost or given up for a reason that is not its own."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

from pgqueuer import PgQueuer
from pgqueuer.db import Driver
from pgqueuer.errors import RetryRequested
from pgqueuer.executors import (
    DatabaseRetryEntrypointExecutor,
    EntrypointExecutorParameters,
    ScheduleCrontab,
    ScheduleExecutor,
)
from pgqueuer.models import Context, Job, Schedule, ScheduleContext, TracebackRecord
from pgqueuer.queries import Queries
from prometheus_client import Counter
from structlog.contextvars import bound_contextvars

from domain.errors import DatabaseUnavailable
from domain.events import TRIES_BEFORE_HELD
from persistence.outages import outages_told

FIRST_PAUSE: Final = timedelta(seconds=1)
LONGEST_PAUSE: Final = timedelta(minutes=15)
PUT_OFF: Final = Counter(
    "payments_schedules_put_off",
    "Runs of what the worker does by itself that ended early, since the database was away, busy or too slow.",
    ["schedule"],
)


class Retries(DatabaseRetryEntrypointExecutor):
    """
    Whose job is done again where it was cut off; PgQueuer would delete it as cancelled.

    Whatever is logged meanwhile names the job.
    """

    async def execute(self, job: Job, context: Context) -> None:
        try:
            with bound_contextvars(job=job.entrypoint, job_id=int(job.id)):
                await super().execute(job, context)
        except asyncio.CancelledError as cut:
            raise RetryRequested(delay=timedelta(0), reason="cut off") from cut


def with_retries(parameters: EntrypointExecutorParameters) -> Retries:
    """A job's own count begins at 0: it is held at the same try as its event."""
    return Retries(
        parameters,
        max_attempts=TRIES_BEFORE_HELD - 1,
        initial_delay=FIRST_PAUSE,
        max_delay=LONGEST_PAUSE,
    )


class PatientSchedule(ScheduleExecutor):
    """What the database's absence keeps from running has its next time; it is counted, and the log has the reason."""

    async def execute(self, schedule: Schedule, context: ScheduleContext) -> None:
        try:
            with bound_contextvars(job=schedule.entrypoint, run_id=str(uuid4())):
                await super().execute(schedule, context)
        except DatabaseUnavailable:
            PUT_OFF.labels(schedule.entrypoint).inc()


class PatientQueries(Queries):
    async def retry_job(self, job: Job, delay: timedelta, traceback_record: TracebackRecord | None) -> None:
        """
        Queue a job again, also where its worker is cut off meanwhile.

        PgQueuer gives up a job for which that fails. While the database is away it stays with its worker instead,
        from whom it is taken once no heartbeat comes.
        """
        with suppress(DatabaseUnavailable), outages_told():
            await asyncio.shield(super().retry_job(job, delay, traceback_record))


class Queue(PgQueuer):
    """Whose schedules and retries are patient."""

    def __init__(self, driver: Driver) -> None:
        super().__init__(driver, queries=PatientQueries(driver))

    def schedule(
        self, entrypoint: str, expression: str, *args: Any, **options: Any
    ) -> Callable[[ScheduleCrontab], ScheduleCrontab]:
        PUT_OFF.labels(entrypoint)  # It is told from 0 on, lest the first time goes unnoticed.
        return super().schedule(entrypoint, expression, PatientSchedule, *args, **options)
