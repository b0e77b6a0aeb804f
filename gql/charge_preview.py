"""What something would cost, and asking for that."""

from datetime import datetime
from typing import Annotated, Final

import strawberry

from domain.cancellation_preview import CancellationPreview
from domain.charge_preview import ChangeTiming, ChargePreview, OnFailure, PreviewTerms, Proration
from domain.plan import Plan
from domain.subscription import CancelTiming, Subscription
from gql.context import Info
from gql.ids import global_id, id_of
from gql.invoice import ChargeLineView, charge_line
from gql.money import MoneyView, money
from gql.node import optional_view, view

strawberry.enum(ChangeTiming, description="Whether a plan changes now or with the next period.")
strawberry.enum(
    Proration,
    description=(
        "What becomes of the rest of the running period: PRORATE settles it with the next invoice, INVOICE_NOW by "
        "an invoice at once; FULL_PRICE_NOW begins a new period at the full price; NONE gives it away."
    ),
)
strawberry.enum(
    OnFailure,
    description="What becomes of a plan change whose charge fails: REVERT leaves the former plan, and nothing is owed.",
)
strawberry.enum(CancelTiming, description="Whether a subscription ends now or with the period that is paid.")


PRORATION: Final = (
    "What becomes of the rest of the running period. By default INVOICE_NOW for a dearer plan, which users have to pay "
    "for at once (or FULL_PRICE_NOW), and PRORATE for any other."
)


@strawberry.type(
    name="ChargePreview",
    description=(
        "What would be charged, calculated by Stripe. Named as previewId within minutes, it is what is charged, "
        "to the smallest unit, or nothing happens."
    ),
)
class ChargePreviewView:
    @strawberry.field(
        description="For previewId. Null where nothing is left to be confirmed, as for a subscription's nextCharge."
    )
    def id(preview: strawberry.Parent[PreviewTerms]) -> strawberry.ID | None:
        return global_id(ChargePreview, preview.id) if isinstance(preview, ChargePreview) else None

    @strawberry.field(description="When these lines are charged.")
    def at(preview: strawberry.Parent[PreviewTerms]) -> datetime:
        return preview.charged_at

    @strawberry.field(description="What it is made up of.")
    def lines(preview: strawberry.Parent[PreviewTerms]) -> list[ChargeLineView]:
        return [charge_line(line, preview.currency) for line in preview.charge_lines]

    @strawberry.field(description="What the lines come to, before taxes.")
    def subtotal(preview: strawberry.Parent[PreviewTerms]) -> MoneyView:
        return money(preview.subtotal, preview.currency)

    @strawberry.field(description="The taxes.")
    def tax(preview: strawberry.Parent[PreviewTerms]) -> MoneyView:
        return money(preview.tax, preview.currency)

    @strawberry.field(description="What of it the customer's credit pays.")
    def credit_applied(preview: strawberry.Parent[PreviewTerms]) -> MoneyView:
        return money(preview.credit_applied, preview.currency)

    @strawberry.field(description="What is charged at once.")
    def due_now(preview: strawberry.Parent[PreviewTerms]) -> MoneyView:
        return money(preview.due_now, preview.currency)

    @strawberry.field(
        description="What the next renewal costs; with these lines where they are charged only then."
    )
    def next_renewal(preview: strawberry.Parent[PreviewTerms]) -> MoneyView:
        return money(preview.next_renewal, preview.currency)

    @strawberry.field(description="Until when it binds; null where it does not.")
    def expires_at(preview: strawberry.Parent[PreviewTerms]) -> datetime | None:
        return preview.expires_at if isinstance(preview, ChargePreview) else None


@strawberry.type(name="CancellationPreview", description="What cancelling would do.")
class CancellationPreviewView:
    ends_access_at: datetime = strawberry.field(
        description="When it ends. A period that was not paid for ends at once, whatever the timing."
    )
    stops_retries: bool = strawberry.field(
        description="Whether attempts to collect an open invoice are given up."
    )

    @strawberry.field(description="What is owed now, and would be no more.")
    def voids(preview: strawberry.Parent[CancellationPreview]) -> MoneyView | None:
        return optional_view(MoneyView, preview.voids)

    @strawberry.field(
        description="What is given back. Null, since cancelling gives nothing back by itself: refundPayment does."
    )
    def refund(preview: strawberry.Parent[CancellationPreview]) -> MoneyView | None:
        return optional_view(MoneyView, preview.refund)


@strawberry.input(description="A plan change, to be previewed.")
class PreviewPlanChangeInput:
    subscription_id: strawberry.ID = strawberry.field(description="The subscription.")
    plan_id: strawberry.ID = strawberry.field(description="The plan that is wanted.")
    timing: ChangeTiming = strawberry.field(default=ChangeTiming.NOW, description="When it changes.")
    proration: Proration | None = strawberry.field(default=None, description=PRORATION)


PlanId = Annotated[strawberry.ID, strawberry.argument(description="The plan.")]
SubscriptionId = Annotated[strawberry.ID, strawberry.argument(description="The subscription.")]


@strawberry.type
class PreviewQueries:
    @strawberry.field(
        description="What a new subscription of the caller's would cost. TRIAL_USED where no trial is left to them."
    )
    async def preview_subscription(
        self,
        info: Info,
        plan_id: PlanId,
        use_trial: Annotated[
            bool, strawberry.argument(description="Whether the plan's trial is wanted, if it has one.")
        ] = True,
    ) -> ChargePreviewView:
        plan = id_of(Plan, plan_id, "plan_id")
        context = info.context
        preview = await context.services.previews.start(context.actor, plan, uses_trial=use_trial)
        return view(ChargePreviewView, preview)

    @strawberry.field(description="What a plan change would cost.")
    async def preview_plan_change(
        self,
        info: Info,
        input: Annotated[PreviewPlanChangeInput, strawberry.argument(description="The change.")],
    ) -> ChargePreviewView:
        preview = await info.context.services.previews.plan_change(
            info.context.actor,
            id_of(Subscription, input.subscription_id, "subscription_id"),
            id_of(Plan, input.plan_id, "plan_id"),
            input.timing,
            input.proration,
        )
        return view(ChargePreviewView, preview)

    @strawberry.field(description="What cancelling would do: when access ends, and what is owed no more.")
    async def preview_cancellation(
        self,
        info: Info,
        subscription_id: SubscriptionId,
        timing: Annotated[CancelTiming, strawberry.argument(description="When it would end.")],
    ) -> CancellationPreviewView:
        subscription = id_of(Subscription, subscription_id, "subscription_id")
        preview = await info.context.services.previews.cancellation(info.context.actor, subscription, timing)
        return view(CancellationPreviewView, preview)
