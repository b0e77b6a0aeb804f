"""Media items: the Media Service's, of which we know the id and who may use them."""

from typing import TYPE_CHECKING, cast
from uuid import UUID

import strawberry

from domain.access import AccessQuestion, AccessTarget
from gql.context import Info
from gql.lazy import LazyDecision
from gql.needs import needs

if TYPE_CHECKING:
    from gql.access import AccessDecisionView


@strawberry.type(name="MediaItem", description="Something to buy, which the Media Service knows better.")
class MediaItemView:
    user_id: strawberry.Private[UUID]

    id: strawberry.ID = strawberry.field(description="The Media Service's id.")

    @strawberry.field(
        description="Whether the user of the payment or the entitlement that names it may use it now."
    )
    @needs()
    async def access(self, info: Info) -> LazyDecision:
        question = AccessQuestion(user_id=self.user_id, target=AccessTarget(media_item_id=self.id))
        return cast("AccessDecisionView", await info.context.loaders.decisions.load(question))


def media_item(media_item_id: str | None, user_id: UUID) -> MediaItemView | None:
    """The item as this user sees it."""
    return None if media_item_id is None else MediaItemView(id=strawberry.ID(media_item_id), user_id=user_id)
