"""What may be read, of every kind of object; each noun has fields of its own."""

from asyncio import gather
from typing import Annotated, Any, Final, TypeVar, cast

import strawberry

from domain.access import AccessQuestion, Entitlement
from domain.account import BillingAccount
from domain.audit import AuditRecord
from domain.dispute import Dispute, DisputeStatus
from domain.errors import InvalidInput, NotFound
from domain.invoice import Invoice
from domain.operation import Operation
from domain.payment import Payment
from domain.payment_method import PaymentMethod, PaymentMethodSetup
from domain.plan import Plan
from domain.refund import Refund
from domain.subscription import Subscription
from gql.access import AccessDecisionView, AccessTargetInput
from gql.account import BillingAccountView
from gql.audit import AuditConnection, audit_log
from gql.charge_preview import PreviewQueries
from gql.connection import After, Before, First, Last
from gql.context import Info
from gql.dispute import DisputeConnection, DisputeView, page_of_disputes
from gql.ids import id_of, parsed_id, user_id_of
from gql.invoice import InvoiceView
from gql.loaders import Loaders
from gql.money import CurrencyRuleView
from gql.node import Node, optional_view, view, views
from gql.operation import OperationView, find_operation, operation_view
from gql.payment import PaymentView
from gql.payment_method import PaymentMethodView, methods_of
from gql.payment_queries import Filter, Order, PaymentConnection, PaymentFilterInput, page_of_payments
from gql.plan import PlanView
from gql.refund import RefundView
from gql.scalars import IdempotencyKey
from gql.statistics import StatisticsQueries
from gql.subscription import SubscriptionView
from gql.subscription_queries import (
    SubscriptionConnection,
    SubscriptionFilterInput,
    WhichSubscriptions,
    page_of_subscriptions,
)

LARGEST_LOOKUP: Final = 100
T = TypeVar("T")


async def found(loaders: Loaders, text: str) -> Any:
    """The object with this id, if the caller may see it. Raises NotFound."""
    kind, identity = parsed_id(text)
    loader: Any = {
        Payment: loaders.payments,
        PaymentMethod: loaders.payment_methods,
        PaymentMethodSetup: loaders.setups,
        BillingAccount: loaders.accounts,
        Refund: loaders.refunds,
        Dispute: loaders.disputes,
        Operation: loaders.operations,
        Plan: loaders.plans,
        Subscription: loaders.subscriptions,
        Invoice: loaders.invoices,
        Entitlement: loaders.entitlements,
        AuditRecord: loaders.audit_records,
    }.get(kind)
    thing = await loader.load(identity) if loader else None
    if thing is None:
        raise NotFound("There is no object with this id.")
    return operation_view(thing) if kind is Operation else thing


@strawberry.type
class NodeQueries:
    @strawberry.field(description="Any object by its id.")
    async def node(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The object.")]
    ) -> Node | None:
        return optional_view(Node, await found(info.context.loaders, id))

    @strawberry.field(
        description="Objects by their ids, in the same order; null for those that are not there."
    )
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
    @strawberry.field(description="The caller's billing account, opened at first sight.")
    async def viewer(self, info: Info) -> BillingAccountView | None:
        actor = info.context.actor
        account = await info.context.services.customers.account(actor.known_id, by=actor)
        return optional_view(BillingAccountView, account)

    @strawberry.field(description="Support and admins: a user's billing account. Others find only their own.")
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
    def currencies(self, info: Info) -> list[CurrencyRuleView]:
        return views(CurrencyRuleView, info.context.services.rules.currencies)


