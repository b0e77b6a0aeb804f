"""Changes as the audit trail has them, made or only planned."""

import strawberry

from domain.audit import AuditRecord
from domain.billing_event import summary
from domain.operation import ObjectKind
from gql.audit import spelt
from gql.context import Info
from gql.node import Node, optional_view
from gql.scalars import JsonObject

strawberry.enum(ObjectKind, description="The kinds of objects whose changes are recorded.")


@strawberry.type(
    name="PlannedChange",
    description="One change of one object, as the audit trail has it: made, or only planned in a dry run.",
)
class PlannedChangeView:
    action: str = strawberry.field(description="What is done, as in payment.completed.")

    @strawberry.field(description="The kind of the object that changes.")
    def kind(record: strawberry.Parent[AuditRecord]) -> ObjectKind:
        return record.object_kind

    @strawberry.field(description="The object as it is now; null where a dry run would make it.")
    async def object(record: strawberry.Parent[AuditRecord], info: Info) -> Node | None:
        lookup = info.context.loaders.recorded(record.object_kind)
        return optional_view(Node, await lookup.load(record.object_id))

    @strawberry.field(description="What is done, for people, in English.")
    def summary(record: strawberry.Parent[AuditRecord]) -> str:
        return summary(record)

    @strawberry.field(description="The former values of what changes, by name; null for a new object.")
    def before(record: strawberry.Parent[AuditRecord]) -> JsonObject | None:
        return None if record.before is None else spelt(record.before)

    @strawberry.field(
        description="The values of what changes, by name. The ids of new objects are others in each dry run."
    )
    def after(record: strawberry.Parent[AuditRecord]) -> JsonObject:
        return spelt(record.after)
