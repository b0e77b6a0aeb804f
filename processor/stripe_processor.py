"""Commands to Stripe, as `domain.ports.PaymentProcessor` asks for them."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, Self
from uuid import UUID

import stripe
from stripe import HTTPClient, HTTPXClient, PaymentIntent, RequestOptions, StripeClient, StripeObject
from stripe import PaymentMethod as StripePaymentMethod

from domain.errors import Declined, ProcessorRefused
from domain.outcome import NextAction, Outcome
from domain.payment import Payment
from domain.payment_method import MethodFacts, PaymentMethod, PaymentMethodSetup, SetupFacts
from domain.payment_status import CaptureMethod, PaymentStatus
from processor.stripe_calls import TIMEOUT, call, error_body, every_one
from processor.stripe_shapes import (
    Shape,
    decline_of,
    identity,
    method_facts,
    next_action_of,
    outcome_of_intent,
    setup_facts,
)

if TYPE_CHECKING:
    from stripe import params as asked

API_VERSION: Final = "2026-10-28.endive"
LIVE_KEYS: Final = ("sk_live_", "rk_live_")
WITH_CHARGE: Final = ["latest_charge"]
LARGEST_PAGE: Final = 100
CLOCK_SKEW: Final = 300
"""Seconds that Stripe's clock may be behind ours."""
UNKNOWN: Final = "resource_missing"


class StripeProcessor:
    def __init__(self, client: StripeClient, *, is_live: bool, http: HTTPClient) -> None:
        self._stripe = client.v1
        self._is_live = is_live
        self._http = http

    @classmethod
    def connected(cls, secret_key: str, *, api_base: str | None = None) -> Self:
        """Our own retries, deadline and idempotency keys, so the library's retries and telemetry are off."""
        stripe.enable_telemetry = False
        http = HTTPXClient(timeout=TIMEOUT)
        client = StripeClient(
            secret_key,
            stripe_version=API_VERSION,
            base_addresses={"api": api_base.rstrip("/")} if api_base else None,
            max_network_retries=0,
            http_client=http,
        )
        return cls(client, is_live=secret_key.startswith(LIVE_KEYS), http=http)

    async def close(self) -> None:
        await self._http.close_async()  # type: ignore[no-untyped-call]  # stripe leaves it unannotated.

    @property
    def is_live(self) -> bool:
        return self._is_live

    async def create_customer(self, user_id: UUID, *, key: str) -> str:
        """https://docs.stripe.com/api/customers/create"""
        params: asked.CustomerCreateParams = {"metadata": {"user_id": str(user_id)}}
        customer = await call(lambda: self._stripe.customers.create_async(params, under(key)))
        return customer.id

    async def charge(
        self,
        payment: Payment,
        *,
        is_confirmed: bool,
        is_off_session: bool,
        saves_method: bool,
        return_url: str | None,
        key: str,
    ) -> Outcome:
        """https://docs.stripe.com/api/payment_intents/create"""
        params = _intent_params(payment)
        params["confirm"] = is_confirmed
        params["automatic_payment_methods"] = {
            "enabled": True,
            "allow_redirects": "always" if return_url else "never",
        }
        if saves_method:
            params["setup_future_usage"] = "off_session"
        if is_off_session:
            params["off_session"] = True
        if return_url and is_confirmed:
            params["return_url"] = return_url
        return await _outcome(lambda: self._stripe.payment_intents.create_async(params, under(key)))

    async def confirm(self, payment: Payment, *, return_url: str | None, key: str) -> Outcome:
        """https://docs.stripe.com/api/payment_intents/confirm"""
        params: asked.PaymentIntentConfirmParams = {"expand": WITH_CHARGE}
        if payment.processor_method_id is not None:
            params["payment_method"] = payment.processor_method_id
        if return_url is not None:
            params["return_url"] = return_url
        intent = _intent_id(payment)
        return await _outcome(lambda: self._stripe.payment_intents.confirm_async(intent, params, under(key)))

    async def capture(self, payment: Payment, *, amount: int | None, key: str) -> Outcome:
        """https://docs.stripe.com/api/payment_intents/capture"""
        params: asked.PaymentIntentCaptureParams = {"expand": WITH_CHARGE}
        if amount is not None:
            params["amount_to_capture"] = amount
        intent = _intent_id(payment)
        return await _outcome(lambda: self._stripe.payment_intents.capture_async(intent, params, under(key)))

    async def cancel(self, payment: Payment, *, key: str) -> Outcome:
        """https://docs.stripe.com/api/payment_intents/cancel"""
        params: asked.PaymentIntentCancelParams = {
            "cancellation_reason": "requested_by_customer",
            "expand": WITH_CHARGE,
        }
        intent = _intent_id(payment)
        return await _outcome(lambda: self._stripe.payment_intents.cancel_async(intent, params, under(key)))

    async def find_payment(self, payment: Payment) -> Outcome | None:
        """By Stripe's id, or by ours among the customer's intents: a list is current, a search lags behind."""
        if payment.processor_payment_id is not None:
            return outcome_of_intent(await self._intent(payment.processor_payment_id))
        params: asked.PaymentIntentListParams = {
            "customer": payment.processor_customer_id,
            "created": {"gte": int(payment.created_at.timestamp()) - CLOCK_SKEW},
            "limit": LARGEST_PAGE,
        }
        async for intent in every_one(lambda: self._stripe.payment_intents.list_async(params)):
            if intent.metadata and intent.metadata.to_dict().get("payment_id") == str(payment.id):
                return outcome_of_intent(await self._intent(intent.id))
        return None

    async def next_action(self, payment: Payment) -> NextAction | None:
        return next_action_of(await self._intent(_intent_id(payment)))

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
        try:
            found = await call(lambda: self._stripe.payment_methods.retrieve_async(processor_method_id))
        except ProcessorRefused as refused:
            if refused.reason != UNKNOWN:
                raise
            return None
        return identity(shape(found).get("customer"))

    async def _intent(self, intent_id: str) -> Shape:
        params: asked.PaymentIntentRetrieveParams = {"expand": WITH_CHARGE}
        return shape(await call(lambda: self._stripe.payment_intents.retrieve_async(intent_id, params)))


