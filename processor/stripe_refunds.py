"""Refunds: https://docs.stripe.com/api/refunds"""

from typing import TYPE_CHECKING, Final

from domain.errors import ProcessorRefused
from domain.payment import Payment
from domain.refund import FoundRefunds, Refund, RefundFacts, RefundReason
from processor.stripe_calls import call, every_one
from processor.stripe_payments import LARGEST_PAGE, WITH_CHARGE
from processor.stripe_refund_shapes import found_payment, is_release, refund_facts

if TYPE_CHECKING:
    from stripe import params as asked

from processor.stripe_client import UNKNOWN, StripeConnection, shape, under

REASON: Final = {
    RefundReason.DUPLICATE: "duplicate",
    RefundReason.FRAUDULENT: "fraudulent",
    RefundReason.CUSTOMER_REQUEST: "requested_by_customer",
}
"""Stripe knows no others; it puts the card of a fraudulent payment on its block lists."""


class StripeRefunds(StripeConnection):
    async def refund(self, refund: Refund, payment: Payment, *, key: str) -> RefundFacts:
        """https://docs.stripe.com/api/refunds/create"""
        params: asked.RefundCreateParams = {
            "payment_intent": payment.processor_payment_id or "",
            "amount": refund.amount,
            "metadata": {"refund_id": str(refund.id), "payment_id": str(payment.id)},
        }
        if reason := REASON.get(refund.reason):
            params["reason"] = reason
        made = await call(lambda: self._stripe.refunds.create_async(params, under(key)))
        return refund_facts(shape(made))

    async def find_refund(self, refund: Refund, payment: Payment) -> RefundFacts | None:
        """By Stripe's id, or by ours among the payment's refunds."""
        refund_id = refund.processor_refund_id
        if refund_id is not None:
            found = await call(lambda: self._stripe.refunds.retrieve_async(refund_id))
            return refund_facts(shape(found))
        told = await self._refunds_of(payment.processor_payment_id or "")
        return next((facts for facts in told if facts.refund_id == refund.id), None)

    async def find_refunds(self, processor_payment_id: str) -> FoundRefunds | None:
        """The payment first: what it says of itself is then never newer than its refunds."""
        params: asked.PaymentIntentRetrieveParams = {"expand": WITH_CHARGE}
        try:
            intent = await call(
                lambda: self._stripe.payment_intents.retrieve_async(processor_payment_id, params)
            )
        except ProcessorRefused as refused:
            if refused.reason != UNKNOWN:
                raise
            return None
        return FoundRefunds(
            payment=found_payment(shape(intent)), refunds=await self._refunds_of(processor_payment_id)
        )

    async def _refunds_of(self, processor_payment_id: str) -> list[RefundFacts]:
        """The oldest first, without those that only released an authorisation."""
        params: asked.RefundListParams = {
            "payment_intent": processor_payment_id,
            "limit": LARGEST_PAGE,
            "expand": ["data.charge"],
        }
        listed = [shape(made) async for made in every_one(lambda: self._stripe.refunds.list_async(params))]
        return [refund_facts(refund) for refund in reversed(listed) if not is_release(refund)]
