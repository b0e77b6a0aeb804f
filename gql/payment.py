"""The type Payment and what belongs to it."""

from dataclasses import fields
from datetime import datetime
from typing import ClassVar, Final
from uuid import UUID

import strawberry

from domain.account import BillingAccount
from domain.invoice import Invoice
from domain.outcome import NextActionKind
from domain.payment import Payment
from domain.payment_method import MethodSnapshot, PaymentMethod, PaymentMethodType
from domain.payment_status import CaptureMethod, PaymentAction, PaymentStatus, PaymentTrigger
from domain.subscription import Subscription
from gql.audit import BillingEventConnection, timeline
from gql.context import Info
from gql.decline import DeclineView, decline_view
from gql.dispute import DisputeView
from gql.lazy import LazyAccount, LazyInvoice, LazySubscription
from gql.media_item import MediaItemView, media_item
from gql.money import MoneyView, money
from gql.needs import fails_often, needs
from gql.node import Node, optional_view
from gql.payment_method import PaymentMethodView
from gql.refund import RefundView
from gql.relation import to_many, to_one
from gql.scalars import JsonObject, Url
from gql.stripe_link import StripeLinkView, stripe_link

REFUNDABLE: Final = (
    "status",
    "captured_amount",
    "refunded_amount",
    "refund_pending_amount",
    "disputed_amount",
)
SNAPSHOT: Final = tuple(f"method_{part.name}" for part in fields(MethodSnapshot))

strawberry.enum(PaymentStatus, description="How far a payment has come.")
strawberry.enum(PaymentTrigger, description="What made us collect.")
strawberry.enum(
    CaptureMethod, description="Whether an authorisation is collected at once or by capturePayment."
)
strawberry.enum(NextActionKind, description="What kind of step the app must take.")


@strawberry.type(name="NextAction", description="What the app must do now, such as 3-D Secure.")
class NextActionView:
    kind: NextActionKind = strawberry.field(description="The kind of step.")
    client_secret: str | None = strawberry.field(
        description="For Stripe's library. The payment's owner alone may see it."
    )
    redirect_url: Url | None = strawberry.field(
        description="Where to send the customer; returnUrl brings them back."
    )


@strawberry.type(name="PaymentMethodSnapshot", description="The method as it was when it was charged.")
class MethodSnapshotView:
    type: PaymentMethodType = strawberry.field(description="What kind of method it was.")
    last4: str | None = strawberry.field(description="The last four digits.")
    brand: str | None = strawberry.field(description="The card's brand or the bank's name.")
    exp_month: int | None = strawberry.field(description="The last month in which the card was valid.")
    exp_year: int | None = strawberry.field(description="The year of that month.")
    wallet: str | None = strawberry.field(description="The wallet that held it, such as apple_pay.")
    country: str | None = strawberry.field(description="The country of the bank that issued it.")


