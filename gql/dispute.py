"""The types Dispute and DisputeChange, and lists of disputes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, cast
from uuid import UUID

import strawberry

from domain.actor import Role
from domain.dispute import Dispute, DisputeStatus
from domain.dispute_list import NEWEST_FIRST, DisputeFilter
from domain.evidence import LONGEST
from domain.payment import Payment
from gql.audit import BillingEventConnection, timeline
from gql.connection import After, Connection, Edge, First, PageInfo, asked_slice, edges, nodes, page_info
from gql.context import Info
from gql.errors import camel_case
from gql.lazy import LazyPayment
from gql.money import MoneyView, money
from gql.needs import fails_often, needs
from gql.node import Node, one
from gql.relation import to_one
from gql.scalars import JsonObject

strawberry.enum(
    DisputeStatus,
    description=(
        "Where a dispute stands; it may go back and forth. INQUIRY only asks: no money is taken yet, and CLOSED is "
        "one that came to nothing. In NEEDS_RESPONSE, UNDER_REVIEW and LOST the payer's bank has the money."
    ),
)

EVIDENCE: Final = {camel_case(name): name for name in LONGEST}
"""The texts of evidence as the API spells them."""


@strawberry.type(description="One change of a dispute.")
class DisputeChange:
    status: DisputeStatus = strawberry.field(description="What it became.")
    at: datetime = strawberry.field(description="When we heard of that.")


@strawberry.type(name="Dispute", description="A payment, or part of one, that its payer's bank disputes.")
class DisputeView(Node):
    _domain: ClassVar[type] = Dispute

    status: DisputeStatus = strawberry.field(description="Where it stands.")
    reason: str = strawberry.field(
        description="The payer's reason, in Stripe's words, such as product_not_received."
    )
    evidence_due_by: datetime | None = strawberry.field(description="Until when it can be answered.")
    evidence_submitted_at: datetime | None = strawberry.field(
        description="When the evidence went to the bank; null while it has not."
    )
    created_at: datetime = strawberry.field(description="When we heard of it.")
    updated_at: datetime = strawberry.field(description="When it last changed.")

    @strawberry.field(description="The id as a UUID, as the REST API shows it.")
    @needs()
    def uuid(dispute: strawberry.Parent[Dispute]) -> UUID:
        return dispute.id

    @strawberry.field(description="How much of the payment is disputed.")
    @needs("amount", "currency")
    def amount(dispute: strawberry.Parent[Dispute]) -> MoneyView:
        return money(dispute.amount, dispute.currency)

    payment: LazyPayment = to_one(Payment, "payment_id", description="The payment.")

    @strawberry.field(description="Whether what was bought is not accessible because of it.")
    @needs(whole=(Dispute,))
    def access_suspended(dispute: strawberry.Parent[Dispute]) -> bool:
        return dispute.suspends_access

    @strawberry.field(
        description=(
            "Admins: the evidence so far, by the names that submitDisputeEvidence takes. "
            "It begins with what the gateway knows of the payment."
        )
    )
    @fails_often
    def evidence_draft(dispute: strawberry.Parent[Dispute], info: Info) -> JsonObject | None:
        info.context.actor.must_be({Role.ADMIN})
        draft = dispute.evidence_draft
        return JsonObject({shown: draft[name] for shown, name in EVIDENCE.items() if draft.get(name)})

    @strawberry.field(description="All that it has been, the oldest first.")
    @needs("history")
    def history(dispute: strawberry.Parent[Dispute]) -> list[DisputeChange]:
        entries = cast("Sequence[dict[str, str]]", dispute.history)
        return [
            DisputeChange(status=DisputeStatus(entry["status"]), at=datetime.fromisoformat(entry["at"]))
            for entry in entries
        ]

    timeline: BillingEventConnection = timeline()


@strawberry.type(description="A dispute in a list.")
class DisputeEdge(Edge):
    node: DisputeView = strawberry.field(description="The dispute.")


@strawberry.type(description="A page of disputes.")
class DisputeConnection(Connection[Dispute]):
    edges: list[DisputeEdge] = edges("The disputes with their cursors.")
    nodes: list[DisputeView] = nodes("The disputes alone.")
    page_info: PageInfo = page_info()


async def page_of_disputes(
    info: Info, status: list[DisputeStatus] | None, first: int | None, after: str | None
) -> DisputeConnection:
    wanted = DisputeFilter(statuses=None if status is None else tuple(status))
    part = asked_slice(NEWEST_FIRST, first, after)
    page = await info.context.services.disputes.page(info.context.actor, wanted, part)
    return DisputeConnection(page=page, order=NEWEST_FIRST)


def evidence_of(given: dict[str, Any]) -> dict[str, Any]:
    """By Stripe's names, which may be spelt in either way; the domain refuses others."""
    return {EVIDENCE.get(name, name): text for name, text in given.items()}


@strawberry.type
class DisputeQueries:
    @strawberry.field(description="A dispute that the caller may see.")
    @needs()
    async def dispute(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The dispute.")]
    ) -> DisputeView | None:
        return await one(info, DisputeView, id, "dispute")

    @strawberry.field(description="Support and admins: everybody's disputes, the newest first.")
    @needs()
    async def disputes(
        self,
        info: Info,
        status: Annotated[
            list[DisputeStatus] | None, strawberry.argument(description="Only those in one of these states.")
        ] = None,
        first: First = None,
        after: After = None,
    ) -> DisputeConnection:
        return await page_of_disputes(info, status, first, after)
