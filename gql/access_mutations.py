"""Granting access by hand, and taking such a grant back."""

from datetime import datetime
from typing import Annotated

import strawberry

from domain.access import Entitlement
from domain.commands.access import GrantAccess, RevokeAccess
from gql.access import AccessTargetInput, EntitlementView
from gql.context import Info
from gql.ids import id_of, user_id_of
from gql.needs import needs
from gql.node import optional_view
from gql.payload import INPUT, OPTIONAL_KEY, BusinessErrors, Payload, executed
from gql.scalars import IdempotencyKey

NOTE = "Why; at most 1,000 characters, for the audit trail."


@strawberry.type(description="What became of a command about an entitlement.")
class EntitlementPayload(Payload):
    @strawberry.field(description="The entitlement as it is now; null where none was made.")
    @needs()
    async def entitlement(self, info: Info) -> EntitlementView | None:
        return optional_view(EntitlementView, await self.made(info.context.loaders.entitlements))


@strawberry.input(description="Let a user use something that was not paid for.")
class GrantAccessInput:
    idempotency_key: IdempotencyKey | None = strawberry.field(default=None, description=OPTIONAL_KEY)
    user_id: strawberry.ID = strawberry.field(description="The user, by UUID.")
    target: AccessTargetInput = strawberry.field(description="What they may use.")
    ends_at: datetime | None = strawberry.field(
        default=None, description="When that ends; for good where it is not given."
    )
    note: str = strawberry.field(description=NOTE)

    def command(self) -> GrantAccess:
        target = self.target.target("target")
        return GrantAccess(
            user_id=user_id_of(self.user_id, "user_id"),
            media_item_id=target.media_item_id,
            feature=target.feature,
            ends_at=self.ends_at,
            note=self.note,
        )


@strawberry.input(description="Take a grant back.")
class RevokeAccessInput:
    idempotency_key: IdempotencyKey | None = strawberry.field(default=None, description=OPTIONAL_KEY)
    entitlement_id: strawberry.ID = strawberry.field(description="The entitlement that was granted.")
    note: str = strawberry.field(description=NOTE)

    def command(self) -> RevokeAccess:
        entitlement_id = id_of(Entitlement, self.entitlement_id, "entitlement_id")
        return RevokeAccess(entitlement_id=entitlement_id, note=self.note)


@strawberry.type
class AccessMutations:
    @strawberry.mutation(
        description="Admins: let a user use something that was not paid for.",
        extensions=[BusinessErrors(EntitlementPayload)],
    )
    async def grant_access(self, info: Info, input: Annotated[GrantAccessInput, INPUT]) -> EntitlementPayload:
        return await executed(EntitlementPayload, info, input.command(), input.idempotency_key)

    @strawberry.mutation(
        description=(
            "Admins: take a grant back. What was paid for is STATE_CONFLICT: a refund or a cancellation ends it."
        ),
        extensions=[BusinessErrors(EntitlementPayload)],
    )
    async def revoke_access(
        self, info: Info, input: Annotated[RevokeAccessInput, INPUT]
    ) -> EntitlementPayload:
        return await executed(EntitlementPayload, info, input.command(), input.idempotency_key)
