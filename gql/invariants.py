"""The money invariants for admins."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import strawberry

from domain.dispute import Dispute
from domain.events import InboxEvent
from domain.invariants import RULES, InvariantName, MoneyInvariant, Subject, Violation
from domain.invoice import Invoice
from domain.operation import Operation
from domain.payment import Payment
from domain.refund import Refund
from domain.subscription import Subscription
from gql.context import Info
from gql.node import Node, optional_view, views
from gql.operation import operation_view
from gql.statistics import describe

KINDS: Final[Mapping[Subject, type]] = {
    Subject.PAYMENT: Payment,
    Subject.REFUND: Refund,
    Subject.DISPUTE: Dispute,
    Subject.SUBSCRIPTION: Subscription,
    Subject.INVOICE: Invoice,
    Subject.OPERATION: Operation,
    Subject.WEBHOOK_EVENT: InboxEvent,
}

describe(
    InvariantName,
    {name: rule.description for name, rule in RULES.items()},
    "What must hold of the money, whatever happened.",
)


@strawberry.type(name="InvariantViolation", description="Something that breaks a money invariant.")
class InvariantViolationView:
    message: str = strawberry.field(description="How it breaks it, as one plain sentence; may change.")

    @strawberry.field(
        description="What breaks it, as it is now. Null for sums, and where it is not there any more."
    )
    async def object(violation: strawberry.Parent[Violation], info: Info) -> Node | None:
        kind = KINDS.get(violation.subject) if violation.subject else None
        if kind is None or violation.object_id is None:
            return None
        thing: Any = await info.context.loaders.of(kind).load(violation.object_id)
        return optional_view(Node, operation_view(thing) if kind is Operation else thing)


@strawberry.type(name="MoneyInvariant", description="A rule of the money, and whether it holds.")
class MoneyInvariantView:
    name: InvariantName = strawberry.field(description="Which one, for programs.")
    description: str = strawberry.field(description="What must hold, as one plain sentence.")
    holds: bool = strawberry.field(description="Whether nothing breaks it.")
    violation_count: int = strawberry.field(description="How many objects break it.")
    checked_at: datetime = strawberry.field(description="As of when.")

    @strawberry.field(description="The first 20 of what breaks it.")
    def violations(invariant: strawberry.Parent[MoneyInvariant]) -> list[InvariantViolationView]:
        return views(InvariantViolationView, invariant.violations)


@strawberry.type
class InvariantQueries:
    @strawberry.field(
        description="Admins: every money invariant, checked now against the whole database, which may take a while. "
        "Each night the worker checks them as well, and tells the log and the metrics."
    )
    async def money_invariants(self, info: Info) -> list[MoneyInvariantView]:
        return views(MoneyInvariantView, await info.context.services.invariants.report(info.context.actor))
