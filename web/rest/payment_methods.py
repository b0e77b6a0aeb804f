"""Saved ways to pay."""

from datetime import datetime
from typing import Annotated, Any, Final, Self
from uuid import UUID

from pydantic import Field

from domain.commands.add_payment_method import AddPaymentMethod
from domain.commands.delete_payment_method import DeletePaymentMethod
from domain.commands.payment_methods import UpdatePaymentMethod
from domain.errors import ErrorCode
from domain.payment_method import PaymentMethod, PaymentMethodState, PaymentMethodType
from gql.node import existing
from web.rest.call import Answer, Call
from web.rest.commands import CommandMeta, Shown, concluded
from web.rest.entity_tags import entity_tag
from web.rest.fields import Body, MethodId, Model, Month, Name, NoQuery, ProcessorId, Query, Year
from web.rest.route import Envelope, Reply, RestRoute

NAMES: Final = {
    "make_default": "is_default",
    "makes_default": "is_default",
    "method_id": "id",
    "processor_method_id": "stripe_payment_method_id",
    "successor_id": "replace_with_id",
}


class AddPaymentMethodBody(Body):
    stripe_payment_method_id: Annotated[
        ProcessorId,
        Field(
            description="What Stripe's library made of the card in the app, such as pm_1Abc. Never a card."
        ),
    ]
    is_default: Annotated[
        bool, Field(description="Whether it pays where no other is named; the first method always does.")
    ] = False


class UpdatePaymentMethodBody(Body):
    exp_month: Annotated[Month | None, Field(description="1 to 12; goes with exp_year.")] = None
    exp_year: Annotated[Year | None, Field(description="Four digits; goes with exp_month.")] = None
    billing_name: Annotated[Name | None, Field(description="The name on the method.")] = None
    is_default: Annotated[
        bool | None,
        Field(description="True makes it the default; it stops being that when another becomes it."),
    ] = None


class DeletePaymentMethodQuery(Query):
    replace_with_id: Annotated[
        MethodId | None,
        Field(description="Pays from now on for all subscriptions that name the removed method."),
    ] = None


class PaymentMethodBody(Model):
    """The card itself is in Stripe's vault."""

    id: UUID
    user_id: UUID
    type: PaymentMethodType
    brand: str | None
    last4: str | None
    exp_month: int | None
    exp_year: int | None
    billing_name: str | None
    is_default: Annotated[bool, Field(description="Whether it pays where no other method is named.")]
    status: Annotated[str, Field(description="usable, expiring_soon, expired or detached.")]
    status_detail: PaymentMethodState
    version: Annotated[int, Field(description="Grows with every change.")]
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, method: PaymentMethod, *, at: datetime) -> Self:
        state = method.state_at(at)
        return cls(
            id=method.id,
            user_id=method.user_id,
            type=method.type,
            brand=method.brand,
            last4=method.last4,
            exp_month=method.exp_month,
            exp_year=method.exp_year,
            billing_name=method.billing_name,
            is_default=method.is_default,
            status=state.lower(),
            status_detail=state,
            version=method.version,
            created_at=method.created_at,
            updated_at=method.updated_at,
        )


class MethodsMeta(Model):
    total: int


async def listed(call: Call[NoQuery, None]) -> Answer:
    methods = await call.loaders.methods_of.load(call.actor.known_id) or ()
    now = call.services.clock()
    bodies = [PaymentMethodBody.of(method, at=now) for method in methods]
    return Answer(data=bodies, meta=MethodsMeta(total=len(bodies)))


async def add(call: Call[NoQuery, AddPaymentMethodBody]) -> Answer:
    command = AddPaymentMethod(
        processor_method_id=call.body.stripe_payment_method_id, makes_default=call.body.is_default
    )
    return await concluded(call, await call.execute(command), shown_method, created=True)


