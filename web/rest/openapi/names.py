"""Names of operations, and the nouns that they are grouped by."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from web.rest.export import EXPORT_ROUTES
from web.rest.payment_methods import PAYMENT_METHOD_ROUTES
from web.rest.payments import PAYMENT_ROUTES
from web.rest.refunds import REFUND_ROUTES
from web.rest.route import RestRoute
from web.rest.stats import STATS_ROUTES
from web.rest.subscriptions import SUBSCRIPTION_ROUTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Noun:
    name: str
    description: str
    routes: Sequence[RestRoute] = ()


WEBHOOKS: Final = Noun(name="Webhooks", description="What Stripe tells; for Stripe alone.")
NOUNS: Final = (
    Noun(
        name="Payments",
        description="Money collected, or not. Amounts are integers in the currency's smallest unit.",
        routes=(*PAYMENT_ROUTES, *EXPORT_ROUTES),
    ),
    Noun(name="Refunds", description="Money on its way back.", routes=REFUND_ROUTES),
    Noun(
        name="Subscriptions",
        description="Plans that are paid for period after period.",
        routes=SUBSCRIPTION_ROUTES,
    ),
    Noun(
        name="Payment methods",
        description="Saved ways to pay. The cards themselves are in Stripe's vault.",
        routes=PAYMENT_METHOD_ROUTES,
    ),
    Noun(name="Statistics", description="For admins.", routes=STATS_ROUTES),
    WEBHOOKS,
)


def operation_id(route: RestRoute) -> str:
    """The route's name as programs write it: createPayment."""
    first, *rest = route.name.split("-")
    return first + "".join(word.capitalize() for word in rest)
