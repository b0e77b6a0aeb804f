"""What may be read: any object by its id, the caller's own account, and what each noun has."""

from asyncio import gather
from typing import Annotated, Any, Final, cast

import strawberry

from domain.errors import InvalidInput, NotFound
from domain.operation import Operation
from gql.access import AccessQueries
from gql.account import BillingAccountView
from gql.audit import AuditQueries
from gql.charge_preview import PreviewQueries
from gql.context import Info
from gql.dispute import DisputeQueries
from gql.ids import parsed_id, user_id_of
from gql.invariants import InvariantQueries
from gql.invoice import InvoiceQueries
from gql.loaders import LOADERS, Loaders
from gql.money import CurrencyRuleView
from gql.needs import asks_many, needs
from gql.node import Node, existing, optional_view, view, views
from gql.operation import OperationView, find_operation, operation_view
from gql.payment_method import PaymentMethodQueries
from gql.payment_queries import PaymentQueries
from gql.plan import PlanQueries
from gql.reconciliation import ReconciliationQueries
from gql.refund import RefundQueries
from gql.scalars import IdempotencyKey
from gql.statistics import StatisticsQueries
from gql.subscription_queries import SubscriptionQueries
from gql.webhook_event import WebhookEventQueries

LARGEST_LOOKUP: Final = 100


async def found(loaders: Loaders, text: str) -> Any:
    """The object with this id, if the caller may see it. Raises NotFound."""
    kind, identity = parsed_id(text)
    thing: Any = await loaders.of(kind).load(identity) if kind in LOADERS else None
    if thing is None:
        raise NotFound("There is no object with this id.")
    return operation_view(thing) if kind is Operation else thing


@strawberry.type
class NodeQueries:
    @strawberry.field(description="Any object by its id.")
    @needs(whole=(Operation,))
    async def node(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The object.")]
    ) -> Node | None:
        return optional_view(Node, await found(info.context.loaders, id))

    @strawberry.field(
        description="Objects by their ids, in the same order; null for those that are not there."
    )
    @needs(whole=(Operation,))
    @asks_many
    async def nodes(
        self,
        info: Info,
        ids: Annotated[list[strawberry.ID], strawberry.argument(description="At most 100 ids.")],
    ) -> list[Node | None]:
        if len(ids) > LARGEST_LOOKUP:
            raise InvalidInput(f"At most {LARGEST_LOOKUP} ids.", path=("ids",), constraint="maxItems")
        lookups = (found(info.context.loaders, text) for text in ids)
        return cast("list[Node | None]", await gather(*lookups, return_exceptions=True))


@strawberry.type
class AccountQueries:
    @strawberry.field(
        description="The caller's billing account, opened at first sight. Null, with an error, where there is no token."
    )
    @needs()
    async def viewer(self, info: Info) -> BillingAccountView | None:
        actor = info.context.actor
        account = await info.context.services.customers.account(actor.known_id, by=actor)
        return optional_view(BillingAccountView, account)

    @strawberry.field(description="Support and admins: a user's billing account. Others find only their own.")
    @needs()
    async def billing_account(
        self,
        info: Info,
        user_id: Annotated[strawberry.ID, strawberry.argument(description="The user, by UUID.")],
    ) -> BillingAccountView | None:
        account = await info.context.loaders.accounts.load(user_id_of(user_id, "user_id"))
        return view(BillingAccountView, existing(account, "billing account", path="user_id"))

    @strawberry.field(
        description="What became of a mutation of the caller's whose answer was lost; null if it never arrived."
    )
    async def operation(
        self,
        info: Info,
        mutation: Annotated[
            str, strawberry.argument(description="The mutation's name, as in createPayment.")
        ],
        idempotency_key: Annotated[
            IdempotencyKey, strawberry.argument(description="The key it was sent with.")
        ],
    ) -> OperationView | None:
        return await find_operation(info, mutation, idempotency_key)

    @strawberry.field(description="The currencies that can be charged, and their rules. Open to everybody.")
    @needs()
    def currencies(self, info: Info) -> list[CurrencyRuleView]:
        return views(CurrencyRuleView, info.context.services.rules.currencies)


@strawberry.type(description="What may be read.")
class Query(
    NodeQueries,
    AccountQueries,
    PaymentQueries,
    RefundQueries,
    DisputeQueries,
    PaymentMethodQueries,
    PlanQueries,
    SubscriptionQueries,
    InvoiceQueries,
    PreviewQueries,
    AccessQueries,
    AuditQueries,
    StatisticsQueries,
    InvariantQueries,
    WebhookEventQueries,
    ReconciliationQueries,
):
    pass