def under(key: str) -> RequestOptions:
    return {"idempotency_key": key}


def shape(thing: StripeObject) -> Shape:
    return thing.to_dict()


def _intent_params(payment: Payment) -> "asked.PaymentIntentCreateParams":
    params: asked.PaymentIntentCreateParams = {
        "amount": payment.amount,
        "currency": payment.currency.lower(),
        "customer": payment.processor_customer_id,
        "capture_method": "manual" if payment.capture_method is CaptureMethod.MANUAL else "automatic",
        "metadata": {"payment_id": str(payment.id), "user_id": str(payment.user_id)},
        "expand": WITH_CHARGE,
    }
    if payment.processor_method_id is not None:
        params["payment_method"] = payment.processor_method_id
    if payment.description is not None:
        params["description"] = payment.description
    return params


def _intent_id(payment: Payment) -> str:
    if payment.processor_payment_id is None:
        raise ValueError(f"Payment {payment.id} has not reached Stripe")
    return payment.processor_payment_id


async def _outcome(send: Callable[[], Awaitable[PaymentIntent]]) -> Outcome:
    """A declined payment is an outcome, and its intent comes with the error."""
    try:
        return outcome_of_intent(shape(await call(send)))
    except stripe.CardError as declined:
        body = error_body(declined)
        if intent := body.get("payment_intent"):
            return outcome_of_intent(intent)
        return Outcome(status=PaymentStatus.FAILED, decline=decline_of(body))


async def _facts(send: Callable[[], Awaitable[StripePaymentMethod]]) -> MethodFacts:
    try:
        return method_facts(shape(await call(send)))
    except stripe.CardError as declined:
        raise Declined(decline_of(error_body(declined))) from declined
