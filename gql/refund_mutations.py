"""What may be done with refunds."""

from typing import Annotated
from uuid import UUID

import strawberry

from domain.commands.refunds import RefundPayment
from domain.payment import Payment
from domain.refund import Refund, RefundReason
from gql.context import Info
from gql.ids import id_of
from gql.money import MoneyInput
from gql.needs import needs
from gql.node import optional_view
from gql.payload import INPUT, KEY, BusinessErrors, Payload, executed
from gql.payment import PaymentView
from gql.refund import RefundView
from gql.scalars import IdempotencyKey


@strawberry.type(description="What became of a refund.")
class RefundPayload(Payload):
    @strawberry.field(description="The refund as it is now, also where it failed; null where none was made.")
    @needs()
    async def refund(self, info: Info) -> RefundView | None:
        return optional_view(RefundView, await self.made(info.context.loaders.refunds))

    @strawberry.field(description="The payment as it is now; null where no refund was made.")
    @needs(whole=(Refund,))
    async def payment(self, info: Info) -> PaymentView | None:
        refund = await self.made(info.context.loaders.refunds)
        payment_id: UUID | None = refund.payment_id if refund else None
        found = await info.context.loaders.payments.load(payment_id) if payment_id else None
        return optional_view(PaymentView, found)


@strawberry.input(description="Give money back.")
class RefundPaymentInput:
    idempotency_key: IdempotencyKey = strawberry.field(description=KEY)
    payment_id: strawberry.ID = strawberry.field(description="The payment.")
    amount: MoneyInput | None = strawberry.field(
        default=None, description="How much of it. All that is left where this is null."
    )
    reason: RefundReason = strawberry.field(description="Why.")
    note: str | None = strawberry.field(
        default=None,
        description="What the staff should know; at most 1,000 characters. Customers never see it.",
    )
    revoke_access: bool = strawberry.field(
        default=True,
        description="Whether what was bought is no longer accessible once all of it is given back.",
    )

    def command(self) -> RefundPayment:
        return RefundPayment(
            payment_id=id_of(Payment, self.payment_id, "payment_id"),
            amount=self.amount.money() if self.amount else None,
            reason=self.reason,
            note=self.note,
            revokes_access=self.revoke_access,
        )


@strawberry.type
class RefundMutations:
    @strawberry.mutation(
        description=(
            "Admins: give back what a payment collected, or part of it, once per idempotency key. The amount is "
            "spoken for at once; a bank may take days, and may refuse later: then it is left to refund again."
        ),
        extensions=[BusinessErrors(RefundPayload)],
    )
    async def refund_payment(self, info: Info, input: Annotated[RefundPaymentInput, INPUT]) -> RefundPayload:
        return await executed(RefundPayload, info, input.command(), input.idempotency_key)
