"""Where support finds an object at Stripe."""

from datetime import datetime
from typing import Final

import strawberry

from domain.actor import Role
from domain.payment import Payment
from domain.payment_status import SyncSource
from domain.subscription import Subscription
from gql.context import Info
from gql.scalars import Url

DASHBOARD: Final = "https://dashboard.stripe.com"


@strawberry.type(name="StripeLink", description="Where to find the object at Stripe.")
class StripeLinkView:
    object_id: str = strawberry.field(description="Stripe's id.")
    customer_id: str | None = strawberry.field(description="Stripe's customer.")
    dashboard_url: Url = strawberry.field(description="The object's page in Stripe's Dashboard.")
    last_event_id: str | None = strawberry.field(description="The last event that changed it.")
    last_synced_at: datetime = strawberry.field(description="When Stripe's word last changed it.")
    source: SyncSource = strawberry.field(description="How we learnt of that.")


def stripe_link(thing: Payment | Subscription, info: Info) -> StripeLinkView | None:
    """None before it got there. Raises Forbidden unless support or an admin asks."""
    info.context.actor.must_be({Role.SUPPORT, Role.ADMIN})
    object_id, pages = _place(thing)
    if object_id is None:
        return None
    mode = "" if thing.livemode else "/test"
    return StripeLinkView(
        object_id=object_id,
        customer_id=thing.processor_customer_id,
        dashboard_url=Url(f"{DASHBOARD}{mode}/{pages}/{object_id}"),
        last_event_id=thing.last_event_id,
        last_synced_at=thing.updated_at,
        source=thing.synced_by,
    )


def _place(thing: Payment | Subscription) -> tuple[str | None, str]:
    """Stripe's id of it, and the part of the Dashboard where it is shown."""
    if isinstance(thing, Payment):
        return thing.processor_payment_id, "payments"
    return thing.processor_subscription_id, "subscriptions"
