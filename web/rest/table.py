"""Every endpoint of the REST API; `/webhooks/stripe` is Stripe's, and not in it."""

from typing import Final

from web.rest.export import EXPORT_ROUTES
from web.rest.payment_methods import PAYMENT_METHOD_ROUTES
from web.rest.payments import PAYMENT_ROUTES
from web.rest.refunds import REFUND_ROUTES
from web.rest.route import RestRoute
from web.rest.stats import STATS_ROUTES
from web.rest.subscriptions import SUBSCRIPTION_ROUTES

ROUTES: Final[tuple[RestRoute, ...]] = (
    *PAYMENT_ROUTES,
    *REFUND_ROUTES,
    *SUBSCRIPTION_ROUTES,
    *PAYMENT_METHOD_ROUTES,
    *STATS_ROUTES,
    *EXPORT_ROUTES,
)
