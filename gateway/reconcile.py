"""`payments-gateway reconcile` and `resync`: what differs from Stripe, told to a person or to a program."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from uuid import UUID

import orjson
import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from domain.errors import Busy, DomainError
from domain.identity import new_id
from domain.operation import ObjectKind
from domain.reconciliation.reconciler import Reconciler
from domain.reconciliation.run import Drift, ReconciliationRun, RunKind, RunState
from gateway.readiness import fail
from gateway.settings import Settings
from gateway.wiring import Gateway, wire
from gql.ids import PREFIX, parsed_id

STRIPE_IS_AWAY: Final = "Stripe cannot be asked now, so that nothing can be said. What was healed before stays so."


@dataclass(kw_only=True)
class Terminal:
    """A journal for whoever waits: what differs as soon as it is found, and a moving line on a terminal."""

    as_json: bool
    progress: Progress = field(
        default_factory=lambda: Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
    )

    def __post_init__(self) -> None:
        self.progress.disable = self.as_json or not self.progress.console.is_terminal
        self.task = self.progress.add_task("Asking Stripe")

    def advanced(self, run: ReconciliationRun) -> None:
        self.progress.update(self.task, description=f"{run.scanned:,} looked at, {run.drifts_found} differ")

    def drifted(self, drift: Drift) -> None:
        typer.echo(drift_line(drift) if self.as_json else drift_sentence(drift))

    def not_healed(self, kind: ObjectKind, processor_object_id: str, why: Exception) -> None:
        typer.echo(f"{processor_object_id} could not be healed: {why}", err=True)

    def finished(self, run: ReconciliationRun) -> None:
        typer.echo(run_line(run) if self.as_json else run_sentence(run))

    def failed(self, run: ReconciliationRun) -> None:
        if self.as_json:
            typer.echo(run_line(run))


async def reconciled(settings: Settings, *, since: datetime, heals: bool, as_json: bool) -> bool:
    """Whether nothing differs that was not healed; ends where that cannot be said."""
    async with at_terminal(settings, as_json=as_json) as (_, reconciler):
        run = await reconciler.reconcile(since, heals=heals)
    return _is_fine(run)


async def resynced(settings: Settings, text: str, *, as_json: bool) -> bool:
    """As `reconciled`, about one object by its id."""
    async with at_terminal(settings, as_json=as_json) as (gateway, reconciler):
        kind, object_id = parsed_id(text)
        run = replace(
            reconciler.run_of(RunKind.OBJECT, since=reconciler.clock(), until=reconciler.clock()),
            object_kind=kind_of(kind),
            object_id=object_id,
        )
        async with gateway.services.database.work() as work:
            await work.reconciliation_runs.add(run)
        run = await reconciler.carry_out(run.id)
    return _is_fine(run)


@asynccontextmanager
async def at_terminal(settings: Settings, *, as_json: bool) -> AsyncIterator[tuple[Gateway, Reconciler]]:
    gateway, terminal = wire(settings), Terminal(as_json=as_json)
    comparison = replace(gateway.reconciler.comparison, journal=terminal)
    try:
        with terminal.progress:
            yield gateway, replace(gateway.reconciler, comparison=comparison, journal=terminal)
    except Busy as busy:
        fail(f"{busy.message} Ask again when it is over.")
    except DomainError as refused:
        fail(refused.message)
    finally:
        await gateway.close()
