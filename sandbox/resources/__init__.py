"""The nouns of the API; a new one is a file with a RESOURCE, and a line here."""

from collections.abc import Callable

from sandbox.api.endpoint import Call, Endpoint, Resource
from sandbox.billing import agenda
from sandbox.resources import (
    balance_transactions,
    billing_portal,
    charges,
    customers,
    dispute_api,
    disputes,
    events,
    invoice_api,
    payment_intent_api,
    payment_intents,
    payment_methods,
    prices,
    products,
    refund_api,
    refunds,
    setup_intent_api,
    subscription_api,
    subscription_schedule_api,
    webhook_endpoints,
)

# The kinds without an endpoint of their own say only what of them can be expanded.
RESOURCES: tuple[Resource, ...] = (
    customers.RESOURCE,
    payment_methods.RESOURCE,
    setup_intent_api.RESOURCE,
    payment_intent_api.RESOURCE,
    charges.RESOURCE,
    refund_api.RESOURCE,
    dispute_api.RESOURCE,
    balance_transactions.RESOURCE,
    events.RESOURCE,
    webhook_endpoints.RESOURCE,
    products.RESOURCE,
    prices.RESOURCE,
    subscription_api.RESOURCE,
    subscription_api.ITEMS,
    invoice_api.RESOURCE,
    invoice_api.PARENT,
    invoice_api.SUBSCRIPTION,
    invoice_api.PAYMENTS,
    invoice_api.PAYMENT,
    subscription_schedule_api.RESOURCE,
    billing_portal.RESOURCE,
)
ENDPOINTS: tuple[Endpoint, ...] = tuple(endpoint for resource in RESOURCES for endpoint in resource.endpoints)
# What the passing of time does, whenever the clock was moved forward.
CHORES: tuple[Callable[[Call], None], ...] = (
    payment_intents.expire_authorizations,
    refunds.settle_due,
    disputes.pass_deadlines,
    agenda.run,
)
EXPANDABLE = {resource.name: resource.expandable for resource in RESOURCES}
