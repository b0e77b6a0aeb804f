"""Billing accounts: the caller's own, at first."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, ClassVar

import strawberry

from domain.access import AccessQuestion
from domain.account import BillingAccount
from domain.payment_method import PaymentMethod
from gql.access import AccessDecisionView, AccessTargetInput, EntitlementView, decision_about
from gql.connection import After, Before, First, Last
from gql.context import Info
from gql.invoice import InvoiceConnection, page_of_invoices
from gql.needs import needs
from gql.node import Node, optional_view, views
from gql.payment_method import PaymentMethodView, methods_of
from gql.payment_queries import Filter, Order, PaymentConnection, PaymentFilterInput, page_of_payments
from gql.subscription_queries import (
    SubscriptionConnection,
    SubscriptionFilterInput,
    WhichSubscriptions,
    page_of_subscriptions,
)


@strawberry.type(name="User", description="A user, whom the User Service knows better.")
class UserView:
    id: strawberry.ID = strawberry.field(description="The User Service's id: a UUID.")


@strawberry.type(name="BillingAccount", description="A user's payments and the ways to pay for them.")
class BillingAccountView(Node):
    _domain: ClassVar[type] = BillingAccount

    created_at: datetime = strawberry.field(description="When we first saw the user.")
    updated_at: datetime = strawberry.field(description="When it last changed.")

    @strawberry.field(description="Whose it is.")
    @needs("user_id")
    def user(account: strawberry.Parent[BillingAccount]) -> UserView:
        return UserView(id=strawberry.ID(str(account.user_id)))

    @strawberry.field(description="The method that pays where no other is named.")
    @needs("user_id", whole=(PaymentMethod,))
    async def default_payment_method(
        account: strawberry.Parent[BillingAccount], info: Info
    ) -> PaymentMethodView | None:
        methods = await info.context.loaders.methods_of.load(account.user_id)
        default = next((method for method in methods or [] if method.is_default), None)
        return optional_view(PaymentMethodView, default)

    @strawberry.field(description="Saved methods, the default one first, then the newest.")
    @needs("user_id")
    async def payment_methods(
        account: strawberry.Parent[BillingAccount],
        info: Info,
        include_detached: Annotated[bool, strawberry.argument(description="Removed ones too.")] = False,
    ) -> list[PaymentMethodView]:
        return await methods_of(account.user_id, info, with_detached=include_detached)

    @strawberry.field(description="Every reason for access that the user has or had, the oldest first.")
    @needs("user_id")
    async def entitlements(account: strawberry.Parent[BillingAccount], info: Info) -> list[EntitlementView]:
        found = await info.context.loaders.entitlements_of.load(account.user_id)
        return views(EntitlementView, found or [])

    @strawberry.field(description="Whether the user may use something now.")
    @needs("user_id")
    async def access(
        account: strawberry.Parent[BillingAccount],
        info: Info,
        target: Annotated[AccessTargetInput, strawberry.argument(description="What they want to use.")],
    ) -> AccessDecisionView:
        question = AccessQuestion(user_id=account.user_id, target=target.target("target"))
        return await decision_about(info, question)

    @strawberry.field(description="The account's payments.")
    @needs("user_id")
    async def payments(
        account: strawberry.Parent[BillingAccount],
        info: Info,
        filter: Filter = None,
        order_by: Order = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> PaymentConnection:
        wanted = (filter or PaymentFilterInput()).wanted()
        wanted = replace(wanted, owner=account.user_id)
        return await page_of_payments(info, wanted, order_by, first, after, last, before)

    @strawberry.field(description="The account's subscriptions, the newest first.")
    @needs("user_id")
    async def subscriptions(
        account: strawberry.Parent[BillingAccount],
        info: Info,
        filter: WhichSubscriptions = None,
        first: First = None,
        after: After = None,
    ) -> SubscriptionConnection:
        wanted = (filter or SubscriptionFilterInput()).wanted()
        wanted = replace(wanted, owner=account.user_id)
        return await page_of_subscriptions(info, wanted, first, after)

    @strawberry.field(description="The account's invoices, the newest first.")
    @needs("user_id")
    async def invoices(
        account: strawberry.Parent[BillingAccount], info: Info, first: First = None, after: After = None
    ) -> InvoiceConnection:
        return await page_of_invoices(info, account.user_id, first, after)

    @strawberry.field(description="Whether a payment for a subscription is overdue.")
    @needs("user_id")
    async def delinquent(account: strawberry.Parent[BillingAccount], info: Info) -> bool:
        return bool(await info.context.loaders.overdue_of.load(account.user_id))
