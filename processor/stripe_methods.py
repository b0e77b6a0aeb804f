"""Customers, and the methods that they pay with: https://docs.stripe.com/api/payment_methods"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from uuid import UUID

import stripe
from stripe import PaymentMethod as StripePaymentMethod

from domain.errors import Declined, ProcessorRefused, ProcessorUnavailable
from domain.payment_method import MethodFacts, PaymentMethod, PaymentMethodSetup, SetupFacts
from processor.stripe_calls import call, error_body, is_stored
from processor.stripe_payments import LARGEST_PAGE
from processor.stripe_shapes import (
    Shape,
    decline_of,
    identity,
    method_facts,
    our_id,
    setup_facts,
)

if TYPE_CHECKING:
    from stripe import params as asked

from processor.stripe_client import UNKNOWN, StripeConnection, shape, under


class StripeMethods(StripeConnection):
    async def create_customer(self, user_id: UUID, *, key: str) -> str:
        """
        https://docs.stripe.com/api/customers/create

        Stripe repeats an error that it has stored under the key for a day, so that the user could pay for nothing. Then
        the customer is looked up, or made under another key, at worst beside one that nobody will ever use.
        """
        params: asked.CustomerCreateParams = {"metadata": {"user_id": str(user_id)}}
        try:
            made = await call(lambda: self._stripe.customers.create_async(params, under(key)))
        except ProcessorUnavailable as unknown:
            if not is_stored(unknown.__cause__):
                raise
            return await self._latest_customer_of(user_id) or await self._made_anew(params, key)
        return made.id

    async def _made_anew(self, params: "asked.CustomerCreateParams", key: str) -> str:
        made = await call(lambda: self._stripe.customers.create_async(params, under(f"{key}_again")))
        return made.id

    async def _latest_customer_of(self, user_id: UUID) -> str | None:
        """Among those that were made last: a list is current, where a search lags behind."""
        latest = await call(lambda: self._stripe.customers.list_async({"limit": LARGEST_PAGE}))
        return next((each.id for each in latest.data if our_id(shape(each), "user_id") == user_id), None)

    async def delete_customer(self, customer_id: str) -> None:
        """
        https://docs.stripe.com/api/customers/delete

        Stripe ends the customer's subscriptions with it, and keeps payments, which are its books as well.
        """
        try:
            await call(lambda: self._stripe.customers.delete_async(customer_id))
        except ProcessorRefused as refused:
            if refused.reason != UNKNOWN:
                raise

    async def start_setup(self, setup: PaymentMethodSetup, *, key: str) -> SetupFacts:
        """https://docs.stripe.com/api/setup_intents/create"""
        params: asked.SetupIntentCreateParams = {
            "customer": setup.processor_customer_id,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            "usage": "off_session",
            "metadata": {"setup_id": str(setup.id), "user_id": str(setup.user_id)},
        }
        made = await call(lambda: self._stripe.setup_intents.create_async(params, under(key)))
        return setup_facts(shape(made))

    async def setup_secret(self, setup: PaymentMethodSetup) -> str | None:
        setup_id = setup.processor_setup_id
        if setup_id is None:
            return None
        found = await call(lambda: self._stripe.setup_intents.retrieve_async(setup_id))
        return found.client_secret

    async def attach_method(self, processor_method_id: str, customer_id: str, *, key: str) -> MethodFacts:
        """
        https://docs.stripe.com/api/payment_methods/attach

        A method that is attached to this customer already is not refused.
        """
        params: asked.PaymentMethodAttachParams = {"customer": customer_id}
        try:
            return await _facts(
                lambda: self._stripe.payment_methods.attach_async(processor_method_id, params, under(key))
            )
        except ProcessorRefused:
            if await self._holder_of(processor_method_id) != customer_id:
                raise
            return await self.find_method(processor_method_id)

    async def find_method(self, processor_method_id: str) -> MethodFacts:
        return await _facts(lambda: self._stripe.payment_methods.retrieve_async(processor_method_id))

    async def attached_method(self, processor_method_id: str, customer_id: str) -> MethodFacts | None:
        method = await self._retrieved(processor_method_id)
        if method is None or identity(method.get("customer")) != customer_id:
            return None
        return method_facts(method)

    async def default_method(self, customer_id: str) -> str | None:
        """https://docs.stripe.com/api/customers/retrieve"""
        customer = shape(await call(lambda: self._stripe.customers.retrieve_async(customer_id)))
        return identity((customer.get("invoice_settings") or {}).get("default_payment_method"))

    async def update_method(
        self,
        method: PaymentMethod,
        *,
        exp_month: int | None,
        exp_year: int | None,
        billing_name: str | None,
        key: str,
    ) -> MethodFacts:
        """https://docs.stripe.com/api/payment_methods/update"""
        params: asked.PaymentMethodUpdateParams = {}
        if exp_month is not None and exp_year is not None:
            params["card"] = {"exp_month": exp_month, "exp_year": exp_year}
        if billing_name is not None:
            params["billing_details"] = {"name": billing_name}
        return await _facts(
            lambda: self._stripe.payment_methods.update_async(method.processor_method_id, params, under(key))
        )

    async def detach_method(self, method: PaymentMethod, *, key: str) -> None:
        """
        https://docs.stripe.com/api/payment_methods/detach

        A method that Stripe has no more, or that is attached to nobody, is as good as detached.
        """
        try:
            await _facts(
                lambda: self._stripe.payment_methods.detach_async(method.processor_method_id, {}, under(key))
            )
        except ProcessorRefused:
            if await self._holder_of(method.processor_method_id) is not None:
                raise

    async def _holder_of(self, processor_method_id: str) -> str | None:
        """The customer to whom a method is attached, if it is to any."""
        method = await self._retrieved(processor_method_id)
        return None if method is None else identity(method.get("customer"))

    async def _retrieved(self, processor_method_id: str) -> Shape | None:
        """None where there is no such method."""
        try:
            found = await call(lambda: self._stripe.payment_methods.retrieve_async(processor_method_id))
        except ProcessorRefused as refused:
            if refused.reason != UNKNOWN:
                raise
            return None
        return shape(found)


async def _facts(send: Callable[[], Awaitable[StripePaymentMethod]]) -> MethodFacts:
    try:
        return method_facts(shape(await call(send)))
    except stripe.CardError as declined:
        raise Declined(decline_of(error_body(declined))) from declined