async def update(call: Call[NoQuery, UpdatePaymentMethodBody]) -> Answer:
    asked = call.body
    command = UpdatePaymentMethod(
        method_id=call.id,
        exp_month=asked.exp_month,
        exp_year=asked.exp_year,
        billing_name=asked.billing_name,
        makes_default=asked.is_default,
    )
    return await concluded(call, await call.execute(command), shown_method)


async def delete(call: Call[DeletePaymentMethodQuery, None]) -> Answer:
    """Nothing is left to show, unless nobody knows yet whether it is gone."""
    command = DeletePaymentMethod(method_id=call.id, successor_id=call.query.replace_with_id)
    answer = await concluded(call, await call.execute(command), shown_method)
    return answer if answer.status == 202 else Answer(status=204, headers=without_tag(answer))


def without_tag(answer: Answer) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name != "ETag"}


async def shown_method(call: Call[Any, Any], method_id: UUID) -> Shown:
    method = existing(await call.loaders.payment_methods.load(method_id), "payment method")
    body = PaymentMethodBody.of(method, at=call.services.clock())
    return Shown(body=body, headers={"ETag": entity_tag(method.version)})


METHOD: Final = Envelope[PaymentMethodBody, CommandMeta]
METHODS: Final = Envelope[list[PaymentMethodBody], MethodsMeta]
UNKNOWN: Final = Reply(
    description="The outcome is not known yet.", model=METHOD, headers=("ETag", "Retry-After")
)

PAYMENT_METHOD_ROUTES: Final = (
    RestRoute(
        name="list-payment-methods",
        method="GET",
        path="/payment-methods",
        summary="The caller's saved methods, the default one first, then the newest",
        graphql=("paymentMethods",),
        replies={200: Reply(description="All of them.", model=METHODS)},
        errors=(ErrorCode.INVALID_INPUT,),
        handle=listed,
    ),
    RestRoute(
        name="add-payment-method",
        method="POST",
        path="/payment-methods",
        summary="Save a method that the app made with Stripe's library",
        description="A body with a card number is refused, and never written down. A known card is not saved twice.",
        graphql=("addPaymentMethod",),
        body=AddPaymentMethodBody,
        takes_key=True,
        replies={
            201: Reply(description="Saved.", model=METHOD, headers=("ETag",)),
            200: Reply(
                description="An earlier request with this key saved it.",
                model=METHOD,
                headers=("ETag", "Idempotent-Replayed"),
            ),
            202: UNKNOWN,
        },
        errors=(ErrorCode.DECLINED, ErrorCode.NOT_FOUND, ErrorCode.STATE_CONFLICT),
        names=NAMES,
        handle=add,
    ),
    RestRoute(
        name="update-payment-method",
        method="PUT",
        path="/payment-methods/{id}",
        summary="Correct a method's expiry or billing name, or make it the default",
        graphql=("updatePaymentMethod",),
        identified=PaymentMethod,
        body=UpdatePaymentMethodBody,
        takes_key=True,
        replies={
            200: Reply(description="Changed.", model=METHOD, headers=("ETag", "Idempotent-Replayed")),
            202: UNKNOWN,
        },
        errors=(ErrorCode.NOT_FOUND, ErrorCode.STATE_CONFLICT, ErrorCode.DECLINED),
        names=NAMES,
        handle=update,
    ),
    RestRoute(
        name="delete-payment-method",
        method="DELETE",
        path="/payment-methods/{id}",
        summary="Remove a method for good",
        description=(
            "Payments that it made keep a snapshot of it. One that a live subscription needs is METHOD_IN_USE, "
            "unless `replace_with_id` names another to take its place."
        ),
        graphql=("deletePaymentMethod",),
        identified=PaymentMethod,
        query=DeletePaymentMethodQuery,
        takes_key=True,
        replies={
            204: Reply(description="It is gone.", media_type=None, headers=("Idempotent-Replayed",)),
            202: UNKNOWN,
        },
        errors=(ErrorCode.NOT_FOUND, ErrorCode.STATE_CONFLICT, ErrorCode.METHOD_IN_USE),
        names=NAMES,
        handle=delete,
    ),
)
