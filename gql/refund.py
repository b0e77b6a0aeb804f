"""The type Refund: money on its way back to a payer."""

from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

import strawberry

from domain.actor import Role
from domain.payment import Payment
from domain.refund import Refund, RefundOrigin, RefundReason, RefundStatus
from gql.audit import ActorView, BillingEventConnection, timeline
from gql.context import Info
from gql.lazy import LazyPayment
from gql.money import MoneyView, money
from gql.needs import needs
from gql.node import Node, one
from gql.relation import to_one

strawberry.enum(
    RefundStatus,
    description="How far a refund has come. A bank may send back what it took: SUCCEEDED may become FAILED.",
)
strawberry.enum(RefundOrigin, description="Who asked Stripe for a refund.")
strawberry.enum(
    RefundReason,
    description="Why money is given back. FRAUDULENT puts the card on the block lists of Stripe's Radar.",
)


@strawberry.type(name="Refund", description="Money on its way back to the payer of one payment.")
class RefundView(Node):
    _domain: ClassVar[type] = Refund

    status: RefundStatus = strawberry.field(description="How far it has come.")
    reason: RefundReason = strawberry.field(description="Why the money is given back.")
    origin: RefundOrigin = strawberry.field(description="Who asked for it.")
    revokes_access: bool = strawberry.field(
        description="Whether what was bought is no longer accessible once all of it is given back."
    )
    created_at: datetime = strawberry.field(description="When it was asked for, or heard of.")
    updated_at: datetime = strawberry.field(description="When it last changed.")

    @strawberry.field(description="The id as a UUID, as the REST API shows it.")
    @needs()
    def uuid(refund: strawberry.Parent[Refund]) -> UUID:
        return refund.id

    @strawberry.field(description="What is given back of it.")
    @needs("amount", "currency")
    def amount(refund: strawberry.Parent[Refund]) -> MoneyView:
        return money(refund.amount, refund.currency)

    payment: LazyPayment = to_one(Payment, "payment_id", description="The payment that it is taken from.")
    timeline: BillingEventConnection = timeline()

    @strawberry.field(description="Support and admins: what the staff said about it. Null for others.")
    @needs("note")
    def note(refund: strawberry.Parent[Refund], info: Info) -> str | None:
        return refund.note if info.context.actor.sees_everybody else None

    @strawberry.field(description="Support and admins: why it failed, in Stripe's words. Null for others.")
    @needs("failure_reason")
    def failure_reason(refund: strawberry.Parent[Refund], info: Info) -> str | None:
        return refund.failure_reason if info.context.actor.sees_everybody else None

    @strawberry.field(description="Who asked for it here; null where nobody did.")
    @needs("created_by")
    def created_by(refund: strawberry.Parent[Refund], info: Info) -> ActorView | None:
        """Only admins refund; which of them is the staff's affair."""
        if refund.created_by is None:
            return None
        is_known = info.context.actor.sees_everybody
        return ActorView(kind=Role.ADMIN, id=str(refund.created_by) if is_known else None)


@strawberry.type
class RefundQueries:
    @strawberry.field(description="A refund that the caller may see.")
    @needs()
    async def refund(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The refund.")]
    ) -> RefundView | None:
        return await one(info, RefundView, id, "refund")
