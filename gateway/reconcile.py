"""`payments-gateway reconcile` and `resync`: what differs from Stripe, told to a person or to a program."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from datetime import datetime
from typing import Final

import orjson
import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from domain.errors import Busy, DomainError
from domain.reconciliation.progress import Obstacle
from domain.reconciliation.reconciler import Reconciler
from domain.reconciliation.run import Drift, ReconciliationRun, RunKind, RunState
from gateway.readiness import fail
from gateway.settings import Settings
from gateway.wiring import Gateway, wire
from gql.ids import global_id
from gql.loaders import RECORDED
from gql.reconciliation import resyncable

UNFINISHED: Final = (
    "The comparison could not be finished, so that nothing can be said of the rest. What was healed stays so."
)


class Terminal:
    """A journal for whoever waits: what differs as soon as it is found, and a moving line on a terminal."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        console = Console(stderr=True)
        columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
        is_shown = console.is_terminal and not as_json
        self.progress = Progress(*columns, console=console, transient=True, disable=not is_shown)
        self.task = self.progress.add_task("Asking Stripe", total=None)

    def advanced(self, run: ReconciliationRun) -> None:
        self.progress.update(self.task, description=f"{run.scanned:,} looked at, {run.drifts_found} differ")

    def drifted(self, drift: Drift) -> None:
        typer.echo(drift_line(drift) if self.as_json else drift_sentence(drift))

    def unreadable(self, processor_event_id: str) -> None:
        typer.echo(f"{processor_event_id} is no event that could be read, and was passed over.", err=True)

    def not_healed(self, obstacle: Obstacle) -> None:
        typer.echo(f"Not healed: {obstacle}", err=True)

    def not_compared(self, obstacle: Obstacle) -> None:
        typer.echo(f"Not compared: {obstacle}", err=True)

    def finished(self, run: ReconciliationRun) -> None:
        typer.echo(run_line(run) if self.as_json else run_sentence(run))

    def failed(self, run: ReconciliationRun) -> None:
        if self.as_json:
            typer.echo(run_line(run))

    def put_back(self, run: ReconciliationRun) -> None:
        """Of others: what an admin has asked for and a worker does not carry out any more."""


async def reconciled(settings: Settings, *, since: datetime, heals: bool, as_json: bool) -> bool:
    """Whether nothing differs that was not healed; ends where that cannot be said."""
    async with at_terminal(settings, as_json=as_json) as (_, reconciler):
        run = await reconciler.reconcile(since, heals=heals)
    return _is_fine(run)


async def resynced(settings: Settings, text: str, *, as_json: bool) -> bool:
    """As `reconciled`, about one object by its id."""
    async with at_terminal(settings, as_json=as_json) as (gateway, reconciler):
        asked, now = resyncable(text), reconciler.clock()
        run = replace(
            reconciler.run_of(RunKind.OBJECT, since=now, until=now),
            object_kind=asked.kind,
            object_id=asked.object_id,
        )
        async with gateway.services.database.work() as work:
            await work.reconciliation_runs.add(run)
        run = await reconciler.carry_out(run.id)
    return _is_fine(run)


@asynccontextmanager
async def at_terminal(settings: Settings, *, as_json: bool) -> AsyncIterator[tuple[Gateway, Reconciler]]:
    gateway, terminal = wire(settings), Terminal(as_json=as_json)
    try:
        with terminal.progress:
            yield gateway, replace(gateway.reconciler, journal=terminal)
    except Busy as busy:
        fail(f"{busy.message} Ask again when it is over.")
    except DomainError as refused:
        fail(refused.message)
    finally:
        await gateway.close()


def _is_fine(run: ReconciliationRun) -> bool:
    """Ends where the run could not be finished, since then nobody knows."""
    if run.state is RunState.FAILED:
        fail(f"{UNFINISHED} {run.error}")
    return run.unhealed == 0


def drift_sentence(drift: Drift) -> str:
    here, there = drift.local or "nothing", drift.remote or "nothing"
    verdict = "healed" if drift.is_healed else "not healed"
    ours = "" if drift.object_id is None else f" ({global_id(RECORDED[drift.object_kind], drift.object_id)})"
    return (
        f"{drift.processor_object_id}{ours}: {drift.field} is {here} here and {there} at Stripe; "
        f"{drift.cause}, {verdict}."
    )


def run_sentence(run: ReconciliationRun) -> str:
    mode = " Nothing was changed: --heal puts it right." if run.is_dry_run and run.drifts_found else ""
    return (
        f"{run.scanned:,} events and objects looked at; {run.events_recovered:,} events had been missed. "
        f"{run.drifts_found:,} fields differed, {run.healed:,} of them are healed.{mode}"
    )


def drift_line(drift: Drift) -> str:
    """JSON; what does not apply is left out."""
    return _line("drift", asdict(drift))


def run_line(run: ReconciliationRun) -> str:
    """JSON, the last line of a run."""
    return _line("run", asdict(run))


def _line(what: str, told: Mapping[str, object]) -> str:
    known = {name: value for name, value in told.items() if value is not None}
    return orjson.dumps({"type": what, **known}, default=str).decode()
