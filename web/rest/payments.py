"""Payments: collecting one, reading one, and pages of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Self
from uuid import UUID

from pydantic import Field

from domain.actor import Actor
from domain.commands.create_payment import CreatePayment
from domain.errors import ErrorCode, InvalidInput, ProcessorUnavailable
from domain.legacy_status import LEGACY_PAYMENT, LegacyPaymentStatus, payment_statuses
from domain.money import Money
from domain.outcome import NextAction, NextActionKind
from domain.payment import Payment
from domain.payment_list import PaymentFilter, PaymentOrder, PaymentOrderField
from domain.payment_method import PaymentMethodType
from domain.payment_service import AWAITS_THE_APP
from domain.payment_status import PaymentStatus, PaymentTrigger
from gql.node import existing
from web.rest.call import Answer, Call
from web.rest.commands import CommandMeta, Shown, concluded
from web.rest.entity_tags import entity_tag, is_known
from web.rest.fields import (
    Body,
    Currency,
    Metadata,
    MethodId,
    MinorUnits,
    Model,
    NoQuery,
    Query,
    Since,
    Text,
    Until,
    UserId,
)
from web.rest.metadata import ShownMetadata, shown_metadata
from web.rest.paging import PageMeta, PageQuery, cursor_meta, numbered_meta
from web.rest.problems import DeclineBody
from web.rest.route import BASE, Envelope, NoMeta, Reply, RestRoute

ASK_LATER: Final = {"Retry-After": "5"}
"""Seconds after which to look again for what the customer must do, where Stripe does not tell now."""


class CreatePaymentBody(Body):
    amount: Annotated[MinorUnits, Field(description="In the currency's smallest unit: 1250 is 12.50 USD.")]
    currency: Annotated[Currency, Field(description="Upper-case ISO 4217.")] = "USD"
    payment_method_id: Annotated[
        MethodId | None, Field(description="The method that pays; the default one where none is named.")
    ] = None
    description: Annotated[
        Text | None, Field(description="What the customer pays for; at most 1,000 characters.")
    ] = None
    metadata: Annotated[
        Metadata | None,
        Field(description="Your own data; at most 8 KiB of JSON. Never card data or secrets."),
    ] = None
    allow_duplicate: Annotated[
        bool, Field(description="The customer means it, where the same was paid for a moment ago.")
    ] = False

    def command(self) -> CreatePayment:
        return CreatePayment(
            amount=Money(minor=self.amount, currency=self.currency),
            payment_method_id=self.payment_method_id,
            description=self.description,
            details=self.metadata or {},
            allows_duplicate=self.allow_duplicate,
        )


class PaymentFilterQuery(Query):
    """Which payments; all that is given must hold."""

    status: Annotated[LegacyPaymentStatus | None, Field(description="In this state.")] = None
    user_id: Annotated[
        UserId | None, Field(description="Of this user. Another user's is for support and admins.")
    ] = None
    date_from: Annotated[
        Since | None, Field(description="Asked for from here on; a date begins with its day in UTC.")
    ] = None
    date_to: Annotated[
        Until | None,
        Field(description="Asked for before this instant; a date is the whole of its day in UTC."),
    ] = None

    def wanted(self) -> PaymentFilter:
        """Raises InvalidInput for a span that ends before it begins."""
        if self.date_from and self.date_to and self.date_from >= self.date_to:
            raise InvalidInput(
                "The span ends before it begins.", path=("date_to",), constraint="date_from < date_to"
            )
        return PaymentFilter(
            owner=self.user_id,
            statuses=None if self.status is None else tuple(payment_statuses(self.status)),
            created_from=self.date_from,
            created_to=self.date_to,
        )


class PaymentSort(StrEnum):
    CREATED_AT = "created_at"
    UPDATED_AT = "updated_at"
    AMOUNT = "amount"
    STATUS = "status"


class PaymentsQuery(PaymentFilterQuery, PageQuery):
    sort: Annotated[
        PaymentSort, Field(description="What to order by; `status` by the letters of `status_detail`.")
    ] = PaymentSort.CREATED_AT

    def ordered(self) -> PaymentOrder:
        return PaymentOrder(field=PaymentOrderField(self.sort.value), direction=self.direction)


class NextActionBody(Model):
    """What the customer must do now, such as 3-D Secure. Only the payment's owner learns the secret."""

    kind: NextActionKind
    client_secret: Annotated[str | None, Field(description="For Stripe's library.")]
    redirect_url: Annotated[str | None, Field(description="Where to send the customer.")]

    @classmethod
    def of(cls, action: NextAction | None) -> Self | None:
        if action is None:
            return None
        return cls(kind=action.kind, client_secret=action.client_secret, redirect_url=action.redirect_url)


