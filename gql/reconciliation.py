"""Runs of the reconciliation, the drift that they found, and how to ask for one."""

from datetime import datetime
from typing import Annotated, ClassVar

import strawberry

from domain.audit import KINDS
from domain.commands.reconciliation import FINDERS, Reconcile, Resync
from domain.errors import NotFound
from domain.paging import page_of
from domain.reconciliation.run import Drift, DriftCause, ReconciliationRun, RunKind, RunState
from domain.reconciliation.run_list import DRIFTS, RUNS
from gql.connection import After, Connection, Edge, First, PageInfo, asked_slice, edges, nodes, page_info
from gql.context import Info
from gql.ids import parsed_id
from gql.needs import needs
from gql.node import Node, optional_view
from gql.payload import INPUT, OPTIONAL_KEY, BusinessErrors, ObjectRefInput, Payload, executed
from gql.scalars import IdempotencyKey

strawberry.enum(
    RunKind,
    name="ReconciliationKind",
    description="EVENTS looks for events that never came, OBJECTS compares objects field by field, ALL does both; "
    "OBJECT is about one object.",
)
strawberry.enum(
    RunState,
    name="ReconciliationState",
    description="How far a run has come. FAILED could not be finished; what it had healed stays so.",
)
strawberry.enum(
    DriftCause,
    description="Why ours was not Stripe's. MISSED_EVENT: a webhook never came. FAILED_EVENT: one could not be "
    "applied. DASHBOARD_EDIT: somebody changed it past the gateway. STALE_WRITE: all was known, and still it "
    "differed. UNKNOWN_OBJECT: we did not have it.",
)


@strawberry.type(name="Drift", description="One field in which ours was not Stripe's.")
class DriftView:
    field: str = strawberry.field(
        description="The attribute by the gateway's name; `exists` where only one side has the object."
    )
    local: str | None = strawberry.field(description="What we had, as text.")
    remote: str | None = strawberry.field(description="What Stripe had, as text.")
    cause: DriftCause = strawberry.field(description="Why they differed.")
    found_at: datetime = strawberry.field(description="When that was found.")

    @strawberry.field(description="The object as it is now; null where we have none.")
    async def object(drift: strawberry.Parent[Drift], info: Info) -> Node | None:
        if drift.object_id is None:
            return None
        return optional_view(
            Node, await info.context.loaders.recorded(drift.object_kind).load(drift.object_id)
        )

    @strawberry.field(description="Stripe's id of the object.")
    def stripe_id(drift: strawberry.Parent[Drift]) -> str:
        return drift.processor_object_id

    @strawberry.field(description="Whether nothing about the object differed any more after this run.")
    def healed(drift: strawberry.Parent[Drift]) -> bool:
        return drift.is_healed


@strawberry.type(description="A drift in a list.")
class DriftEdge(Edge):
    node: DriftView = strawberry.field(description="The drift.")


@strawberry.type(description="A page of what a run found.")
class DriftConnection(Connection[Drift]):
    edges: list[DriftEdge] = edges("What was found, with its cursors.")
    nodes: list[DriftView] = nodes("What was found alone.")
    page_info: PageInfo = page_info()


@strawberry.type(
    name="ReconciliationRun",
    description="One comparison of what we know with what Stripe knows. Admins only.",
)
class ReconciliationRunView(Node):
    _domain: ClassVar[type] = ReconciliationRun

    kind: RunKind = strawberry.field(description="What it looks at.")
    state: RunState = strawberry.field(description="How far it has come; ask again until it is over.")
    since: datetime = strawberry.field(description="From when on it looks.")
    until: datetime = strawberry.field(description="Until when.")
    scanned: int = strawberry.field(description="How many events and objects it has looked at so far.")
    events_recovered: int = strawberry.field(description="How many events it has found that never came.")
    drifts_found: int = strawberry.field(description="In how many fields ours was not Stripe's.")
    error: str | None = strawberry.field(description="Why it failed.")
    started_at: datetime = strawberry.field(description="When it was asked for, or started by itself.")
    finished_at: datetime | None = strawberry.field(description="When it was over; null while it is not.")

    @strawberry.field(description="Whether it only tells, and changes nothing.")
    def dry_run(run: strawberry.Parent[ReconciliationRun]) -> bool:
        return run.is_dry_run

    @strawberry.field(description="How many of these fields are as at Stripe now.")
    def healed(run: strawberry.Parent[ReconciliationRun]) -> int:
        return run.healed

    @strawberry.field(description="The User Service's id of the admin who asked for it; null for a schedule.")
    def requested_by(run: strawberry.Parent[ReconciliationRun]) -> strawberry.ID | None:
        return None if run.requested_by is None else strawberry.ID(str(run.requested_by))

    @strawberry.field(description="What differed, in the order in which it was found.")
    async def drifts(
        run: strawberry.Parent[ReconciliationRun], info: Info, first: First = None, after: After = None
    ) -> DriftConnection:
        part = asked_slice(DRIFTS, first, after)
        found = await info.context.loaders.drifts_of(part.one_more()).load(run.id)
        return DriftConnection(page=page_of(found or (), part), order=DRIFTS)


