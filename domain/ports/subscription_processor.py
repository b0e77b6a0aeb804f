"""What the processor tells of plans, subscriptions and invoices."""

from collections.abc import Sequence
from typing import Protocol

from domain.invoice import InvoiceFacts
from domain.plan import PlanFacts
from domain.subscription import Subscription, SubscriptionFacts


class SubscriptionReader(Protocol):
    """
    Reads at the processor as things are now; None for what it does not know.

    All raise ProcessorUnavailable where it cannot be asked.
    """

    async def read_subscription(self, processor_subscription_id: str) -> SubscriptionFacts | None:
        """With its latest invoice, and the payment of that."""
        ...

    async def find_subscription(self, subscription: Subscription) -> SubscriptionFacts | None:
        """By the processor's id, or by ours in the metadata of the customer's subscriptions."""
        ...

    async def read_invoice(self, processor_invoice_id: str) -> InvoiceFacts | None: ...
    async def invoice_of_payment(self, processor_payment_id: str) -> str | None:
        """The processor's id of the invoice that a payment pays."""
        ...

    async def read_plan(self, processor_price_id: str) -> PlanFacts | None: ...
    async def list_plans(self, processor_product_id: str | None = None) -> Sequence[PlanFacts]:
        """Every recurring price with its product, those out of use included; of one product, or of all."""
        ...