@strawberry.type
class PaymentQueries:
    @strawberry.field(description="A payment that the caller may see.")
    async def payment(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The payment.")]
    ) -> PaymentView | None:
        found = await info.context.loaders.payments.load(id_of(Payment, id, "id"))
        return view(PaymentView, existing(found, "payment"))

    @strawberry.field(
        description="The caller's payments; support and admins see everybody's and may filter by userId."
    )
    async def payments(
        self,
        info: Info,
        filter: Filter = None,
        order_by: Order = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> PaymentConnection:
        wanted = (filter or PaymentFilterInput()).wanted()
        return await page_of_payments(info, wanted, order_by, first, after, last, before)


@strawberry.type
class RefundQueries:
    @strawberry.field(description="A refund that the caller may see.")
    async def refund(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The refund.")]
    ) -> RefundView | None:
        found = await info.context.loaders.refunds.load(id_of(Refund, id, "id"))
        return view(RefundView, existing(found, "refund"))

    @strawberry.field(description="A dispute that the caller may see.")
    async def dispute(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The dispute.")]
    ) -> DisputeView | None:
        found = await info.context.loaders.disputes.load(id_of(Dispute, id, "id"))
        return view(DisputeView, existing(found, "dispute"))

    @strawberry.field(description="Support and admins: everybody's disputes, the newest first.")
    async def disputes(
        self,
        info: Info,
        status: Annotated[
            list[DisputeStatus] | None, strawberry.argument(description="Only those in one of these states.")
        ] = None,
        first: First = None,
        after: After = None,
    ) -> DisputeConnection:
        return await page_of_disputes(info, status, first, after)


@strawberry.type
class PaymentMethodQueries:
    @strawberry.field(description="The caller's saved methods, the default one first, then the newest.")
    async def payment_methods(self, info: Info) -> list[PaymentMethodView]:
        return await methods_of(info.context.actor.known_id, info)

    @strawberry.field(description="A saved method that the caller may see.")
    async def payment_method(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The method.")]
    ) -> PaymentMethodView | None:
        found = await info.context.loaders.payment_methods.load(id_of(PaymentMethod, id, "id"))
        return view(PaymentMethodView, existing(found, "payment method"))


@strawberry.type
class SubscriptionQueries:
    @strawberry.field(description="What may be subscribed to, the cheapest first. Open to everybody.")
    async def plans(
        self,
        info: Info,
        active_only: Annotated[
            bool, strawberry.argument(description="Without those that are no longer sold.")
        ] = True,
    ) -> list[PlanView]:
        return views(PlanView, await info.context.services.plans.listed(active_only=active_only))

    @strawberry.field(description="A subscription that the caller may see.")
    async def subscription(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The subscription.")]
    ) -> SubscriptionView | None:
        found = await info.context.loaders.subscriptions.load(id_of(Subscription, id, "id"))
        return view(SubscriptionView, existing(found, "subscription"))

    @strawberry.field(
        description="The caller's subscriptions; support and admins see everybody's and may filter by userId."
    )
    async def subscriptions(
        self,
        info: Info,
        filter: WhichSubscriptions = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> SubscriptionConnection:
        wanted = (filter or SubscriptionFilterInput()).wanted()
        return await page_of_subscriptions(info, wanted, first, after, last, before)

    @strawberry.field(description="An invoice that the caller may see.")
    async def invoice(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The invoice.")]
    ) -> InvoiceView | None:
        found = await info.context.loaders.invoices.load(id_of(Invoice, id, "id"))
        return view(InvoiceView, existing(found, "invoice"))


@strawberry.type
class AccessQueries:
    @strawberry.field(
        description="Other services and admins: whether a user may use each of these now, in the same order."
    )
    async def access(
        self,
        info: Info,
        user_id: Annotated[strawberry.ID, strawberry.argument(description="The user, by UUID.")],
        targets: Annotated[list[AccessTargetInput], strawberry.argument(description="At most 100.")],
    ) -> list[AccessDecisionView]:
        info.context.services.access.must_answer(info.context.actor, count=len(targets))
        user = user_id_of(user_id, "user_id")
        asked = [AccessQuestion(user_id=user, target=each.target("targets")) for each in targets]
        return views(AccessDecisionView, await info.context.loaders.decisions.load_many(asked))


@strawberry.type
class AuditQueries:
    @strawberry.field(description="Admins: what everybody did, the newest first.")
    async def audit_log(
        self,
        info: Info,
        object_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only what was done to this object.")
        ] = None,
        actor_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only what this user did, by UUID.")
        ] = None,
        first: First = None,
        after: After = None,
    ) -> AuditConnection:
        return await audit_log(info, object_id, actor_id, first, after)


@strawberry.type(description="What may be read.")
class Query(
    NodeQueries,
    AccountQueries,
    PaymentQueries,
    RefundQueries,
    PaymentMethodQueries,
    SubscriptionQueries,
    PreviewQueries,
    AccessQueries,
    AuditQueries,
    StatisticsQueries,
):
    pass


def existing(thing: T | None, what: str, *, path: str = "id") -> T:
    if thing is None:
        raise NotFound(f"There is no such {what}.", path=(path,))
    return thing
