"""What commands about subscriptions are asked for with."""

from datetime import datetime

import strawberry

from domain.charge_preview import ChangeTiming, ChargePreview, OnFailure, Proration
from domain.commands.subscriptions.change_plan import ChangePlan
from domain.commands.subscriptions.create_subscription import CreateSubscription
from domain.commands.subscriptions.ending import CancelSubscription
from domain.commands.subscriptions.pausing import PauseSubscription
from domain.commands.subscriptions.retry_renewal import RetryRenewal
from domain.commands.subscriptions.update_subscription import UpdateSubscription
from domain.payment_method import PaymentMethod
from domain.plan import Plan
from domain.subscription import CancelReason, CancelTiming, Subscription
from gql.charge_preview import PRORATION
from gql.ids import id_of, user_id_of
from gql.payload import KEY, METADATA, OPTIONAL_KEY
from gql.scalars import IdempotencyKey, JsonObject

PREVIEW = "Charge exactly what this preview showed, or nothing: then PREVIEW_STALE comes with a fresh one."


@strawberry.input(description="Subscribe to a plan.")
class CreateSubscriptionInput:
    idempotency_key: IdempotencyKey = strawberry.field(description=KEY)
    plan_id: strawberry.ID = strawberry.field(description="The plan.")
    payment_method_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="The method that pays, also later. Where none is named, whichever is the default one then.",
    )
    use_trial: bool = strawberry.field(
        default=True, description="Begin with the plan's trial, if it has one; one per person and card."
    )
    metadata: JsonObject | None = strawberry.field(default=None, description=METADATA)
    preview_id: strawberry.ID | None = strawberry.field(default=None, description=PREVIEW)
    on_behalf_of_user_id: strawberry.ID | None = strawberry.field(
        default=None, description="Admins: the user who subscribes, as a UUID."
    )

    def command(self) -> CreateSubscription:
        method, preview, owner = self.payment_method_id, self.preview_id, self.on_behalf_of_user_id
        return CreateSubscription(
            plan_id=id_of(Plan, self.plan_id, "plan_id"),
            payment_method_id=id_of(PaymentMethod, method, "payment_method_id") if method else None,
            uses_trial=self.use_trial,
            details=self.metadata or {},
            preview_id=id_of(ChargePreview, preview, "preview_id") if preview else None,
            owner=user_id_of(owner, "on_behalf_of_user_id") if owner else None,
        )


@strawberry.input(description="Change what a subscription is paid with, or your own data about it.")
class UpdateSubscriptionInput:
    idempotency_key: IdempotencyKey | None = strawberry.field(default=None, description=OPTIONAL_KEY)
    id: strawberry.ID = strawberry.field(description="The subscription.")
    payment_method_id: strawberry.ID | None = strawberry.field(
        default=None, description="The method that pays from now on."
    )
    metadata: JsonObject | None = strawberry.field(default=None, description=f"Instead of it: {METADATA}")

    def command(self) -> UpdateSubscription:
        method = self.payment_method_id
        return UpdateSubscription(
            subscription_id=id_of(Subscription, self.id, "id"),
            payment_method_id=id_of(PaymentMethod, method, "payment_method_id") if method else None,
            details=self.metadata,
        )


@strawberry.input(description="Change the plan of a subscription.")
class ChangePlanInput:
    idempotency_key: IdempotencyKey = strawberry.field(description=KEY)
    subscription_id: strawberry.ID = strawberry.field(description="The subscription.")
    plan_id: strawberry.ID = strawberry.field(description="The plan that is wanted, in the same currency.")
    timing: ChangeTiming = strawberry.field(default=ChangeTiming.NOW, description="When it changes.")
    proration: Proration | None = strawberry.field(default=None, description=PRORATION)
    preview_id: strawberry.ID | None = strawberry.field(default=None, description=PREVIEW)
    if_payment_fails: OnFailure = strawberry.field(
        default=OnFailure.REVERT, description="What becomes of the change if its charge is declined."
    )

    def command(self) -> ChangePlan:
        preview = self.preview_id
        return ChangePlan(
            subscription_id=id_of(Subscription, self.subscription_id, "subscription_id"),
            plan_id=id_of(Plan, self.plan_id, "plan_id"),
            timing=self.timing,
            proration=self.proration,
            preview_id=id_of(ChargePreview, preview, "preview_id") if preview else None,
            if_payment_fails=self.if_payment_fails,
        )


@strawberry.input(description="End a subscription.")
class CancelSubscriptionInput:
    idempotency_key: IdempotencyKey | None = strawberry.field(default=None, description=OPTIONAL_KEY)
    id: strawberry.ID = strawberry.field(description="The subscription.")
    timing: CancelTiming = strawberry.field(
        default=CancelTiming.PERIOD_END,
        description="When it ends. A period that was not paid for ends at once, whatever is said here.",
    )
    reason: CancelReason | None = strawberry.field(default=None, description="Why, for statistics.")
    comment: str | None = strawberry.field(
        default=None, description="What the customer says, for the records."
    )

    def command(self) -> CancelSubscription:
        return CancelSubscription(
            subscription_id=id_of(Subscription, self.id, "id"),
            timing=self.timing,
            reason=self.reason,
            comment=self.comment,
        )


@strawberry.input(description="Names a subscription, and nothing else.")
class SubscriptionRefInput:
    idempotency_key: IdempotencyKey = strawberry.field(description=KEY)
    id: strawberry.ID = strawberry.field(description="The subscription.")


@strawberry.input(description="Collect nothing for a while.")
class PauseSubscriptionInput:
    idempotency_key: IdempotencyKey | None = strawberry.field(default=None, description=OPTIONAL_KEY)
    id: strawberry.ID = strawberry.field(description="The subscription.")
    resumes_at: datetime | None = strawberry.field(
        default=None,
        description=(
            "When it goes on by itself, and is charged, as by resumeSubscription; by that alone where this is null."
        ),
    )

    def command(self) -> PauseSubscription:
        subscription_id = id_of(Subscription, self.id, "id")
        return PauseSubscription(subscription_id=subscription_id, resumes_at=self.resumes_at)


@strawberry.input(description="Pay now what is owed for a subscription.")
class RetryRenewalInput:
    idempotency_key: IdempotencyKey = strawberry.field(description=KEY)
    id: strawberry.ID = strawberry.field(description="The subscription.")
    payment_method_id: strawberry.ID | None = strawberry.field(
        default=None, description="Another method, which pays for the subscription from now on."
    )

    def command(self) -> RetryRenewal:
        method = self.payment_method_id
        return RetryRenewal(
            subscription_id=id_of(Subscription, self.id, "id"),
            payment_method_id=id_of(PaymentMethod, method, "payment_method_id") if method else None,
        )
