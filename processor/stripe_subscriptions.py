"""Plans, subscriptions and invoices, read as they are now: https://docs.stripe.com/api/subscriptions"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

from stripe import StripeObject

from domain.errors import ProcessorRefused, ProcessorUnavailable
from domain.invoice import InvoiceFacts
from domain.plan import PlanFacts
from domain.subscription import Subscription, SubscriptionFacts
from processor.stripe_calls import call, every_one
from processor.stripe_client import UNKNOWN, StripeConnection, shape
from processor.stripe_invoice_shapes import invoice_facts
from processor.stripe_payments import LARGEST_PAGE
from processor.stripe_shapes import Shape, identity, our_id
from processor.stripe_subscription_shapes import is_plan, plan_facts, subscription_facts

if TYPE_CHECKING:
    from stripe import params as asked

S = TypeVar("S", bound=StripeObject)

WITH_SCHEDULE: Final = ["schedule"]
WITH_CHARGES: Final = ["payments.data.payment.payment_intent.latest_charge"]
"""As deep as Stripe expands: https://docs.stripe.com/api/expanding_objects"""
WITH_PRODUCT: Final = ["product"]
WITH_PRODUCTS: Final = ["data.product"]


class StripeSubscriptions(StripeConnection):
    async def read_subscription(self, processor_subscription_id: str) -> SubscriptionFacts | None:
        """https://docs.stripe.com/api/subscriptions/retrieve"""
        params: asked.SubscriptionRetrieveParams = {"expand": WITH_SCHEDULE}
        found = await existing(
            lambda: self._stripe.subscriptions.retrieve_async(processor_subscription_id, params)
        )
        return None if found is None else await self._with_invoice(found)

    async def find_subscription(self, subscription: Subscription) -> SubscriptionFacts | None:
        """A list is current, where a search lags behind."""
        if subscription.processor_subscription_id is not None:
            return await self.read_subscription(subscription.processor_subscription_id)
        params: asked.SubscriptionListParams = {
            "customer": subscription.processor_customer_id,
            "status": "all",
            "limit": LARGEST_PAGE,
        }
        async for found in every_one(lambda: self._stripe.subscriptions.list_async(params)):
            if our_id(shape(found), "subscription_id") == subscription.id:
                return await self.read_subscription(found.id)
        return None

    async def read_invoice(self, processor_invoice_id: str) -> InvoiceFacts | None:
        found = await self._invoice(processor_invoice_id)
        return None if found is None else invoice_facts(found)

    async def invoice_of_payment(self, processor_payment_id: str) -> str | None:
        """https://docs.stripe.com/api/invoice-payment/list"""
        params: asked.InvoicePaymentListParams = {
            "payment": {"type": "payment_intent", "payment_intent": processor_payment_id},
            "limit": 1,
        }
        found = await call(lambda: self._stripe.invoice_payments.list_async(params))
        return identity(shape(found.data[0])["invoice"]) if found.data else None

    async def read_plan(self, processor_price_id: str) -> PlanFacts | None:
        """https://docs.stripe.com/api/prices/retrieve"""
        params: asked.PriceRetrieveParams = {"expand": WITH_PRODUCT}
        price = await existing(lambda: self._stripe.prices.retrieve_async(processor_price_id, params))
        return plan_facts(price) if price is not None and is_plan(price) else None

    async def list_plans(self, processor_product_id: str | None = None) -> Sequence[PlanFacts]:
        """https://docs.stripe.com/api/prices/list"""
        params: asked.PriceListParams = {
            "type": "recurring",
            "limit": LARGEST_PAGE,
            "expand": WITH_PRODUCTS,
        }
        if processor_product_id is not None:
            params["product"] = processor_product_id
        prices = every_one(lambda: self._stripe.prices.list_async(params))
        return [plan_facts(shape(price)) async for price in prices]

    async def _with_invoice(self, subscription: Shape) -> SubscriptionFacts:
        """Its charge lies deeper than one call can reach from the subscription."""
        invoice_id = identity(subscription.get("latest_invoice"))
        invoice = await self._invoice(invoice_id) if invoice_id else None
        return subscription_facts({**subscription, "latest_invoice": invoice})

    async def _invoice(self, processor_invoice_id: str) -> Shape | None:
        """https://docs.stripe.com/api/invoices/retrieve"""
        params: asked.InvoiceRetrieveParams = {"expand": WITH_CHARGES}
        return await existing(lambda: self._stripe.invoices.retrieve_async(processor_invoice_id, params))


async def existing(read: Callable[[], Awaitable[S]]) -> Shape | None:
    """
    The object, or None where Stripe knows none by this id.

    Raises ProcessorUnavailable for any other refusal: that a reading is refused says nothing of what was written.
    """
    try:
        return shape(await call(read))
    except ProcessorRefused as refused:
        if refused.reason != UNKNOWN:
            raise ProcessorUnavailable from refused
        return None
