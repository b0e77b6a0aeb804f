"""What may be done with subscriptions."""

from typing import Annotated

import strawberry

from domain.commands.subscriptions.ending import KeepSubscription
from domain.commands.subscriptions.pausing import ResumeSubscription
from domain.paging import Slice
from domain.payment_list import PaymentFilter, PaymentOrder
from domain.subscription import Subscription
from gql.context import Info
from gql.ids import id_of
from gql.needs import needs
from gql.node import optional_view
from gql.payload import INPUT, BusinessErrors, Payload, executed
from gql.payment import PaymentView
from gql.subscription import SubscriptionView
from gql.subscription_inputs import (
    CancelSubscriptionInput,
    ChangePlanInput,
    CreateSubscriptionInput,
    PauseSubscriptionInput,
    RetryRenewalInput,
    SubscriptionRefInput,
    UpdateSubscriptionInput,
)


@strawberry.type(description="What became of a command about a subscription.")
class SubscriptionPayload(Payload):
    @strawberry.field(description="The subscription as it is now; null where none was made.")
    @needs()
    async def subscription(self, info: Info) -> SubscriptionView | None:
        return optional_view(SubscriptionView, await self.made(info.context.loaders.subscriptions))

    @strawberry.field(
        description=(
            "What was collected by this, or tried to be, as it is now; null where nothing was, and while the outcome "
            "is not known."
        )
    )
    @needs()
    async def charge(self, info: Info) -> PaymentView | None:
        operation, context = self.record, info.context
        if operation is None or operation.processor_payment_id is None:
            return None
        wanted = PaymentFilter(processor_payment_id=operation.processor_payment_id)
        page = await context.services.payments.page(context.actor, wanted, PaymentOrder(), Slice(limit=1))
        return optional_view(PaymentView, page.items[0] if page.items else None)


@strawberry.type
class SubscriptionMutations:
    @strawberry.mutation(
        description=(
            "Subscribe to a plan, once per idempotency key. A declined first charge gives a subscription in INCOMPLETE "
            "and a DeclinedError, and retryRenewal pays it with another card; 3-D Secure is no error but a nextAction."
        ),
        extensions=[BusinessErrors(SubscriptionPayload)],
    )
    async def create_subscription(
        self, info: Info, input: Annotated[CreateSubscriptionInput, INPUT]
    ) -> SubscriptionPayload:
        return await executed(SubscriptionPayload, info, input.command(), input.idempotency_key)

    @strawberry.mutation(
        description="Change what a subscription is paid with, or your own data about it.",
        extensions=[BusinessErrors(SubscriptionPayload)],
    )
    async def update_subscription(
        self, info: Info, input: Annotated[UpdateSubscriptionInput, INPUT]
    ) -> SubscriptionPayload:
        return await executed(SubscriptionPayload, info, input.command(), input.idempotency_key)

    @strawberry.mutation(
        description=(
            "Change the plan, now or with the next period. With a previewId it costs what that showed. A charge that "
            "needs 3-D Secure gives a nextAction, and the change takes effect once it is paid."
        ),
        extensions=[BusinessErrors(SubscriptionPayload)],
    )
    async def change_plan(self, info: Info, input: Annotated[ChangePlanInput, INPUT]) -> SubscriptionPayload:
        return await executed(SubscriptionPayload, info, input.command(), input.idempotency_key)

    @strawberry.mutation(
        description=(
            "End a subscription with the period that is paid, or now. What is owed for it then is owed no more, and "
            "nothing is tried again."
        ),
        extensions=[BusinessErrors(SubscriptionPayload)],
    )
    async def cancel_subscription(
        self, info: Info, input: Annotated[CancelSubscriptionInput, INPUT]
    ) -> SubscriptionPayload:
        return await executed(SubscriptionPayload, info, input.command(), input.idempotency_key)

    @strawberry.mutation(
        description="Take a planned end, or a planned or unpaid plan change, back.",
        extensions=[BusinessErrors(SubscriptionPayload)],
    )
    async def keep_subscription(
        self, info: Info, input: Annotated[SubscriptionRefInput, INPUT]
    ) -> SubscriptionPayload:
        command = KeepSubscription(subscription_id=id_of(Subscription, input.id, "id"))
        return await executed(SubscriptionPayload, info, command, input.idempotency_key)

    @strawberry.mutation(
        description="Collect nothing until it is resumed. The period that is paid goes on; later ones are not charged.",
        extensions=[BusinessErrors(SubscriptionPayload)],
    )
    async def pause_subscription(
        self, info: Info, input: Annotated[PauseSubscriptionInput, INPUT]
    ) -> SubscriptionPayload:
        return await executed(SubscriptionPayload, info, input.command(), input.idempotency_key)

    @strawberry.mutation(
        description=(
            "Collect again, from the next renewal on, while the period that was paid goes on. Where it is over, or a "
            "trial had ended without a card, a new period begins and is charged at once, in full."
        ),
        extensions=[BusinessErrors(SubscriptionPayload)],
    )
    async def resume_subscription(
        self, info: Info, input: Annotated[SubscriptionRefInput, INPUT]
    ) -> SubscriptionPayload:
        command = ResumeSubscription(subscription_id=id_of(Subscription, input.id, "id"))
        return await executed(SubscriptionPayload, info, command, input.idempotency_key)

    @strawberry.mutation(
        description="Pay the open invoice now, perhaps with another card. A customer may try a few times per invoice.",
        extensions=[BusinessErrors(SubscriptionPayload)],
    )
    async def retry_renewal(
        self, info: Info, input: Annotated[RetryRenewalInput, INPUT]
    ) -> SubscriptionPayload:
        return await executed(SubscriptionPayload, info, input.command(), input.idempotency_key)
