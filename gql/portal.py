"""Links to Stripe's own pages for customers."""

from datetime import datetime
from typing import Annotated

import strawberry

from domain.portal_link import PortalLink
from gql.context import Info
from gql.payload import INPUT, BusinessErrors, Payload
from gql.scalars import Url


@strawberry.type(
    description="What became of asking for a link. Nothing is recorded of it: operation is null."
)
class LinkPayload(Payload):
    link: strawberry.Private[PortalLink | None] = None

    @strawberry.field(
        description="The link; whoever has it is the customer until it expires. Never store it."
    )
    def url(self) -> Url | None:
        return Url(self.link.url) if self.link else None

    @strawberry.field(description="Until when it can be opened.")
    def expires_at(self) -> datetime | None:
        return self.link.expires_at if self.link else None


@strawberry.input(description="Ask for a link to Stripe's customer portal. Each call makes a fresh one.")
class CreatePortalLinkInput:
    return_url: Url = strawberry.field(description="Where the portal leads back to.")


@strawberry.type
class PortalMutations:
    @strawberry.mutation(
        description="A link for the caller to Stripe's pages, where cards, invoices and subscriptions are kept.",
        extensions=[BusinessErrors(LinkPayload)],
    )
    async def create_portal_link(
        self, info: Info, input: Annotated[CreatePortalLinkInput, INPUT]
    ) -> LinkPayload:
        portal = info.context.services.portal
        return LinkPayload(link=await portal.link(info.context.actor, return_url=input.return_url))