@strawberry.type(description="A run in a list.")
class ReconciliationRunEdge(Edge):
    node: ReconciliationRunView = strawberry.field(description="The run.")


@strawberry.type(description="A page of runs.")
class ReconciliationRunConnection(Connection[ReconciliationRun]):
    edges: list[ReconciliationRunEdge] = edges("The runs with their cursors.")
    nodes: list[ReconciliationRunView] = nodes("The runs alone.")
    page_info: PageInfo = page_info()


@strawberry.type(description="What became of a command that asks for a comparison with Stripe.")
class ReconciliationPayload(Payload):
    @strawberry.field(
        description="The run, with what it has found so far; null where the command was refused."
    )
    @needs()
    async def run(self, info: Info) -> ReconciliationRunView | None:
        return optional_view(ReconciliationRunView, await self.made(info.context.loaders.reconciliation_runs))


@strawberry.type(description="What became of reading an object anew.")
class ResyncPayload(ReconciliationPayload):
    @strawberry.field(description="The object as it is now; null where the command was refused.")
    async def resynced(self, info: Info) -> Node | None:
        run = await self.made(info.context.loaders.reconciliation_runs)
        if run is None or run.object_kind is None or run.object_id is None:
            return None
        return optional_view(Node, await info.context.loaders.recorded(run.object_kind).load(run.object_id))


@strawberry.input(description="Compare what has happened since a moment.")
class ReconcileInput:
    idempotency_key: IdempotencyKey | None = strawberry.field(default=None, description=OPTIONAL_KEY)
    since: datetime = strawberry.field(
        description="From when on. Events are remembered by Stripe for 30 days; objects that are open are compared "
        "however old they are."
    )
    dry_run: bool = strawberry.field(
        default=True, description="True only tells what differs; false puts it right as well."
    )


def resyncable(text: str) -> Resync:
    """Raises NotFound for an id of what Stripe does not have."""
    kind, identity = parsed_id(text)
    found = KINDS.get(kind)
    if found is None or found not in FINDERS:
        raise NotFound("Stripe has no objects of this type.", path=("object_id",))
    return Resync(kind=found, object_id=identity)


@strawberry.type
class ReconciliationQueries:
    @strawberry.field(description="Admins: comparisons with Stripe, the newest first.")
    async def reconciliation_runs(
        self, info: Info, first: First = None, after: After = None
    ) -> ReconciliationRunConnection:
        part = asked_slice(RUNS, first, after)
        page = await info.context.services.reconciliation.page(info.context.actor, part)
        return ReconciliationRunConnection(page=page, order=RUNS)


@strawberry.type
class ReconciliationMutations:
    @strawberry.mutation(
        description="Admins: have the worker look for events that never came and compare all objects with Stripe's. "
        "Answers at once with the run; ask for it by its id until it is over.",
        extensions=[BusinessErrors(ReconciliationPayload)],
    )
    async def reconcile(self, info: Info, input: Annotated[ReconcileInput, INPUT]) -> ReconciliationPayload:
        command = Reconcile(since=input.since, is_dry_run=input.dry_run)
        return await executed(ReconciliationPayload, info, command, input.idempotency_key)

    @strawberry.mutation(
        description="Admins: read one object at Stripe now, and take over what is said there. It may be a payment, "
        "refund, dispute, subscription, invoice, payment method or plan.",
        extensions=[BusinessErrors(ResyncPayload)],
    )
    async def resync(self, info: Info, input: Annotated[ObjectRefInput, INPUT]) -> ResyncPayload:
        payload = await executed(ResyncPayload, info, resyncable(input.id), input.idempotency_key)
        if payload.record is not None:
            await info.context.services.reconciliation.resynced(info.context.actor, payload.record.subject)
            info.context.forget()
        return payload
