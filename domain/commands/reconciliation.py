"""Ask for a comparison with the processor, of everything or of one object."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final
from uuid import UUID

from domain.actor import Role
from domain.audit import audit_record
from domain.commands.command import LocalCommand, Step
from domain.errors import InvalidInput, NotFound
from domain.identity import new_id
from domain.operation import ObjectKind
from domain.ports import Work
from domain.reconciliation.run import ReconciliationRun, RunKind, RunState

FINDERS: Final[Mapping[ObjectKind, Callable[[Work, UUID], Awaitable[object | None]]]] = {
    ObjectKind.PAYMENT: lambda work, object_id: work.payments.get(object_id),
    ObjectKind.REFUND: lambda work, object_id: work.refunds.get(object_id),
    ObjectKind.DISPUTE: lambda work, object_id: work.disputes.get(object_id),
    ObjectKind.SUBSCRIPTION: lambda work, object_id: work.subscriptions.get(object_id),
    ObjectKind.INVOICE: lambda work, object_id: work.invoices.get(object_id),
    ObjectKind.PAYMENT_METHOD: lambda work, object_id: work.payment_methods.get(object_id),
    ObjectKind.PLAN: lambda work, object_id: work.plans.get(object_id),
}
"""What the processor has too, so that it can be read there anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconcile(LocalCommand):
    """The worker carries it out; a dry run finds the same and changes nothing."""

    mutation: ClassVar = "reconcile"
    object_kind: ClassVar = ObjectKind.RECONCILIATION_RUN

    since: datetime
    is_dry_run: bool = True

    async def intend(self, step: Step) -> tuple[UUID, None]:
        step.by.must_be({Role.ADMIN})
        if self.since >= step.at:
            raise InvalidInput("This has not happened yet.", path=("since",), constraint="past")
        run = requested(step, RunKind.ALL, since=self.since, is_dry_run=self.is_dry_run)
        await keep(step, run)
        await step.work.jobs.reconcile(run.id)
        return run.id, None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resync(LocalCommand):
    """Keeps that it was asked for; whoever asks has it carried out at once (`ReconciliationService.resynced`)."""

    mutation: ClassVar = "resync"
    object_kind: ClassVar = ObjectKind.RECONCILIATION_RUN

    kind: ObjectKind
    object_id: UUID

    async def intend(self, step: Step) -> tuple[UUID, None]:
        step.by.must_be({Role.ADMIN})
        if await FINDERS[self.kind](step.work, self.object_id) is None:
            raise NotFound("There is no such object.", path=("object_id",))
        run = requested(step, RunKind.OBJECT, since=step.at, object_kind=self.kind, object_id=self.object_id)
        await keep(step, run)
        return run.id, None


def requested(
    step: Step,
    kind: RunKind,
    *,
    since: datetime,
    is_dry_run: bool = False,
    object_kind: ObjectKind | None = None,
    object_id: UUID | None = None,
) -> ReconciliationRun:
    return ReconciliationRun(
        id=new_id(),
        kind=kind,
        state=RunState.REQUESTED,
        livemode=step.is_live,
        is_dry_run=is_dry_run,
        since=since,
        until=step.at,
        object_kind=object_kind,
        object_id=object_id,
        requested_by=step.by.known_id,
        started_at=step.at,
    )


async def keep(step: Step, run: ReconciliationRun) -> None:
    await step.work.reconciliation_runs.add(run)
    await step.work.audit.add(audit_record("reconciliation_run.requested", None, run, at=step.at, by=step.by))
