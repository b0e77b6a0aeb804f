"""The schema. `python -m gql.schema` prints what schema.graphql must hold."""

import sys

import strawberry
from strawberry.schema.config import StrawberryConfig

from gql.access_mutations import AccessMutations
from gql.dispute_mutations import DisputeMutations
from gql.errors import (
    AmountError,
    DeclinedError,
    DuplicateError,
    IdempotencyError,
    MethodInUseError,
    PreviewStaleError,
    ProviderError,
    SimpleError,
    StateConflictError,
)
from gql.payment_method import PaymentMethodMutations, PaymentMethodSetupView
from gql.payment_mutations import PaymentMutations
from gql.portal import PortalMutations
from gql.query import Query
from gql.reconciliation import ReconciliationMutations
from gql.refund_mutations import RefundMutations
from gql.scalars import SCALARS
from gql.subscription_mutations import SubscriptionMutations
from gql.webhook_event_mutations import WebhookEventMutations


@strawberry.type(
    description="What may be done. Each field takes one input and answers with a payload of its own."
)
class Mutation(
    PaymentMutations,
    RefundMutations,
    DisputeMutations,
    PaymentMethodMutations,
    SubscriptionMutations,
    PortalMutations,
    AccessMutations,
    WebhookEventMutations,
    ReconciliationMutations,
):
    pass


schema = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    types=[
        AmountError,
        DeclinedError,
        DuplicateError,
        IdempotencyError,
        MethodInUseError,
        PaymentMethodSetupView,
        PreviewStaleError,
        ProviderError,
        SimpleError,
        StateConflictError,
    ],
    config=StrawberryConfig(scalar_map=SCALARS),
)


def printed() -> str:
    """The schema in the schema definition language, with the `schema {}` block always written out."""
    roots = "schema {\n  query: Query\n  mutation: Mutation\n}\n"
    return f"{roots}\n{schema.as_str().strip()}\n"


if __name__ == "__main__":
    sys.stdout.write(printed())
