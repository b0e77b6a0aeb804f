"""The processor's events as they came in, and what became of them, for admins."""

from asyncio import gather
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, ClassVar, Final

import strawberry

from domain.account import BillingAccount
from domain.dispute import Dispute
from domain.errors import InvalidInput, NotFound
from domain.event_list import NEWEST_FIRST, EventFilter
from domain.event_queue import OPERATORS
from domain.events import InboxEvent, InboxStatus
from domain.invoice import Invoice
from domain.payment import Payment
from domain.payment_method import PaymentMethod, PaymentMethodSetup
from domain.payment_status import SyncSource
from domain.plan import Plan
from domain.refund import Refund
from domain.subscription import Subscription
from gql.connection import After, Connection, Edge, First, PageInfo, asked_slice, edges, nodes, page_info
from gql.context import Info
from gql.ids import parsed_id
from gql.needs import asks_many
from gql.node import Node, existing, one, views
from gql.scalars import Url
from gql.stripe_link import DASHBOARD

strawberry.enum(
    InboxStatus,
    name="WebhookStatus",
    description=(
        "What became of an event. RECEIVED waits to be applied; FAILED was tried in vain, and is tried again by "
        "itself; HELD was tried for about a day, and waits for you; IGNORED tells of nothing that we have."
    ),
)

KNOWN_THERE_AS: Final[Mapping[type, str]] = {
    BillingAccount: "processor_customer_id",
    Dispute: "processor_dispute_id",
    Invoice: "processor_invoice_id",
    Payment: "processor_payment_id",
    PaymentMethod: "processor_method_id",
    PaymentMethodSetup: "processor_setup_id",
    Plan: "processor_price_id",
    Refund: "processor_refund_id",
    Subscription: "processor_subscription_id",
}
"""Where each type of object keeps Stripe's id of it."""


@strawberry.type(
    name="WebhookEvent", description="Something that Stripe has told us, and what we made of it. For admins."
)
class WebhookEventView(Node):
    _domain: ClassVar[type] = InboxEvent

    type: str = strawberry.field(description="What it tells, as in payment_intent.succeeded.")
    status: InboxStatus = strawberry.field(description="What became of it.")
    livemode: bool = strawberry.field(description="Whether it is about real money.")
    api_version: str = strawberry.field(description="The version of Stripe's API that it is written in.")
    attempts: int = strawberry.field(
        description="How often it was tried to apply it, since it was last queued."
    )
    last_error: str | None = strawberry.field(description="Why the last attempt failed.")
    via: SyncSource = strawberry.field(
        description="WEBHOOK where Stripe sent it; RECONCILIATION where it was missed, and found in Stripe's list."
    )
    occurred_at: datetime = strawberry.field(description="When it happened, by Stripe's clock.")
    received_at: datetime = strawberry.field(description="When it came in.")
    handled_at: datetime | None = strawberry.field(description="When it was applied, or found to be IGNORED.")

    @strawberry.field(description="Stripe's id of the event.")
    def stripe_event_id(event: strawberry.Parent[InboxEvent]) -> str:
        return event.processor_event_id

    @strawberry.field(
        description="Stripe's id of the object whose state it tells of: of a charge, its payment."
    )
    def stripe_object_id(event: strawberry.Parent[InboxEvent]) -> str | None:
        return event.processor_object_id

    @strawberry.field(description="Its page in Stripe's Dashboard, with all that it says.")
    def dashboard_url(event: strawberry.Parent[InboxEvent]) -> Url:
        mode = "" if event.livemode else "/test"
        return Url(f"{DASHBOARD}{mode}/events/{event.processor_event_id}")

    @strawberry.field(
        description="What applying it has changed, each object once and as it is now. The audit log tells how."
    )
    @asks_many
    async def affected(event: strawberry.Parent[InboxEvent], info: Info) -> list[Node]:
        loaders = info.context.loaders
        changed = await loaders.affected_by.load(event.id) or ()
        objects = await gather(*(loaders.recorded(each.kind).load(each.id) for each in changed))
        return views(Node, [each for each in objects if each is not None])


@strawberry.type(description="An event in a list.")
class WebhookEventEdge(Edge):
    node: WebhookEventView = strawberry.field(description="The event.")


@strawberry.type(description="A page of events.")
class WebhookEventConnection(Connection[InboxEvent]):
    edges: list[WebhookEventEdge] = edges("The events with their cursors.")
    nodes: list[WebhookEventView] = nodes("The events alone.")
    page_info: PageInfo = page_info()


@strawberry.input(description="Which events to list; everything given must hold.")
class WebhookEventFilter:
    status: list[InboxStatus] | None = strawberry.field(
        default=None, description="Only those of which one of these became."
    )
    type: str | None = strawberry.field(default=None, description="Only of this type, as in invoice.paid.")
    object_id: strawberry.ID | None = strawberry.field(
        default=None, description="Only those that tell of this object of ours."
    )
    stripe_object_id: str | None = strawberry.field(
        default=None, description="Only those that tell of Stripe's object with this id."
    )
    stripe_event_id: str | None = strawberry.field(
        default=None, description="Only the one that Stripe calls so."
    )


@strawberry.type
class WebhookEventQueries:
    @strawberry.field(description="Admins: one of Stripe's events.")
    async def webhook_event(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The event.")]
    ) -> WebhookEventView | None:
        return await one(info, WebhookEventView, id, "event")

    @strawberry.field(description="Admins: what Stripe has told us, the newest first.")
    async def webhook_events(
        self,
        info: Info,
        filter: Annotated[
            WebhookEventFilter | None, strawberry.argument(description="Which ones; all by default.")
        ] = None,
        first: First = None,
        after: After = None,
    ) -> WebhookEventConnection:
        wanted = EventFilter() if filter is None else await asked(info, filter)
        part = asked_slice(NEWEST_FIRST, first, after)
        page = await info.context.services.events.page(info.context.actor, wanted, part)
        return WebhookEventConnection(page=page, order=NEWEST_FIRST)


async def asked(info: Info, given: WebhookEventFilter) -> EventFilter:
    """Raises Forbidden, NotFound for an object that is none of ours, InvalidInput where two are named."""
    if given.object_id is not None and given.stripe_object_id is not None:
        raise InvalidInput("Give objectId or stripeObjectId.", path=("filter",), constraint="oneOf")
    known_there = given.stripe_object_id
    if given.object_id is not None:
        known_there = await stripes_id(info, given.object_id)
    return EventFilter(
        statuses=None if given.status is None else tuple(given.status),
        type=given.type,
        processor_event_id=given.stripe_event_id,
        processor_object_id=known_there,
    )


async def stripes_id(info: Info, text: str) -> str:
    """Stripe's id of an object of ours; empty where it never got there."""
    info.context.actor.must_be(OPERATORS)
    kind, identity = parsed_id(text)
    if kind not in KNOWN_THERE_AS:
        raise NotFound("Stripe tells nothing of objects of this type.", path=("object_id",))
    thing = existing(await info.context.loaders.of(kind).load(identity), "object", path="object_id")
    return getattr(thing, KNOWN_THERE_AS[kind]) or ""
