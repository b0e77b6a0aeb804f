"""Payments: https://docs.stripe.com/api/payment_intents"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import stripe

from domain.outcome import NextAction, Outcome
from domain.payment import Payment
from domain.payment_status import CaptureMethod, PaymentStatus
from processor.stripe_calls import call, error_body, every_one
from processor.stripe_shapes import (
    Shape,
    decline_of,
    next_action_of,
    outcome_of_intent,
)

if TYPE_CHECKING:
    from stripe import params as asked

from processor.stripe_client import StripeConnection, under

INTENTS: Final = "/v1/payment_intents"
WITH_CHARGE: Final = ["latest_charge"]
LARGEST_PAGE: Final = 100
CLOCK_SKEW: Final = 300
"""Seconds that Stripe's clock may be behind ours."""


class StripePayments(StripeConnection):
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
        return await _outcome(lambda: self._told("post", INTENTS, params, under(key)))

    async def confirm(self, payment: Payment, *, return_url: str | None, key: str) -> Outcome:
        """https://docs.stripe.com/api/payment_intents/confirm"""
        params: asked.PaymentIntentConfirmParams = {"expand": WITH_CHARGE}
        if payment.processor_method_id is not None:
            params["payment_method"] = payment.processor_method_id
        if return_url is not None:
            params["return_url"] = return_url
        intent = _path_of(_intent_id(payment))
        return await _outcome(lambda: self._told("post", f"{intent}/confirm", params, under(key)))

    async def capture(self, payment: Payment, *, amount: int | None, key: str) -> Outcome:
        """https://docs.stripe.com/api/payment_intents/capture"""
        params: asked.PaymentIntentCaptureParams = {"expand": WITH_CHARGE}
        if amount is not None:
            params["amount_to_capture"] = amount
        intent = _path_of(_intent_id(payment))
        return await _outcome(lambda: self._told("post", f"{intent}/capture", params, under(key)))

    async def cancel(self, payment: Payment, *, key: str) -> Outcome:
        """https://docs.stripe.com/api/payment_intents/cancel"""
        params: asked.PaymentIntentCancelParams = {
            "cancellation_reason": "requested_by_customer",
            "expand": WITH_CHARGE,
        }
        intent = _path_of(_intent_id(payment))
        return await _outcome(lambda: self._told("post", f"{intent}/cancel", params, under(key)))

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

    async def _intent(self, intent_id: str) -> Shape:
        params: asked.PaymentIntentRetrieveParams = {"expand": WITH_CHARGE}
        return await call(lambda: self._told("get", _path_of(intent_id), params, {}))


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


def _path_of(intent_id: str) -> str:
    return f"{INTENTS}/{quote(intent_id, safe='')}"


async def _outcome(send: Callable[[], Awaitable[Shape]]) -> Outcome:
    """A declined payment is an outcome, and its intent comes with the error."""
    try:
        return outcome_of_intent(await call(send))
    except stripe.CardError as declined:
        body = error_body(declined)
        if intent := body.get("payment_intent"):
            return outcome_of_intent(intent)
        return Outcome(status=PaymentStatus.FAILED, decline=decline_of(body))
