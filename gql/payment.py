"""The type Payment and what belongs to it."""

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, cast
from uuid import UUID

import strawberry

from domain.outcome import NextActionKind
from domain.payment import Payment
from domain.payment_method import PaymentMethodType
from domain.payment_status import CaptureMethod, PaymentAction, PaymentStatus, PaymentTrigger
from gql.audit import BillingEventConnection, timeline
from gql.context import Info
from gql.decline import DeclineView, decline_view
from gql.dispute import DisputeView
from gql.lazy import LazyAccount, LazyInvoice, LazySubscription
from gql.media_item import MediaItemView, media_item
from gql.money import MoneyView, money
from gql.node import Node, optional_view, views
from gql.payment_method import PaymentMethodView
from gql.refund import RefundView
from gql.scalars import JsonObject, Url
from gql.stripe_link import StripeLinkView, stripe_link

if TYPE_CHECKING:
    from gql.account import BillingAccountView
    from gql.invoice import InvoiceView
    from gql.subscription import SubscriptionView

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
    def uuid(payment: strawberry.Parent[Payment]) -> UUID:
        return payment.id

    @strawberry.field(description="What may be done with it now.")
    def actions(payment: strawberry.Parent[Payment]) -> list[PaymentAction]:
        return list(payment.actions)

    @strawberry.field(description="What was asked for.")
    def amount(payment: strawberry.Parent[Payment]) -> MoneyView:
        return money(payment.amount, payment.currency)

    @strawberry.field(description="What the bank has agreed to, at most, so far.")
    def authorized_amount(payment: strawberry.Parent[Payment]) -> MoneyView:
        return money(payment.authorized_amount, payment.currency)

    @strawberry.field(description="What was collected.")
    def captured_amount(payment: strawberry.Parent[Payment]) -> MoneyView:
        return money(payment.captured_amount, payment.currency)

    @strawberry.field(description="What was given back, and taken by the bank.")
    def refunded_amount(payment: strawberry.Parent[Payment]) -> MoneyView:
        return money(payment.refunded_amount, payment.currency)

    @strawberry.field(description="What is being given back: asked for, and not yet taken by the bank.")
    def refund_pending_amount(payment: strawberry.Parent[Payment]) -> MoneyView:
        return money(payment.refund_pending_amount, payment.currency)

    @strawberry.field(description="What may still be refunded; nothing while it is disputed.")
    def refundable_amount(payment: strawberry.Parent[Payment]) -> MoneyView:
        return money(payment.refundable_amount, payment.currency)

    @strawberry.field(description="Its refunds, the oldest first; failed ones too.")
    async def refunds(payment: strawberry.Parent[Payment], info: Info) -> list[RefundView]:
        return views(RefundView, await info.context.loaders.refunds_of.load(payment.id) or [])

    @strawberry.field(description="Its disputes, the oldest first.")
    async def disputes(payment: strawberry.Parent[Payment], info: Info) -> list[DisputeView]:
        return views(DisputeView, await info.context.loaders.disputes_of.load(payment.id) or [])

    @strawberry.field(
        description=(
            "What the app must do now: 3-D Secure, a redirect, micro-deposits, or to confirm. "
            "Null when nothing is needed. Asked of Stripe each time."
        )
    )
    async def next_action(payment: strawberry.Parent[Payment], info: Info) -> NextActionView | None:
        action = await info.context.services.payments.next_action(info.context.actor, payment)
        return optional_view(NextActionView, action)

    @strawberry.field(
        description="Set exactly when status is FAILED, or while another attempt after a failure is open."
    )
    def decline(payment: strawberry.Parent[Payment], info: Info) -> DeclineView | None:
        return decline_view(payment.decline, info.context.actor)

    @strawberry.field(description="What was bought with it, where createPayment named it.")
    def media_item(payment: strawberry.Parent[Payment]) -> MediaItemView | None:
        return media_item(payment.media_item_id, payment.user_id)

    @strawberry.field(description="Your own data, as it was given.")
    def metadata(payment: strawberry.Parent[Payment]) -> JsonObject:
        return JsonObject(dict(payment.details))

    @strawberry.field(description="Whose payment it is.")
    async def billing_account(payment: strawberry.Parent[Payment], info: Info) -> LazyAccount:
        account = await info.context.loaders.accounts.load(payment.user_id)
        return cast("BillingAccountView", account)  # A foreign key says that it exists.

    @strawberry.field(description="The subscription that it was collected for, if it was for one.")
    async def subscription(payment: strawberry.Parent[Payment], info: Info) -> LazySubscription | None:
        if payment.subscription_id is None:
            return None
        found = await info.context.loaders.subscriptions.load(payment.subscription_id)
        return cast("SubscriptionView | None", found)

    @strawberry.field(description="The invoice that it pays, if it pays one.")
    async def invoice(payment: strawberry.Parent[Payment], info: Info) -> LazyInvoice | None:
        if payment.invoice_id is None:
            return None
        found = await info.context.loaders.invoices.load(payment.invoice_id)
        return cast("InvoiceView | None", found)

    @strawberry.field(description="The method as it is today, also after its removal.")
    async def payment_method(payment: strawberry.Parent[Payment], info: Info) -> PaymentMethodView | None:
        if payment.payment_method_id is None:
            return None
        method = await info.context.loaders.payment_methods.load(payment.payment_method_id)
        return optional_view(PaymentMethodView, method)

    @strawberry.field(description="The method as it was when it was charged.")
    def payment_method_snapshot(payment: strawberry.Parent[Payment]) -> MethodSnapshotView | None:
        return optional_view(MethodSnapshotView, payment.method_snapshot)

    timeline: BillingEventConnection = timeline()

    @strawberry.field(description="Support and admins: where to find it at Stripe. Null before it got there.")
    def stripe(payment: strawberry.Parent[Payment], info: Info) -> StripeLinkView | None:
        return stripe_link(payment, info)
