"""The type Subscription and what belongs to it."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

import strawberry

from domain.account import BillingAccount
from domain.dunning import Dunning, dunning_of
from domain.invoice import Invoice
from domain.payment import Payment
from domain.payment_method import PaymentMethod
from domain.plan import Plan
from domain.subscription import CancelReason, Subscription
from domain.subscription_status import SubscriptionAction, SubscriptionStatus
from gql.audit import BillingEventConnection, timeline
from gql.charge_preview import ChargePreviewView
from gql.connection import After, First
from gql.context import Info
from gql.decline import DeclineView, decline_view
from gql.invoice import InvoiceView
from gql.lazy import LazyAccount
from gql.needs import fails_often, needs
from gql.node import Node, optional_view
from gql.payment import NextActionView
from gql.payment_method import PaymentMethodView
from gql.payment_queries import PaymentConnection, page_below_subscription
from gql.plan import PlanView
from gql.relation import to_one
from gql.scalars import JsonObject
from gql.stripe_link import StripeLinkView, stripe_link

strawberry.enum(SubscriptionStatus, description="How a subscription stands.")
strawberry.enum(CancelReason, description="Why a customer cancels.")


@strawberry.type(name="Dunning", description="How the collection of an overdue payment goes.")
class DunningView:
    started_at: datetime = strawberry.field(description="When the first attempt failed.")
    attempt: int = strawberry.field(description="How many attempts were made.")
    max_attempts: int = strawberry.field(description="How many are made at most.")
    next_attempt_at: datetime | None = strawberry.field(
        description="When the next one follows by itself; null where none does."
    )
    access_until: datetime = strawberry.field(description="When access ends, unless it is paid before.")

    @strawberry.field(description="Why the last attempt failed, where a bank or a card network said no.")
    @needs()
    def last_decline(dunning: strawberry.Parent[Dunning], info: Info) -> DeclineView | None:
        return decline_view(dunning.last_decline, info.context.actor)


@strawberry.type(name="Subscription", description="A plan that is paid for period after period.")
class SubscriptionView(Node):
    _domain: ClassVar[type] = Subscription

    status: SubscriptionStatus = strawberry.field(description="How it stands.")
    livemode: bool = strawberry.field(description="Whether the money is real.")
    version: int = strawberry.field(description="Grows with every change.")
    current_period_start: datetime = strawberry.field(description="When the running period began.")
    current_period_end: datetime = strawberry.field(description="When it ends, and the next one is charged.")
    paid_through: datetime | None = strawberry.field(
        description="The end of the last period that was paid for, or is free."
    )
    timeline: BillingEventConnection = timeline()
    cancel_at_period_end: bool = strawberry.field(description="Whether it ends with the running period.")
    cancel_at: datetime | None = strawberry.field(description="When it will end, where that is planned.")
    cancelled_at: datetime | None = strawberry.field(description="When somebody cancelled it.")
    cancel_reason: CancelReason | None = strawberry.field(description="Why, if that was said.")
    ended_at: datetime | None = strawberry.field(description="When it ended.")
    trial_ends_at: datetime | None = strawberry.field(description="When its trial ends, or has ended.")
    paused_until: datetime | None = strawberry.field(
        description="When a pause ends by itself; null while it is paused until it is resumed."
    )
    will_charge_again: bool = strawberry.field(
        description="False once it is cancelled, unpaid or expired, or ends with this period: no charge can follow."
    )
    created_at: datetime = strawberry.field(description="When it was made.")
    updated_at: datetime = strawberry.field(description="When it last changed.")

    @strawberry.field(description="The id as a UUID, as the REST API shows it.")
    @needs()
    def uuid(subscription: strawberry.Parent[Subscription]) -> UUID:
        return subscription.id

    @strawberry.field(description="What may be done with it now.")
    @needs(whole=(Subscription,))
    def actions(subscription: strawberry.Parent[Subscription]) -> list[SubscriptionAction]:
        return list(subscription.actions)

    plan: PlanView = to_one(Plan, "plan_id", description="What is subscribed to.")
    pending_plan: PlanView | None = to_one(
        Plan,
        "pending_plan_id",
        description="What it changes to next, where a change is planned or waits to be paid.",
    )
    billing_account: LazyAccount = to_one(BillingAccount, "user_id", description="Whose it is.")
    payment_method: PaymentMethodView | None = to_one(
        PaymentMethod,
        "payment_method_id",
        description="What pays for it; null where the customer's default at Stripe does.",
    )

    @strawberry.field(
        description="How the collection of an overdue payment goes; null where none is overdue."
    )
    @needs(whole=(Subscription, Invoice, Payment))
    async def dunning(subscription: strawberry.Parent[Subscription], info: Info) -> DunningView | None:
        if subscription.past_due_since is None:
            return None
        invoice_id = subscription.latest_invoice_id
        invoice = None if invoice_id is None else await info.context.loaders.invoices.load(invoice_id)
        payment = await info.context.loaders.latest_payment(subscription)
        dunning = dunning_of(subscription, invoice, payment, info.context.services.rules)
        return optional_view(DunningView, dunning)

    latest_invoice: InvoiceView | None = to_one(
        Invoice, "latest_invoice_id", description="The last invoice that was made for it."
    )

    @strawberry.field(
        description="What the app must do now so that the latest invoice gets paid. Asked of Stripe each time."
    )
    @fails_often
    async def next_action(subscription: strawberry.Parent[Subscription], info: Info) -> NextActionView | None:
        payment = await info.context.loaders.latest_payment(subscription)
        if payment is None:
            return None
        action = await info.context.services.payments.next_action(info.context.actor, payment)
        return optional_view(NextActionView, action)

    @strawberry.field(
        description=(
            "The next renewal as it would be charged today; null where none will be, and while a pause outlasts the "
            "period: what follows that is charged when it ends. Asked of Stripe each time."
        )
    )
    @fails_often
    async def next_charge(
        subscription: strawberry.Parent[Subscription], info: Info
    ) -> ChargePreviewView | None:
        terms = await info.context.services.previews.next_charge(subscription)
        return optional_view(ChargePreviewView, terms)

    @strawberry.field(description="What was collected for it, or not, the newest first.")
    @needs()
    async def payments(
        subscription: strawberry.Parent[Subscription], info: Info, first: First = None, after: After = None
    ) -> PaymentConnection:
        return await page_below_subscription(info, subscription.id, first, after)

    @strawberry.field(description="Your own data, as it was given.")
    @needs("details")
    def metadata(subscription: strawberry.Parent[Subscription]) -> JsonObject:
        return JsonObject(dict(subscription.details))

    @strawberry.field(description="Support and admins: where to find it at Stripe. Null before it got there.")
    @fails_often
    def stripe(subscription: strawberry.Parent[Subscription], info: Info) -> StripeLinkView | None:
        return stripe_link(subscription, info)