class MethodSnapshotBody(Model):
    """The method as it was when it was charged."""

    type: PaymentMethodType
    brand: str | None
    last4: str | None
    exp_month: int | None
    exp_year: int | None


class PaymentBody(Model):
    """Money collected, or not. Amounts are in minor units of `currency`."""

    id: UUID
    user_id: UUID
    amount: Annotated[int, Field(description="What was asked for.")]
    currency: str
    status: Annotated[LegacyPaymentStatus, Field(description="How far it has come, in five words.")]
    status_detail: Annotated[PaymentStatus, Field(description="The same, as GraphQL tells it.")]
    amount_captured: Annotated[int, Field(description="What was collected.")]
    amount_refunded: Annotated[int, Field(description="What was given back, and taken by the bank.")]
    amount_refundable: Annotated[int, Field(description="What may still be given back.")]
    description: str | None
    metadata: ShownMetadata
    media_item_id: str | None
    subscription_id: UUID | None
    payment_method_id: UUID | None
    payment_method: MethodSnapshotBody | None
    decline: Annotated[DeclineBody | None, Field(description="Why a bank said no, where it did.")]
    next_action: Annotated[
        NextActionBody | None,
        Field(description="What the customer must do now. Null in lists, and where nothing is needed."),
    ] = None
    receipt_url: str | None
    trigger: Annotated[PaymentTrigger, Field(description="What made us collect.")]
    livemode: Annotated[bool, Field(description="Whether the money is real.")]
    version: Annotated[int, Field(description="Grows with every change.")]
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None

    @classmethod
    def of(cls, payment: Payment, seen_by: Actor, *, next_action: NextAction | None = None) -> Self:
        return cls(
            id=payment.id,
            user_id=payment.user_id,
            amount=payment.amount,
            currency=payment.currency,
            status=LEGACY_PAYMENT[payment.status],
            status_detail=payment.status,
            amount_captured=payment.captured_amount,
            amount_refunded=payment.refunded_amount,
            amount_refundable=payment.refundable_amount,
            description=payment.description,
            metadata=shown_metadata(payment.details, of=payment.id),
            media_item_id=payment.media_item_id,
            subscription_id=payment.subscription_id,
            payment_method_id=payment.payment_method_id,
            payment_method=_snapshot(payment),
            decline=None if payment.decline is None else DeclineBody.of(payment.decline, seen_by),
            next_action=NextActionBody.of(next_action),
            receipt_url=payment.receipt_url,
            trigger=payment.trigger,
            livemode=payment.livemode,
            version=payment.version,
            created_at=payment.created_at,
            updated_at=payment.updated_at,
            completed_at=payment.completed_at,
        )


def _snapshot(payment: Payment) -> MethodSnapshotBody | None:
    method = payment.method_snapshot
    if method is None:
        return None
    return MethodSnapshotBody(
        type=method.type,
        brand=method.brand,
        last4=method.last4,
        exp_month=method.exp_month,
        exp_year=method.exp_year,
    )


async def create(call: Call[NoQuery, CreatePaymentBody]) -> Answer:
    done = await call.execute(call.body.command())
    answer = await concluded(call, done, shown_payment, created=True)
    return replace(answer, headers={**answer.headers, "Location": f"{BASE}/{done.operation.subject}"})


async def read(call: Call[NoQuery, None]) -> Answer:
    """While the customer may have to act it is told in full: its version does not say what they must do."""
    payment = existing(await call.loaders.payments.load(call.id), "payment")
    tag = entity_tag(payment.version)
    if payment.status not in AWAITS_THE_APP and is_known(tag, call.known_tag):
        return Answer(status=304, headers={"ETag": tag})
    shown = await shown_payment(call, call.id)
    return Answer(data=shown.body, headers=shown.headers)


