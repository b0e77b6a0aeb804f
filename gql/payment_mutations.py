"""What may be done with payments."""

from typing import Annotated

import strawberry

from domain.commands.create_payment import CreatePayment
from domain.commands.payments import CancelPayment, CapturePayment, ConfirmPayment
from domain.errors import InvalidInput
from domain.money import Money
from domain.payment import Payment
from domain.payment_method import PaymentMethod
from domain.payment_status import CaptureMethod
from gql.context import Info
from gql.ids import id_of, user_id_of
from gql.money import MoneyInput
from gql.needs import needs
from gql.node import optional_view
from gql.payload import INPUT, KEY, METADATA, OPTIONAL_KEY, BusinessErrors, Payload, executed
from gql.payment import PaymentView
from gql.scalars import IdempotencyKey, JsonObject, Url

RETURN_URL = "Where the bank sends the customer back to after 3-D Secure in a browser."


@strawberry.type(description="What became of a command about a payment.")
class PaymentPayload(Payload):
    @strawberry.field(
        description="The payment as it is now, also where it was declined; null where none was made."
    )
    @needs()
    async def payment(self, info: Info) -> PaymentView | None:
        return optional_view(PaymentView, await self.made(info.context.loaders.payments))


@strawberry.input(description="What to collect.", one_of=True)
class ChargeInput:
    amount: MoneyInput | None = strawberry.field(
        default=strawberry.UNSET, description="An amount of the caller's choice."
    )

    def money(self) -> Money:
        """Raises InvalidInput for a charge of nothing, which GraphQL itself refuses already."""
        if not self.amount:
            raise InvalidInput("Say what to collect.", path=("charge",), constraint="required")
        return self.amount.money()


@strawberry.input(description="Collect a payment.")
class CreatePaymentInput:
    idempotency_key: IdempotencyKey = strawberry.field(description=KEY)
    charge: ChargeInput = strawberry.field(description="What to collect.")
    payment_method_id: strawberry.ID | None = strawberry.field(
        default=None, description="The method that pays; the default one where none is named."
    )
    confirm: bool = strawberry.field(
        default=True, description="False only prepares the payment, for the app to confirm it."
    )
    capture_method: CaptureMethod = strawberry.field(
        default=CaptureMethod.AUTOMATIC, description="MANUAL authorises now and collects by capturePayment."
    )
    save_payment_method: bool = strawberry.field(
        default=False, description="Save the method that the app confirms with."
    )
    off_session: bool = strawberry.field(
        default=False, description="The customer is not there to authenticate; needs a saved method."
    )
    return_url: Url | None = strawberry.field(default=None, description=RETURN_URL)
    description: str | None = strawberry.field(
        default=None, description="What the customer pays for; at most 1,000 characters."
    )
    metadata: JsonObject | None = strawberry.field(default=None, description=METADATA)
    media_item_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="What is bought, by the Media Service's id: 1 to 64 printable characters. "
        "Whoever has paid for it owns it.",
    )
    allow_duplicate: bool = strawberry.field(
        default=False,
        description="The customer means it: they pay once more for what they have just paid for. "
        "Otherwise this gateway may refuse that as DUPLICATE_SUSPECTED.",
    )
    on_behalf_of_user_id: strawberry.ID | None = strawberry.field(
        default=None, description="Admins: the user whose account pays, as a UUID."
    )

    def command(self) -> CreatePayment:
        method, owner = self.payment_method_id, self.on_behalf_of_user_id
        return CreatePayment(
            amount=self.charge.money(),
            payment_method_id=id_of(PaymentMethod, method, "payment_method_id") if method else None,
            is_confirmed=self.confirm,
            capture_method=self.capture_method,
            saves_method=self.save_payment_method,
            is_off_session=self.off_session,
            return_url=self.return_url,
            description=self.description,
            details=self.metadata or {},
            media_item_id=self.media_item_id,
            allows_duplicate=self.allow_duplicate,
            owner=user_id_of(owner, "on_behalf_of_user_id") if owner else None,
        )


@strawberry.input(description="Try a payment that is not confirmed yet, not finished, or has failed.")
class ConfirmPaymentInput:
    idempotency_key: IdempotencyKey = strawberry.field(description=KEY)
    payment_id: strawberry.ID = strawberry.field(description="The payment.")
    payment_method_id: strawberry.ID | None = strawberry.field(
        default=None, description="Another method to try."
    )
    return_url: Url | None = strawberry.field(default=None, description=RETURN_URL)


@strawberry.input(description="Collect what was authorised.")
class CapturePaymentInput:
    idempotency_key: IdempotencyKey = strawberry.field(description=KEY)
    payment_id: strawberry.ID = strawberry.field(description="The payment.")
    amount: MoneyInput | None = strawberry.field(
        default=None, description="Part of it; the rest is released. All of it where this is null."
    )


@strawberry.input(description="Give up a payment that was not collected.")
class CancelPaymentInput:
    idempotency_key: IdempotencyKey | None = strawberry.field(default=None, description=OPTIONAL_KEY)
    payment_id: strawberry.ID = strawberry.field(description="The payment.")
    reason: str | None = strawberry.field(default=None, description="Why, for the records.")


@strawberry.type
class PaymentMutations:
    @strawberry.mutation(
        description=(
            "Collect a payment, once per idempotency key. A declined card gives a payment in FAILED and a "
            "DeclinedError; 3-D Secure is no error but a nextAction."
        ),
        extensions=[BusinessErrors(PaymentPayload)],
    )
    async def create_payment(self, info: Info, input: Annotated[CreatePaymentInput, INPUT]) -> PaymentPayload:
        return await executed(PaymentPayload, info, input.command(), input.idempotency_key)

    @strawberry.mutation(
        description=(
            "Try a payment (again), perhaps with another method. retryRenewal tries what an invoice of a "
            "subscription asks for."
        ),
        extensions=[BusinessErrors(PaymentPayload)],
    )
    async def confirm_payment(
        self, info: Info, input: Annotated[ConfirmPaymentInput, INPUT]
    ) -> PaymentPayload:
        method = input.payment_method_id
        command = ConfirmPayment(
            payment_id=id_of(Payment, input.payment_id, "payment_id"),
            payment_method_id=id_of(PaymentMethod, method, "payment_method_id") if method else None,
            return_url=input.return_url,
        )
        return await executed(PaymentPayload, info, command, input.idempotency_key)

    @strawberry.mutation(
        description="Admins: collect what was authorised, or part of it.",
        extensions=[BusinessErrors(PaymentPayload)],
    )
    async def capture_payment(
        self, info: Info, input: Annotated[CapturePaymentInput, INPUT]
    ) -> PaymentPayload:
        command = CapturePayment(
            payment_id=id_of(Payment, input.payment_id, "payment_id"),
            amount=input.amount.money() if input.amount else None,
        )
        return await executed(PaymentPayload, info, command, input.idempotency_key)

    @strawberry.mutation(
        description="Give up a payment that was not collected; an authorisation is released.",
        extensions=[BusinessErrors(PaymentPayload)],
    )
    async def cancel_payment(self, info: Info, input: Annotated[CancelPaymentInput, INPUT]) -> PaymentPayload:
        payment_id = id_of(Payment, input.payment_id, "payment_id")
        command = CancelPayment(payment_id=payment_id, reason=input.reason)
        return await executed(PaymentPayload, info, command, input.idempotency_key)
