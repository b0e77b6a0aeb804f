"""Why a payment was declined, and who can do something about it."""

import strawberry

from domain.actor import Actor
from domain.decline import Decline, DeclineCategory, FixableBy
from gql.node import view

strawberry.enum(DeclineCategory, description="What kind of trouble a decline is.")
strawberry.enum(FixableBy, description="Who can make another attempt with the same method succeed.")


@strawberry.type(name="Decline", description="A bank's or a card network's no.")
class DeclineView:
    category: DeclineCategory = strawberry.field(description="The kind of trouble.")
    code: str = strawberry.field(
        description="Stripe's code. Customers see generic_decline where the reason must be kept from them."
    )
    network_advice: str | None = strawberry.field(
        description="Stripe's advice_code, if the network gave one."
    )
    fixable_by: FixableBy = strawberry.field(description="Who can fix it.")
    customer_message: str = strawberry.field(description="A sentence that is safe to show to the customer.")
    retryable: bool = strawberry.field(
        description="Whether another attempt with the same method may succeed."
    )


def decline_view(decline: Decline | None, seen_by: Actor) -> DeclineView | None:
    """Stripe asks never to tell a customer of suspected fraud or a stolen card: they may be the thief."""
    if decline is None:
        return None
    return view(DeclineView, decline if seen_by.sees_everybody else decline.for_customer())