async def listed(call: Call[PaymentsQuery, None]) -> Answer:
    query, payments = call.query, call.services.payments
    wanted, order = query.wanted(), query.ordered()
    if part := query.after_cursor(order):
        page = await payments.page(call.actor, wanted, order, part)
        return Answer(data=_bodies(page.items, call), meta=cursor_meta(part, page, order))
    found = await payments.numbered(call.actor, wanted, order, query.numbered)
    return Answer(data=_bodies(found.items, call), meta=numbered_meta(query.numbered, found, order))


async def shown_payment(call: Call[Any, Any], payment_id: UUID) -> Shown:
    payment = existing(await call.loaders.payments.load(payment_id), "payment")
    action, later = await next_action(call, payment)
    return Shown(
        body=PaymentBody.of(payment, call.actor, next_action=action),
        awaits_action=payment.status is PaymentStatus.REQUIRES_ACTION,
        headers=later or {"ETag": entity_tag(payment.version)},
    )


async def next_action(call: Call[Any, Any], payment: Payment) -> tuple[NextAction | None, Mapping[str, str]]:
    """
    What the customer must do. A payment can be read while Stripe is away: then it is null, and told when to ask.

    Such an answer has no tag, since it is not all that there is to know of this version.
    """
    try:
        return await call.services.payments.next_action(call.actor, payment), {}
    except ProcessorUnavailable:
        return None, ASK_LATER


def _bodies(payments: Sequence[Payment], call: Call[Any, Any]) -> list[PaymentBody]:
    return [PaymentBody.of(payment, call.actor) for payment in payments]


PAYMENT: Final = Envelope[PaymentBody, NoMeta]
CREATED_PAYMENT: Final = Envelope[PaymentBody, CommandMeta]
PAYMENTS: Final = Envelope[list[PaymentBody], PageMeta]

PAYMENT_ROUTES: Final = (
    RestRoute(
        name="create-payment",
        method="POST",
        path="",
        summary="Collect a payment",
        description=(
            "Send an Idempotency-Key, and the same one again whenever an answer was lost: then nothing is charged "
            "twice. Without one the same is refused (`DUPLICATE_SUSPECTED`) for a minute, and while it is not known "
            "what became of the first, unless `allow_duplicate` says that it is meant."
        ),
        graphql=("createPayment",),
        body=CreatePaymentBody,
        takes_key=True,
        replies={
            201: Reply(
                description="Collected, or under way.", model=CREATED_PAYMENT, headers=("ETag", "Location")
            ),
            200: Reply(
                description="An earlier request with this key collected it.",
                model=CREATED_PAYMENT,
                headers=("ETag", "Location", "Idempotent-Replayed"),
            ),
            202: Reply(
                description=(
                    "The customer must act (`next_action`), or the outcome is not known yet (`meta.outcome_known`): "
                    "ask for the payment until it is."
                ),
                model=CREATED_PAYMENT,
                headers=("ETag", "Location", "Retry-After"),
            ),
        },
        errors=(
            ErrorCode.AMOUNT_OUT_OF_RANGE,
            ErrorCode.CURRENCY_RULE,
            ErrorCode.NOT_FOUND,
            ErrorCode.STATE_CONFLICT,
            ErrorCode.DUPLICATE_SUSPECTED,
            ErrorCode.DECLINED,
        ),
        names={
            "charge.amount.minor": "amount",
            "charge.amount.currency": "currency",
            "details": "metadata",
            "allows_duplicate": "allow_duplicate",
        },
        handle=create,
    ),
    RestRoute(
        name="list-payments",
        method="GET",
        path="",
        summary="Payments, page by page",
        description="Users see their own; support and admins see everybody's.",
        graphql=("payments",),
        query=PaymentsQuery,
        replies={200: Reply(description="A page.", model=PAYMENTS)},
        errors=(ErrorCode.INVALID_INPUT, ErrorCode.FORBIDDEN),
        handle=listed,
    ),
    RestRoute(
        name="get-payment",
        method="GET",
        path="/{id}",
        summary="A payment",
        description=(
            "With If-None-Match only what has changed since is told, and in any case what waits for the customer."
        ),
        graphql=("payment",),
        identified=Payment,
        replies={
            200: Reply(description="The payment.", model=PAYMENT, headers=("ETag", "Retry-After")),
            304: Reply(description="It is as If-None-Match knows it.", media_type=None, headers=("ETag",)),
        },
        errors=(ErrorCode.INVALID_INPUT, ErrorCode.NOT_FOUND),
        handle=read,
    ),
)
