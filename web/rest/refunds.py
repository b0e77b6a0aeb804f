"""Refunds, which admins give."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Self
from uuid import UUID

from pydantic import Field

from domain.actor import Actor
from domain.commands.refunds import RefundPayment
from domain.errors import ErrorCode
from domain.money import Money
from domain.payment import Payment
from domain.refund import Refund, RefundOrigin, RefundReason, RefundStatus
from gql.node import existing
from web.rest.call import Answer, Call
from web.rest.commands import CommandMeta, Shown, concluded
from web.rest.fields import Body, MinorUnits, Model, NoQuery, Text
from web.rest.route import Envelope, Reply, RestRoute, Who


class RefundReasonWord(StrEnum):
    """Why money is given back. `fraudulent` puts the card on the block lists of Stripe's Radar."""

    DUPLICATE = "duplicate"
    FRAUDULENT = "fraudulent"
    CUSTOMER_REQUEST = "customer_request"
    SERVICE_DISRUPTION = "service_disruption"
    GOODWILL = "goodwill"
    DISPUTE_PREVENTION = "dispute_prevention"
    OTHER = "other"


class RefundPaymentBody(Body):
    amount: Annotated[
        MinorUnits | None,
        Field(description="In minor units of the payment's currency. All that is left where none is named."),
    ] = None
    reason: Annotated[RefundReasonWord, Field(description="Why.")]
    note: Annotated[
        Text | None,
        Field(description="What the staff should know; at most 1,000 characters. Customers never see it."),
    ] = None


class RefundBody(Model):
    """Money on its way back to the payer of one payment."""

    id: UUID
    payment_id: UUID
    user_id: UUID
    amount: Annotated[int, Field(description="In minor units of `currency`.")]
    currency: str
    status: Annotated[str, Field(description="pending, succeeded, failed or cancelled.")]
    status_detail: RefundStatus
    reason: RefundReasonWord
    origin: RefundOrigin
    note: Annotated[str | None, Field(description="For support and admins.")]
    failure_reason: Annotated[str | None, Field(description="For support and admins, in Stripe's words.")]
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, refund: Refund, seen_by: Actor) -> Self:
        is_staff = seen_by.sees_everybody
        return cls(
            id=refund.id,
            payment_id=refund.payment_id,
            user_id=refund.user_id,
            amount=refund.amount,
            currency=refund.currency,
            status=refund.status.lower(),
            status_detail=refund.status,
            reason=RefundReasonWord[refund.reason.name],
            origin=refund.origin,
            note=refund.note if is_staff else None,
            failure_reason=refund.failure_reason if is_staff else None,
            created_at=refund.created_at,
            updated_at=refund.updated_at,
        )


async def refund(call: Call[NoQuery, RefundPaymentBody]) -> Answer:
    """An amount is in the payment's own currency, which never changes."""
    payment = existing(await call.loaders.payments.load(call.id), "payment")
    asked = call.body
    command = RefundPayment(
        payment_id=payment.id,
        amount=None if asked.amount is None else Money(minor=asked.amount, currency=payment.currency),
        reason=RefundReason[asked.reason.name],
        note=asked.note,
    )
    return await concluded(call, await call.execute(command), shown_refund, created=True)


async def shown_refund(call: Call[Any, Any], refund_id: UUID) -> Shown:
    found = existing(await call.loaders.refunds.load(refund_id), "refund")
    return Shown(body=RefundBody.of(found, call.actor))


REFUND: Final = Envelope[RefundBody, CommandMeta]

REFUND_ROUTES: Final = (
    RestRoute(
        name="refund-payment",
        method="POST",
        path="/{id}/refund",
        summary="Give back what a payment collected, or part of it",
        description=(
            "Admins. The amount is spoken for at once; a bank may take days, and may refuse later. Without an "
            "Idempotency-Key as much of the payment is not given back once more within a minute, or while it is on "
            "its way."
        ),
        who=Who.ADMINS,
        graphql=("refundPayment",),
        identified=Payment,
        body=RefundPaymentBody,
        takes_key=True,
        replies={
            201: Reply(description="Given back, or on its way.", model=REFUND),
            200: Reply(
                description="An earlier request with this key did it.",
                model=REFUND,
                headers=("Idempotent-Replayed",),
            ),
            202: Reply(description="The outcome is not known yet.", model=REFUND, headers=("Retry-After",)),
        },
        errors=(
            ErrorCode.AMOUNT_OUT_OF_RANGE,
            ErrorCode.CURRENCY_RULE,
            ErrorCode.NOT_FOUND,
            ErrorCode.STATE_CONFLICT,
            ErrorCode.DUPLICATE_SUSPECTED,
            ErrorCode.DISPUTED,
        ),
        statuses={ErrorCode.AMOUNT_OUT_OF_RANGE: 409},
        names={"amount.minor": "amount", "amount.currency": "amount", "payment_id": "id"},
        handle=refund,
    ),
)
