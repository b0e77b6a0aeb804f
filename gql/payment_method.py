"""Saved payment methods, and saving one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

import strawberry

from domain.commands.add_payment_method import AddPaymentMethod
from domain.commands.delete_payment_method import DeletePaymentMethod
from domain.commands.payment_methods import StartPaymentMethodSetup, UpdatePaymentMethod
from domain.payment_method import (
    PaymentMethod,
    PaymentMethodSetup,
    PaymentMethodState,
    PaymentMethodType,
    SetupStatus,
)
from gql.context import Info
from gql.decline import DeclineView, decline_view
from gql.ids import global_id, id_of
from gql.lazy import LazySubscription
from gql.needs import fails_often, needs
from gql.node import Node, one, optional_view, views
from gql.payload import INPUT, OPTIONAL_KEY, BusinessErrors, Payload, executed
from gql.relation import to_many, to_one
from gql.scalars import IdempotencyKey

strawberry.enum(PaymentMethodType, description="What kind of method it is.")
strawberry.enum(PaymentMethodState, description="Whether a method can be charged.")
strawberry.enum(SetupStatus, description="How far a set-up has come.")


@strawberry.type(
    name="PaymentMethod", description="A saved way to pay. The card itself is in Stripe's vault."
)
class PaymentMethodView(Node):
    _domain: ClassVar[type] = PaymentMethod

    type: PaymentMethodType = strawberry.field(description="What kind of method it is.")
    last4: str | None = strawberry.field(description="The last four digits.")
    brand: str | None = strawberry.field(description="The card's brand or the bank's name.")
    exp_month: int | None = strawberry.field(description="The last month in which a card is valid, 1 to 12.")
    exp_year: int | None = strawberry.field(description="The year of that month.")
    billing_name: str | None = strawberry.field(description="The name on the method.")
    is_default: bool = strawberry.field(description="Whether it pays where no other method is named.")
    version: int = strawberry.field(description="Grows with every change.")
    created_at: datetime = strawberry.field(description="When it was saved.")
    updated_at: datetime = strawberry.field(description="When it last changed.")

    @strawberry.field(description="The id as a UUID, as the REST API shows it.")
    @needs()
    def uuid(method: strawberry.Parent[PaymentMethod]) -> UUID:
        return method.id

    @strawberry.field(description="Whether it can be charged.")
    @needs("detached_at", "exp_month", "exp_year")
    def state(method: strawberry.Parent[PaymentMethod], info: Info) -> PaymentMethodState:
        return method.state_at(info.context.services.clock())

    used_by: list[LazySubscription] = to_many(
        lambda loaders: loaders.paid_by, description="The live subscriptions that name it, the oldest first."
    )


@strawberry.type(
    name="PaymentMethodSetup",
    description="A method on its way in. Complete it in the app with Stripe's library and the client secret.",
)
class PaymentMethodSetupView(Node):
    _domain: ClassVar[type] = PaymentMethodSetup

    status: SetupStatus = strawberry.field(description="How far it has come.")

    @strawberry.field(
        description="For Stripe's library. Null for others than the owner, and once it has ended."
    )
    @fails_often
    async def client_secret(setup: strawberry.Parent[PaymentMethodSetup], info: Info) -> str | None:
        if setup.has_ended or info.context.actor.user_id != setup.user_id:
            return None
        return await info.context.services.processor.setup_secret(setup)

    payment_method: PaymentMethodView | None = to_one(
        PaymentMethod, "payment_method_id", description="The saved method, once there is one."
    )

    @strawberry.field(description="Why the last attempt failed, if it did.")
    @needs(whole=(PaymentMethodSetup,))
    def decline(setup: strawberry.Parent[PaymentMethodSetup], info: Info) -> DeclineView | None:
        return decline_view(setup.decline, info.context.actor)


@strawberry.type(description="What became of a command about a payment method.")
class PaymentMethodPayload(Payload):
    @strawberry.field(description="The method as it is now; null where nothing was saved.")
    @needs()
    async def payment_method(self, info: Info) -> PaymentMethodView | None:
        return optional_view(PaymentMethodView, await self.made(info.context.loaders.payment_methods))


@strawberry.type(description="What became of starting a set-up.")
class SetupPayload(Payload):
    @strawberry.field(description="The set-up as it is now.")
    @needs()
    async def setup(self, info: Info) -> PaymentMethodSetupView | None:
        return optional_view(PaymentMethodSetupView, await self.made(info.context.loaders.setups))


@strawberry.type(description="What became of a deletion.")
class DeletePayload(Payload):
    @strawberry.field(description="The id of what was deleted; null where nothing was.")
    def deleted_id(self) -> strawberry.ID | None:
        if self.record is None or self.problems:
            return None
        return global_id(PaymentMethod, self.record.subject)


@strawberry.input(description="Start saving a card with the bank's consent (SCA).")
class StartSetupInput:
    idempotency_key: IdempotencyKey | None = strawberry.field(default=None, description=OPTIONAL_KEY)
    make_default: bool = strawberry.field(default=False, description="Make it the default once it is saved.")


@strawberry.input(description="Save a method that the app made with Stripe's library.")
class AddPaymentMethodInput:
    idempotency_key: IdempotencyKey | None = strawberry.field(default=None, description=OPTIONAL_KEY)
    stripe_payment_method_id: str = strawberry.field(description="Stripe's id, such as pm_1Abc.")
    make_default: bool = strawberry.field(
        default=False, description="Make it the default; the first method always is."
    )


@strawberry.input(description="Correct a method, or make it the default.")
class UpdatePaymentMethodInput:
    idempotency_key: IdempotencyKey | None = strawberry.field(default=None, description=OPTIONAL_KEY)
    id: strawberry.ID = strawberry.field(description="The method.")
    exp_month: int | None = strawberry.field(default=None, description="1 to 12; goes with expYear.")
    exp_year: int | None = strawberry.field(default=None, description="Four digits; goes with expMonth.")
    billing_name: str | None = strawberry.field(default=None, description="The name on the method.")
    make_default: bool | None = strawberry.field(default=None, description="True makes it the default.")


@strawberry.input(description="Remove a method for good.")
class DeletePaymentMethodInput:
    idempotency_key: IdempotencyKey | None = strawberry.field(default=None, description=OPTIONAL_KEY)
    id: strawberry.ID = strawberry.field(description="The method.")
    replace_with_id: strawberry.ID | None = strawberry.field(
        default=None,
        description=(
            "Pays from now on for all subscriptions that name the removed method, and becomes the default if that was."
        ),
    )


async def methods_of(user_id: UUID, info: Info, *, with_detached: bool = False) -> list[PaymentMethodView]:
    loaders = info.context.loaders
    loader = loaders.all_methods_of if with_detached else loaders.methods_of
    methods: Sequence[PaymentMethod] | None = await loader.load(user_id)
    return views(PaymentMethodView, methods or [])


@strawberry.type
class PaymentMethodMutations:
    @strawberry.mutation(
        description="Start saving a card with the bank's consent.", extensions=[BusinessErrors(SetupPayload)]
    )
    async def start_payment_method_setup(
        self, info: Info, input: Annotated[StartSetupInput, INPUT]
    ) -> SetupPayload:
        command = StartPaymentMethodSetup(makes_default=input.make_default)
        return await executed(SetupPayload, info, command, input.idempotency_key)

    @strawberry.mutation(
        description="Save a method that the app made with Stripe's library.",
        extensions=[BusinessErrors(PaymentMethodPayload)],
    )
    async def add_payment_method(
        self, info: Info, input: Annotated[AddPaymentMethodInput, INPUT]
    ) -> PaymentMethodPayload:
        command = AddPaymentMethod(
            processor_method_id=input.stripe_payment_method_id, makes_default=input.make_default
        )
        return await executed(PaymentMethodPayload, info, command, input.idempotency_key)

    @strawberry.mutation(
        description="Correct a method's expiry or billing name, or make it the default.",
        extensions=[BusinessErrors(PaymentMethodPayload)],
    )
    async def update_payment_method(
        self, info: Info, input: Annotated[UpdatePaymentMethodInput, INPUT]
    ) -> PaymentMethodPayload:
        command = UpdatePaymentMethod(
            method_id=id_of(PaymentMethod, input.id, "id"),
            exp_month=input.exp_month,
            exp_year=input.exp_year,
            billing_name=input.billing_name,
            makes_default=input.make_default,
        )
        return await executed(PaymentMethodPayload, info, command, input.idempotency_key)

    @strawberry.mutation(
        description=(
            "Remove a method for good. Payments that it made keep a snapshot of it. One that a live subscription needs "
            "is METHOD_IN_USE, unless replaceWithId names another to take its place."
        ),
        extensions=[BusinessErrors(DeletePayload)],
    )
    async def delete_payment_method(
        self, info: Info, input: Annotated[DeletePaymentMethodInput, INPUT]
    ) -> DeletePayload:
        successor = input.replace_with_id
        command = DeletePaymentMethod(
            method_id=id_of(PaymentMethod, input.id, "id"),
            successor_id=id_of(PaymentMethod, successor, "replace_with_id") if successor else None,
        )
        return await executed(DeletePayload, info, command, input.idempotency_key)


@strawberry.type
class PaymentMethodQueries:
    @strawberry.field(description="The caller's saved methods, the default one first, then the newest.")
    @needs()
    async def payment_methods(self, info: Info) -> list[PaymentMethodView]:
        return await methods_of(info.context.actor.known_id, info)

    @strawberry.field(description="A saved method that the caller may see.")
    @needs()
    async def payment_method(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The method.")]
    ) -> PaymentMethodView | None:
        return await one(info, PaymentMethodView, id, "payment method")
