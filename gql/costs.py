"""
What each field costs, in points. A point is about as much work as a plain field of one object.

What is dear is work of its own for the database or for Stripe. Introspection asks neither, but holds up everybody
while it is written, so it is reckoned by the length of its lists.
"""

from collections.abc import Mapping
from typing import Final

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    IntValueNode,
    get_nullable_type,
    is_list_type,
)

from domain.paging import DEFAULT_PAGE, LARGEST_PAGE

CHARACTER: Final = 1
"""Of a document that has to be read and judged, before anything else is known of it."""
REFUSED: Final = 10_000
"""
For a document that was read to be refused, besides its characters.

The dearest take some 180 ms, whatever their length: as long as the dearest operations that are let through.
"""

USUAL_LIST: Final = 10
"""How long lists are taken to be that have no pages."""
ONE_EACH: Final = frozenset({"ids", "targets"})
"""Arguments with up to as many values as a page is long, each of which is answered."""

COSTS: Final[Mapping[str, int]] = {
    "Mutation": 1800,
    "AccessDecision.token": 10,
    "BillingAccount.invoices": 50,
    "BillingAccount.payments": 50,
    "BillingAccount.subscriptions": 50,
    "Dispute.timeline": 50,
    "Payment.nextAction": 50,
    "Payment.timeline": 50,
    "PaymentConnection.totalCount": 50,
    "PaymentMethodSetup.clientSecret": 50,
    "PreviewStaleError.fresh": 300,
    "Query.access": 50,
    "Query.auditLog": 50,
    "Query.disputes": 50,
    "Query.moneyInvariants": 4000,
    "Query.payments": 50,
    "Query.previewCancellation": 10,
    "Query.previewPlanChange": 300,
    "Query.previewSubscription": 300,
    "Query.reconciliationRuns": 50,
    "Query.stats": 500,
    "Query.subscriptions": 50,
    "Query.webhookEvents": 50,
    "ReconciliationRun.drifts": 50,
    "Refund.timeline": 50,
    "Subscription.nextAction": 50,
    "Subscription.nextCharge": 200,
    "Subscription.payments": 50,
    "Subscription.timeline": 50,
    "SubscriptionConnection.totalCount": 50,
    "SubscriptionPayload.charge": 50,
}
"""By type or field: what costs more than 1."""

INTROSPECTION: Final = ("__schema", "__type")
"""The fields by which the schema tells of itself."""
INTROSPECTED_PER_POINT: Final = 10
"""Scalars of introspection that are written in the time of one point, or a bit less."""
INTROSPECTED_OBJECT: Final = 4
"""How many scalars an object takes as long as, besides its own."""
INTROSPECTED_TENTHS: Final[Mapping[str, int]] = {
    "fields": 50,
    "args": 3,
    "inputFields": 10,
    "enumValues": 15,
    "interfaces": 5,
    "possibleTypes": 5,
    "ofType": 5,
}
"""To how many objects a field of introspection leads on average, ten times; others lead to one."""


def own_cost(parent: GraphQLNamedType, name: str) -> int:
    return COSTS.get(f"{parent.name}.{name}") or COSTS.get(parent.name, 1)


def is_list(field: GraphQLField) -> bool:
    return is_list_type(get_nullable_type(field.type))


def length(field: GraphQLField) -> int:
    """How many objects a field without pages stands for, at most or as a rule."""
    if not is_list(field):
        return 1
    return USUAL_LIST if ONE_EACH.isdisjoint(field.args) else LARGEST_PAGE


def introspected(schema: GraphQLSchema, name: str, inside: int) -> int:
    """What a field that leads to a schema's parts costs, in scalars, with what is asked of each of them."""
    tenths = 10 * len(schema.type_map) if name == "types" else INTROSPECTED_TENTHS.get(name, 10)
    return (INTROSPECTED_OBJECT + inside) * tenths // 10


def page_size(node: FieldNode) -> int:
    """What is literally asked for; the largest page for a variable, since documents are judged without them."""
    sizes = [each.value for each in node.arguments or () if each.name.value in {"first", "last"}]
    literal = [int(size.value) for size in sizes if isinstance(size, IntValueNode) and len(size.value) < 10]
    if not sizes:
        return DEFAULT_PAGE
    return max(1, *literal) if len(literal) == len(sizes) else LARGEST_PAGE