@strawberry.type(name="Payment", description="Money collected, or not, from one billing account.")
class PaymentView(Node):
    _domain: ClassVar[type] = Payment

    status: PaymentStatus = strawberry.field(description="How far it has come.")
    trigger: PaymentTrigger = strawberry.field(description="What made us collect.")
    livemode: bool = strawberry.field(description="Whether the money is real.")
    version: int = strawberry.field(description="Grows with every change.")
    capture_method: CaptureMethod = strawberry.field(description="When an authorisation is collected.")
    description: str | None = strawberry.field(description="What the customer paid for, in your words.")
    receipt_url: Url | None = strawberry.field(description="Stripe's receipt.")
    created_at: datetime = strawberry.field(description="When it was asked for.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    completed_at: datetime | None = strawberry.field(description="When the money was collected.")

    @strawberry.field(description="The id as a UUID, as the REST API shows it.")
    @needs()
    def uuid(payment: strawberry.Parent[Payment]) -> UUID:
        return payment.id

    @strawberry.field(description="What may be done with it now.")
    @needs(*REFUNDABLE, "processor_payment_id", "invoice_id")
    def actions(payment: strawberry.Parent[Payment]) -> list[PaymentAction]:
        return list(payment.actions)

    @strawberry.field(description="What was asked for.")
    @needs("amount", "currency")
    def amount(payment: strawberry.Parent[Payment]) -> MoneyView:
        return money(payment.amount, payment.currency)

    @strawberry.field(description="What the bank has agreed to, at most, so far.")
    @needs("authorized_amount", "currency")
    def authorized_amount(payment: strawberry.Parent[Payment]) -> MoneyView:
        return money(payment.authorized_amount, payment.currency)

    @strawberry.field(description="What was collected.")
    @needs("captured_amount", "currency")
    def captured_amount(payment: strawberry.Parent[Payment]) -> MoneyView:
        return money(payment.captured_amount, payment.currency)

    @strawberry.field(description="What was given back, and taken by the bank.")
    @needs("refunded_amount", "currency")
    def refunded_amount(payment: strawberry.Parent[Payment]) -> MoneyView:
        return money(payment.refunded_amount, payment.currency)

    @strawberry.field(description="What is being given back: asked for, and not yet taken by the bank.")
    @needs("refund_pending_amount", "currency")
    def refund_pending_amount(payment: strawberry.Parent[Payment]) -> MoneyView:
        return money(payment.refund_pending_amount, payment.currency)

    @strawberry.field(description="What may still be refunded; nothing while it is disputed.")
    @needs(*REFUNDABLE, "currency")
    def refundable_amount(payment: strawberry.Parent[Payment]) -> MoneyView:
        return money(payment.refundable_amount, payment.currency)

    refunds: list[RefundView] = to_many(
        lambda loaders: loaders.refunds_of, description="Its refunds, the oldest first; failed ones too."
    )
    disputes: list[DisputeView] = to_many(
        lambda loaders: loaders.disputes_of, description="Its disputes, the oldest first."
    )

    @strawberry.field(
        description=(
            "What the app must do now: 3-D Secure, a redirect, micro-deposits, or to confirm. "
            "Null when nothing is needed. Asked of Stripe each time."
        )
    )
    @fails_often
    async def next_action(payment: strawberry.Parent[Payment], info: Info) -> NextActionView | None:
        action = await info.context.services.payments.next_action(info.context.actor, payment)
        return optional_view(NextActionView, action)

    @strawberry.field(
        description="Set exactly when status is FAILED, or while another attempt after a failure is open."
    )
    @needs("decline_code", "decline_advice")
    def decline(payment: strawberry.Parent[Payment], info: Info) -> DeclineView | None:
        return decline_view(payment.decline, info.context.actor)

    @strawberry.field(description="What was bought with it, where createPayment named it.")
    @needs("media_item_id", "user_id")
    def media_item(payment: strawberry.Parent[Payment]) -> MediaItemView | None:
        return media_item(payment.media_item_id, payment.user_id)

    @strawberry.field(description="Your own data, as it was given.")
    @needs("details")
    def metadata(payment: strawberry.Parent[Payment]) -> JsonObject:
        return JsonObject(dict(payment.details))

    billing_account: LazyAccount = to_one(BillingAccount, "user_id", description="Whose payment it is.")
    subscription: LazySubscription | None = to_one(
        Subscription,
        "subscription_id",
        description="The subscription that it was collected for, if it was for one.",
    )
    invoice: LazyInvoice | None = to_one(
        Invoice, "invoice_id", description="The invoice that it pays, if it pays one."
    )
    payment_method: PaymentMethodView | None = to_one(
        PaymentMethod, "payment_method_id", description="The method as it is today, also after its removal."
    )

    @strawberry.field(description="The method as it was when it was charged.")
    @needs(*SNAPSHOT)
    def payment_method_snapshot(payment: strawberry.Parent[Payment]) -> MethodSnapshotView | None:
        return optional_view(MethodSnapshotView, payment.method_snapshot)

    timeline: BillingEventConnection = timeline()

    @strawberry.field(description="Support and admins: where to find it at Stripe. Null before it got there.")
    @fails_often
    def stripe(payment: strawberry.Parent[Payment], info: Info) -> StripeLinkView | None:
        return stripe_link(payment, info)
