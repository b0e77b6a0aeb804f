"""The audit trail: all of it for admins, and each object's own part of it for whoever sees the object."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

import strawberry

from domain.actor import Role
from domain.audit import KINDS, AuditRecord, audited_id
from domain.audit_log import NEWEST_FIRST, OLDEST_FIRST, AuditFilter
from domain.billing_event import BillingEvent, billing_event
from domain.errors import NotFound
from domain.json_value import JsonValue
from domain.operation import ObjectKind
from domain.paging import page_of
from domain.payment_status import SyncSource
from gql.connection import After, Connection, Edge, First, PageInfo, asked_slice, edges, nodes, page_info
from gql.context import Info
from gql.errors import camel_case
from gql.ids import global_id, parsed_id, user_id_of
from gql.needs import needs
from gql.node import Node, optional_view
from gql.scalars import JsonObject

strawberry.enum(SyncSource, description="How we came to know what we know.")
strawberry.enum(Role, description="In which role somebody acts. SYSTEM is the gateway itself.")


@strawberry.type(name="Actor", description="Who did something.")
class ActorView:
    kind: Role = strawberry.field(description="In which role.")
    id: str | None = strawberry.field(
        description="The User Service's id of the user. Null for the gateway itself, and where you see the role only."
    )


@strawberry.type(name="AuditEntry", description="One change of one object, as the audit trail keeps it.")
class AuditEntryView(Node):
    _domain: ClassVar[type] = AuditRecord

    action: str = strawberry.field(description="What was done, as in payment.completed.")
    note: str | None = strawberry.field(description="What the actor said about it.")
    request_id: str = strawberry.field(
        description=(
            "The request in which it was done, or Stripe's id of the event that brought it about; empty without either."
        )
    )
    at: datetime = strawberry.field(description="When it was done, by our clock.")
    hash: str = strawberry.field(description="SHA-256 over previousHash and all that this entry says.")
    previous_hash: str = strawberry.field(
        description="The hash of the object's entry before this one; zeros in its first."
    )

    @strawberry.field(description="The address that the request came from.")
    def ip(record: strawberry.Parent[AuditRecord]) -> str | None:
        return record.address

    @strawberry.field(description="Who did it.")
    def actor(record: strawberry.Parent[AuditRecord]) -> ActorView:
        return actor_view(record)

    @strawberry.field(description="To what, as it is now.")
    async def object(record: strawberry.Parent[AuditRecord], info: Info) -> Node | None:
        lookup = info.context.loaders.recorded(record.object_kind)
        return optional_view(Node, await lookup.load(record.object_id))

    @strawberry.field(description="The former values of what changed, by name; null for a new object.")
    def before(record: strawberry.Parent[AuditRecord]) -> JsonObject | None:
        return None if record.before is None else spelt(record.before)

    @strawberry.field(description="The values of what changed, by name.")
    def after(record: strawberry.Parent[AuditRecord]) -> JsonObject | None:
        return spelt(record.after)


@strawberry.type(description="An entry in a list.")
class AuditEdge(Edge):
    node: AuditEntryView = strawberry.field(description="The entry.")


@strawberry.type(description="A page of the audit trail.")
class AuditConnection(Connection[AuditRecord]):
    edges: list[AuditEdge] = edges("The entries with their cursors.")
    nodes: list[AuditEntryView] = nodes("The entries alone.")
    page_info: PageInfo = page_info()


@strawberry.type(name="BillingEvent", description="Something that happened to an object, in plain words.")
class BillingEventView:
    type: str = strawberry.field(description="What happened, for programs, as in payment.completed.")
    summary: str = strawberry.field(description="What happened, for people, in English.")
    source: SyncSource = strawberry.field(description="How we came to know it.")
    occurred_at: datetime = strawberry.field(description="When it happened.")
    recorded_at: datetime = strawberry.field(description="When we wrote it down.")

    @strawberry.field(description="Opaque and stable.")
    def id(event: strawberry.Parent[BillingEvent]) -> strawberry.ID:
        return global_id(AuditRecord, event.id)

    @strawberry.field(description="Who did it; of others than you, you may see the role only.")
    def actor(event: strawberry.Parent[BillingEvent]) -> ActorView:
        return actor_view(event)

    @strawberry.field(
        description="What changed, by name: each with its value before and after. You may not see all of it."
    )
    def changes(event: strawberry.Parent[BillingEvent]) -> JsonObject:
        return spelt(event.changes)


@strawberry.type(description="An event in a list.")
class BillingEventEdge(Edge):
    node: BillingEventView = strawberry.field(description="The event.")


@strawberry.type(description="A page of what happened.")
class BillingEventConnection(Connection[BillingEvent]):
    edges: list[BillingEventEdge] = edges("The events with their cursors.")
    nodes: list[BillingEventView] = nodes("The events alone.")
    page_info: PageInfo = page_info()


def timeline() -> Any:
    """The field `timeline` of an object that the audit trail knows: `timeline: BillingEventConnection = timeline()`."""
    return strawberry.field(resolver=_timeline, description="What happened to it, the oldest first.")


@needs(whole=(AuditRecord,))
async def _timeline(
    thing: strawberry.Parent[Any], info: Info, first: First = None, after: After = None
) -> BillingEventConnection:
    """An object's part comes with those of all others of its kind, of which the same is asked."""
    part = asked_slice(OLDEST_FIRST, first, after)
    lookup = info.context.loaders.timelines(KINDS[type(thing)], part.one_more())
    records = await lookup.load(audited_id(thing)) or ()
    events = [billing_event(record, seen_by=info.context.actor) for record in records]
    return BillingEventConnection(page=page_of(events, part), order=OLDEST_FIRST)


def spelt(attributes: Mapping[str, JsonValue]) -> JsonObject:
    """As the API spells names, also in what the attributes hold: the trail has no names of a caller's own."""
    return JsonObject({camel_case(name): _with_namesspelt(value) for name, value in attributes.items()})


def _with_namesspelt(value: JsonValue) -> JsonValue:
    if isinstance(value, list):
        return [_with_namesspelt(part) for part in value]
    return spelt(value) if isinstance(value, dict) else value


def actor_view(done: AuditRecord | BillingEvent) -> ActorView:
    actor_id = None if done.actor_id is None else str(done.actor_id)
    return ActorView(kind=done.actor_role, id=actor_id)


def audited_object(text: str) -> tuple[ObjectKind, UUID]:
    """Raises NotFound for an id of what has no audit trail."""
    kind, identity = parsed_id(text)
    if kind not in KINDS:
        raise NotFound("There is no audit trail of objects of this type.", path=("object_id",))
    return KINDS[kind], identity


@strawberry.type
class AuditQueries:
    @strawberry.field(description="Admins: what everybody did, the newest first.")
    async def audit_log(
        self,
        info: Info,
        object_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only what was done to this object.")
        ] = None,
        actor_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only what this user did, by UUID.")
        ] = None,
        first: First = None,
        after: After = None,
    ) -> AuditConnection:
        kind, identity = (None, None) if object_id is None else audited_object(object_id)
        wanted = AuditFilter(
            object_kind=kind,
            object_id=identity,
            actor_id=None if actor_id is None else user_id_of(actor_id, "actor_id"),
        )
        part = asked_slice(NEWEST_FIRST, first, after)
        page = await info.context.services.audit.log(info.context.actor, wanted, part)
        return AuditConnection(page=page, order=NEWEST_FIRST)
